//! The arguments of `eval` and `bm25`.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{ArgGroup, ValueEnum};
use fastlane_eval::Measure;

use super::input::{CorpusArgs, QueryArgs};
use super::tag;
use crate::printer::Output;

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("output").args(["json", "markdown"]))]
pub(crate) struct EvalArgs {
    /// TREC runs: `query Q0 document rank score tag`; .gz and .zst files are decompressed
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Relevance judgements (qrels), in TREC or BEIR format
    #[arg(long, value_name = "FILE")]
    pub(crate) qrels: PathBuf,
    /// Measures, comma-separated
    #[arg(long, short, value_name = "NAME", value_delimiter = ',')]
    #[arg(default_value = "nDCG@10,RR@10,AP,R@100")]
    pub(crate) measure: Vec<Measure>,
    /// The run that the other runs are compared with
    #[arg(long, value_name = "RUN")]
    pub(crate) baseline: Option<PathBuf>,
    /// Count judged queries missing from a run as 0 (trec_eval's -c)
    #[arg(long, short)]
    pub(crate) complete: bool,
    /// Show every query, then the mean
    #[arg(long, short = 'q')]
    pub(crate) per_query: bool,
    /// Print one JSON object with all digits
    #[arg(long)]
    json: bool,
    /// Print a Markdown table
    #[arg(long)]
    markdown: bool,
    /// Number of random sign patterns and bootstrap samples for p-values and intervals
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "baseline")]
    #[arg(value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub(crate) resamples: u32,
    /// The seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 42, requires = "baseline")]
    pub(crate) seed: u64,
}

impl EvalArgs {
    /// The same arguments with each measure once, even if it was given twice or under two names.
    pub(crate) fn distinct(mut self) -> Self {
        let mut seen = HashSet::new();
        self.measure.retain(|measure| seen.insert(*measure));
        self
    }

    pub(crate) fn output(&self) -> Output {
        match (self.json, self.markdown) {
            (true, _) => Output::Json,
            (_, true) => Output::Markdown,
            _ => Output::Table,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Bm25Args {
    /// Documents: a BEIR directory, a folder of texts, or a .jsonl, .csv or .tsv file
    #[arg(long, value_name = "PATH")]
    pub(crate) corpus: PathBuf,
    /// Queries: a BEIR directory, or a .jsonl, .csv or .tsv file
    #[arg(long, value_name = "PATH")]
    pub(crate) queries: PathBuf,
    /// The run file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) run: PathBuf,
    /// Documents per query
    #[arg(long, short, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) k: u32,
    /// Term frequency saturation
    #[arg(long, value_name = "X", default_value_t = 0.9, allow_negative_numbers = true)]
    pub(crate) k1: f32,
    /// Length normalisation, from 0 to 1
    #[arg(long, value_name = "X", default_value_t = 0.4, allow_negative_numbers = true)]
    pub(crate) b: f32,
    /// How text is split into terms
    #[arg(long, value_enum, default_value_t = AnalyzerArg::English)]
    pub(crate) analyzer: AnalyzerArg,
    /// Keep only documents whose metadata matches, such as `lang = en and year > 2020`
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
    /// The tag of the run: its last column
    #[arg(long, value_name = "NAME", default_value = "fastlane-bm25", value_parser = tag)]
    pub(crate) tag: String,
    /// Number of threads, at most one per core [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    #[command(flatten)]
    pub(crate) corpus_as: CorpusArgs,
    #[command(flatten)]
    pub(crate) queries_as: QueryArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum AnalyzerArg {
    /// Lower case, no possessives, no stop words, English stems
    English,
    /// Lower case only: any language, exact word forms
    Plain,
}
