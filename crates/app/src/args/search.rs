//! How indexes are searched.

use std::path::PathBuf;

use clap::ValueEnum;

use super::tag;

#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// What to search for; without it, and without --queries, a prompt asks
    #[arg(value_name = "QUERY", conflicts_with = "queries")]
    pub(crate) query: Option<String>,
    /// Search for each query of a file or a BEIR directory, and write a TREC run
    #[arg(long, value_name = "PATH", requires = "run")]
    pub(crate) queries: Option<PathBuf>,
    /// Where the run goes; `-` is standard output
    #[arg(long, value_name = "FILE", requires = "queries")]
    pub(crate) run: Option<PathBuf>,
    /// The run's tag: its last column
    #[arg(long, value_name = "NAME", default_value = "fastlane", value_parser = tag, requires = "run")]
    pub(crate) tag: String,
    /// Documents to find; 10, or 100 for a run, unless said
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) k: Option<u32>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    /// Show the share of each token of the query, and which token answered which
    #[arg(long, conflicts_with_all = ["json", "queries"])]
    pub(crate) explain: bool,
    /// Print one JSON object with all digits
    #[arg(long, conflicts_with = "queries")]
    pub(crate) json: bool,
    /// Where the model is, if it moved since it indexed
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Threads, at most one for each core, which is also the default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QuickstartArgs {
    /// A folder of texts instead of this project
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// The model; the one that comes with the program unless said
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// The index; one that is there is brought up to date
    #[arg(long, value_name = "INDEX", default_value = "target/quickstart.index")]
    pub(crate) output: PathBuf,
}

/// How a search goes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How to search")]
pub(crate) struct HowArgs {
    /// How many tokens of the query search, the best ones, or `all`; the model knows what suits it
    #[arg(long, value_name = "N", value_parser = lanes)]
    pub(crate) lanes: Option<usize>,
    /// How many of the documents that lanes find are scored by late interaction; 0 for none
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(crate) rerank: u32,
    /// Join what BM25 finds: by `ranks`, or by `scores`
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "ranks", require_equals = true)]
    pub(crate) hybrid: Option<FusionArg>,
    /// Find only documents whose metadata says so, such as `lang = en and year > 2020`
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FusionArg {
    /// Reciprocal ranks
    Ranks,
    /// Scores, each list's between 0 and 1
    Scores,
}

/// As many lanes as are said.
pub(super) fn lanes(text: &str) -> Result<usize, &'static str> {
    match text {
        "all" => Ok(usize::MAX),
        _ => {
            text.parse().ok().filter(|&lanes| lanes > 0).ok_or("wanted a number from 1 on, or all")
        }
    }
}
