//! The command line. Parsing touches nothing: no file, no variable.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use fastlane_corpus::Format;
use fastlane_engine::Store;
use fastlane_eval::Measure;
use fastlane_model::Precision;

use crate::printer::Output;

/// Late-interaction retrieval at the price of a single-vector search.
#[derive(Debug, Parser)]
#[command(name = "fastlane", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(after_help = include_str!("help/fastlane.txt"))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index this project, ask it three questions, and say what to type next
    #[command(after_help = include_str!("help/quickstart.txt"))]
    Quickstart(QuickstartArgs),
    /// Index documents so that they can be searched, or a directory of views; or add to an index
    #[command(after_help = include_str!("help/index.txt"))]
    Index(IndexArgs),
    /// Search an index: one query, a prompt, or a file of queries
    #[command(after_help = include_str!("help/search.txt"))]
    Search(SearchArgs),
    /// Answer over HTTP, with a search page
    #[command(after_help = include_str!("help/serve.txt"))]
    Serve(ServeArgs),
    /// Be a tool of an agent: the Model Context Protocol over standard input and output
    #[command(after_help = include_str!("help/mcp.txt"))]
    Mcp(McpArgs),
    /// Make a key for a service, and keep its hash in a file
    #[command(after_help = include_str!("help/key.txt"))]
    Key(KeyArgs),
    /// Delete documents from an index
    #[command(after_help = include_str!("help/delete.txt"))]
    Delete(DeleteArgs),
    /// Write an index anew, without what was deleted
    Compact(CompactArgs),
    /// Show what an index consists of
    Stat(StatArgs),
    /// Compare an index with its checksums, and look for anything else that is wrong
    #[command(after_help = include_str!("help/check.txt"))]
    Check(CheckArgs),
    /// Learn a model from pairs of queries and documents, as a run file says
    #[command(after_help = include_str!("help/train.txt"))]
    Train(TrainArgs),
    /// Show how much of a query's intent each token carries, and which one is its lane
    #[command(after_help = include_str!("help/explain.txt"))]
    Explain(ExplainArgs),
    /// Turn texts into views with a model and write them as NumPy files
    #[command(after_help = include_str!("help/encode.txt"))]
    Encode(EncodeArgs),
    /// Score runs against relevance judgements, as trec_eval does, and compare them
    #[command(after_help = include_str!("help/eval.txt"))]
    Eval(EvalArgs),
    /// Rank a collection by BM25 for a set of queries and write a TREC run
    #[command(after_help = include_str!("help/bm25.txt"))]
    Bm25(Bm25Args),
    /// Print what a shell needs to complete commands
    Completions(CompletionsArgs),
    /// Print the manual page, in the format of `man`
    Man,
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("output").args(["json", "markdown"]))]
pub(crate) struct EvalArgs {
    /// TREC runs: `query Q0 document rank score tag`; .gz and .zst are read as they are
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Relevance judgements, TREC's or BEIR's
    #[arg(long, value_name = "FILE")]
    pub(crate) qrels: PathBuf,
    /// Measures, with commas between them
    #[arg(long, short, value_name = "NAME", value_delimiter = ',')]
    #[arg(default_value = "nDCG@10,RR@10,AP,R@100")]
    pub(crate) measure: Vec<Measure>,
    /// Judge the other runs by their difference to this one
    #[arg(long, value_name = "RUN")]
    pub(crate) baseline: Option<PathBuf>,
    /// Count judged queries that a run does not answer as 0 (trec_eval's -c)
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
    /// Random sign patterns and bootstrap samples behind p-values and intervals
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "baseline")]
    #[arg(value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub(crate) resamples: u32,
    /// Where the random numbers start
    #[arg(long, value_name = "N", default_value_t = 42, requires = "baseline")]
    pub(crate) seed: u64,
}

impl EvalArgs {
    /// The same with every measure once, however often and by whatever name it was asked for.
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
    /// Where the run goes; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) run: PathBuf,
    /// Documents per query
    #[arg(long, short, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) k: u32,
    /// How fast repeated words stop counting
    #[arg(long, value_name = "X", default_value_t = 0.9, allow_negative_numbers = true)]
    pub(crate) k1: f32,
    /// How much long documents are marked down, from 0 to 1
    #[arg(long, value_name = "X", default_value_t = 0.4, allow_negative_numbers = true)]
    pub(crate) b: f32,
    /// How text becomes words
    #[arg(long, value_enum, default_value_t = AnalyzerArg::English)]
    pub(crate) analyzer: AnalyzerArg,
    /// Keep only documents whose metadata says so, such as `lang = en and year > 2020`
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
    /// The run's tag: its last column
    #[arg(long, value_name = "NAME", default_value = "fastlane-bm25", value_parser = tag)]
    pub(crate) tag: String,
    /// Threads, at most one for each core, which is also the default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    #[command(flatten)]
    pub(crate) corpus_as: CorpusArgs,
    #[command(flatten)]
    pub(crate) queries_as: QueryArgs,
}

