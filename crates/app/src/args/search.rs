//! The arguments of `search` and `quickstart`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::tag;

#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// The query; without it and without --queries, an interactive prompt starts
    #[arg(value_name = "QUERY", conflicts_with = "queries")]
    pub(crate) query: Option<String>,
    /// Run every query of a file or a BEIR directory, and write a TREC run
    #[arg(long, value_name = "PATH", requires = "run")]
    pub(crate) queries: Option<PathBuf>,
    /// The run file to write; `-` is standard output
    #[arg(long, value_name = "FILE", requires = "queries")]
    pub(crate) run: Option<PathBuf>,
    /// The tag of the run: its last column
    #[arg(long, value_name = "NAME", default_value = "fastlane", value_parser = tag, requires = "run")]
    pub(crate) tag: String,
    /// Number of documents to return [default: 10, or 100 for a run]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) k: Option<u32>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    /// Show the share of each query token, and the document token that matches it
    #[arg(long, conflicts_with_all = ["json", "queries"])]
    pub(crate) explain: bool,
    /// Print one JSON object with all digits
    #[arg(long, conflicts_with = "queries")]
    pub(crate) json: bool,
    /// The directory of the model, if it has moved since indexing
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Number of threads, at most one per core [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QuickstartArgs {
    /// A folder of texts to index instead of this project
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// The directory of the model [default: the bundled model]
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// The index; an existing one is updated
    #[arg(long, value_name = "INDEX", default_value = "target/quickstart.index")]
    pub(crate) output: PathBuf,
}

/// The parameters of a search.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How to search")]
pub(crate) struct HowArgs {
    /// Number of lanes: the query tokens with the largest alpha, or `all` [default: set by the
    /// model]
    #[arg(long, value_name = "N", value_parser = lanes)]
    pub(crate) lanes: Option<usize>,
    /// Number of candidates to rerank by late interaction; 0 disables reranking
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(crate) rerank: u32,
    /// Fuse the results with BM25, by `ranks` or by `scores`
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "ranks", require_equals = true)]
    pub(crate) hybrid: Option<FusionArg>,
    /// Return only documents whose metadata matches, such as `lang = en and year > 2020`
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
    /// Find each document once, by its best passage; runs always do
    #[arg(long)]
    pub(crate) group: bool,
    /// With --json: the text of this many passages before and after each hit
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=20))]
    pub(crate) context: u8,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FusionArg {
    /// Reciprocal rank fusion
    Ranks,
    /// Scores, each list scaled to the range 0 to 1
    Scores,
}

/// A number of lanes, or `all`.
pub(super) fn lanes(text: &str) -> Result<usize, &'static str> {
    match text {
        "all" => Ok(usize::MAX),
        _ => text.parse().ok().filter(|&lanes| lanes > 0).ok_or("wanted a number above 0, or all"),
    }
}