/// What the corpus is and which of its columns are which.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to read the corpus")]
pub(crate) struct CorpusArgs {
    /// The corpus's format, where its name does not tell
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) format: Option<Format>,
    /// The column of the id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id_column: Option<String>,
    /// The column of the title
    #[arg(long, value_name = "COLUMN")]
    pub(crate) title_column: Option<String>,
    /// The column of the text
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text_column: Option<String>,
    /// The columns to keep as metadata, with commas between them; all unless said
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) metadata_columns: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum AnalyzerArg {
    /// Lower case, no possessives, no stop words, English stems
    English,
    /// Lower case only: any language, exact word forms
    Plain,
}

/// The same of the queries.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to read the queries")]
pub(crate) struct QueryArgs {
    /// The queries' format, where their name does not tell
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) query_format: Option<Format>,
    /// The column of the id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) query_id_column: Option<String>,
    /// The column of the text
    #[arg(long, value_name = "COLUMN")]
    pub(crate) query_text_column: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EncodeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Documents: a BEIR directory, a folder of texts, or a .jsonl, .csv or .tsv file
    #[arg(long, value_name = "PATH")]
    pub(crate) input: PathBuf,
    /// The directory to write; until it is complete it is called PATH.partial
    #[arg(long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// The input is queries: write alpha and the soft lane as well
    #[arg(long)]
    pub(crate) query: bool,
    /// Replace the output, and begin anew what was begun with other settings
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) input_as: InputArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The query; `-` is standard input
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// How many lanes to pick; 1 unless said
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) lanes: Option<u32>,
    /// Print one JSON object with all digits
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// The run file
    #[arg(value_name = "RUN.toml")]
    pub(crate) run: PathBuf,
    /// The run's directory; a run that was stopped there goes on
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Set a key of the run file to another value
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) changes: Vec<(String, String)>,
    /// Make a run for each value of a key, such as `lr=5e-6,1e-5,3e-5`, one directory each
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = key_and_value)]
    pub(crate) sweep: Option<(String, String)>,
    /// Write report.html of what the run's directory holds, and train nothing
    #[arg(long, conflicts_with_all = ["sweep", "changes"])]
    pub(crate) report: bool,
    /// Where the states of frozen encoders are kept for other runs
    #[arg(long, value_name = "DIR", default_value = "target/states")]
    pub(crate) cache: PathBuf,
    /// Print one JSON object with the outcome
    #[arg(long)]
    pub(crate) json: bool,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty());
    let (key, value) = parts.ok_or("wanted `KEY=VALUE`")?;
    // what everyone calls it
    let key = if key == "lr" { "optimiser.rate" } else { key };
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, clap::Args)]
pub(crate) struct IndexArgs {
    /// Documents: a folder of texts, a BEIR directory, a .jsonl, .csv or .tsv file; or views, as
    /// `fastlane encode` writes them: vectors.npy, doclens.npy, ids.txt
    #[arg(value_name = "INPUT")]
    pub(crate) input: PathBuf,
    /// The index; one that is there gets the documents added, or replaced by their ids
    #[arg(long, value_name = "INDEX")]
    pub(crate) output: PathBuf,
    /// Of documents: make the index hold just these, leaving alone what did not change
    #[arg(long)]
    pub(crate) update: bool,
    /// Leave out views of a document whose cosine with an earlier one is above this; 1 keeps all
    #[arg(long, value_name = "X", default_value_t = 0.95, value_parser = cosine)]
    pub(crate) near_duplicates: f32,
    /// Keep this share of a document's views, those with the largest weights in weights.npy
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) importance: Option<f32>,
    /// Keep at most so many views of a document, those that differ most from each other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) diverse: Option<u32>,
    /// How to keep the values of views: f16 unless said; an index that is there has its own way
    #[arg(long, value_name = "STORE", value_parser = store())]
    pub(crate) store: Option<Store>,
    /// The directory of the model that encodes documents; an index that is there knows its own.
    /// Of views: the name of what made them, whatever model.json says
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) writer: WriterArgs,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) input_as: CorpusArgs,
}

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
pub(crate) struct ServeArgs {
    /// The indexes; `NAME=INDEX` gives one another name than that of its directory
    #[arg(value_name = "INDEX", required = true)]
    pub(crate) indexes: Vec<String>,
    /// Where to listen; beyond this machine only with --keys
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7878")]
    pub(crate) listen: std::net::SocketAddr,
    /// Who may do what, as `fastlane key` writes it; without, whoever reaches it may do everything
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// A certificate, as a PEM file, for HTTPS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's private key, as a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Where the model is, if it moved since it indexed
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Threads that search, at most one for each core, which is also the default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Requests that may wait for a thread; more are told to come back later
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) waiting: u32,
    /// Write no line for each request
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QuickstartArgs {
    /// A folder of texts instead of this project
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// The model; models/fastlane-mini unless said
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// The index; one that is there is brought up to date
    #[arg(long, value_name = "INDEX", default_value = "target/quickstart.index")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct McpArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// Where the model is, if it moved since it indexed
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Threads, at most one for each core, which is also the default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// Whose key it is
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it allows
    #[arg(long, value_enum, default_value_t = ScopeArg::Read)]
    pub(crate) scope: ScopeArg,
    /// The file that its hash is added to
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScopeArg {
    /// Searching, and looking at everything
    Read,
    /// Changing documents as well
    Write,
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

fn lanes(text: &str) -> Result<usize, &'static str> {
    match text {
        "all" => Ok(usize::MAX),
        _ => {
            text.parse().ok().filter(|&lanes| lanes > 0).ok_or("wanted a number from 1 on, or all")
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// The ids of documents; `-` reads them from standard input, one a line
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) writer: WriterArgs,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompactArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    #[command(flatten)]
    pub(crate) writer: WriterArgs,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StatArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// How an index is written.
#[derive(Debug, clap::Args)]
pub(crate) struct WriterArgs {
    /// About how much memory it may take, whatever the number of documents: 512MiB, 2GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub(crate) memory: u64,
    /// Threads; all cores unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

/// A model, and how it computes.
#[derive(Debug, clap::Args)]
pub(crate) struct ModelArgs {
    /// The model: a directory with config.json, model.safetensors and tokenizer.json
    #[arg(id = "model", long = "model", value_name = "DIR")]
    pub(crate) path: PathBuf,
    /// How exactly to compute, and with which instructions
    #[arg(long, value_enum, default_value_t = PrecisionArg::Auto)]
    pub(crate) precision: PrecisionArg,
    /// Threads, at most one for each core, which is also the default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// The fastest that this CPU has: bf16 where it has instructions for it, else f32
    Auto,
    /// Products of f32
    F32,
    /// Products of bf16, sums of f32
    Bf16,
    /// Products of f32, with no instructions that only some CPUs have
    Portable,
}

impl From<PrecisionArg> for Precision {
    fn from(arg: PrecisionArg) -> Self {
        match arg {
            PrecisionArg::Auto => Self::Auto,
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::Bf16 => Self::Bf16,
            PrecisionArg::Portable => Self::Portable,
        }
    }
}

/// What the input is and which of its columns are which.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to read the input")]
pub(crate) struct InputArgs {
    /// The input's format, where its name does not tell
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) format: Option<Format>,
    /// The column of the id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id_column: Option<String>,
    /// The column of the title
    #[arg(long, value_name = "COLUMN", conflicts_with = "query")]
    pub(crate) title_column: Option<String>,
    /// The column of the text
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text_column: Option<String>,
}

/// The names of the formats that `corpus` reads.
fn format() -> impl TypedValueParser<Value = Format> {
    let named = |name: String| Format::ALL.into_iter().find(|format| format.name() == name);
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .map(move |name| named(name).expect("clap lets through the names of formats only"))
}

/// The names of the stores that `engine` has.
fn store() -> impl TypedValueParser<Value = Store> {
    let named = |name: String| Store::ALL.into_iter().find(|store| store.name() == name);
    PossibleValuesParser::new(Store::ALL.map(Store::name))
        .map(move |name| named(name).expect("clap lets through the names of stores only"))
}

fn cosine(text: &str) -> Result<f32, &'static str> {
    let value = text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or("wanted a number from 0 to 1")
}

fn share(text: &str) -> Result<f32, &'static str> {
    let value = text.parse().ok().filter(|&value| value > 0.0 && value <= 1.0);
    value.ok_or("wanted a share above 0 and at most 1")
}

/// A number of bytes with its unit, at least 16 MiB.
fn size(text: &str) -> Result<u64, &'static str> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let parts = units.iter().find_map(|&(unit, bits)| Some((text.strip_suffix(unit)?, bits)));
    let (number, bits) = parts.ok_or("wanted a size such as 512MiB or 2GiB")?;
    let number: u64 = number.trim().parse().map_err(|_| "wanted a whole number before the unit")?;
    let size = number.checked_shl(bits).filter(|size| size >> bits == number);
    match size.ok_or("that is more than any machine has")? {
        size if size < 16 << 20 => Err("wanted at least 16MiB"),
        size => Ok(size),
    }
}

fn tag(text: &str) -> Result<String, fastlane_eval::WriteError> {
    fastlane_eval::check_id("tag", text).map(|()| text.to_owned())
}
