//! The command line. Parsing reads no files and no environment variables.

mod index;
mod input;
mod measure;
mod model;
mod search;
mod serve;

use clap::{Parser, Subcommand};

pub(crate) use index::{CheckArgs, CompactArgs, DeleteArgs, IndexArgs, StatArgs, WriterArgs};
pub(crate) use input::{CorpusArgs, QueryArgs};
pub(crate) use measure::{AnalyzerArg, Bm25Args, EvalArgs};
pub(crate) use model::{ConvertArgs, EncodeArgs, ExplainArgs, ModelArgs, TrainArgs, WeightsArg};
pub(crate) use search::{FusionArg, HowArgs, QuickstartArgs, SearchArgs};
pub(crate) use serve::{KeyArgs, McpArgs, ScopeArg, ServeArgs};

/// Late-interaction retrieval at the price of a single-vector search.
#[derive(Debug, Parser)]
#[command(name = "fastlane", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(after_help = include_str!("../help/fastlane.txt"))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Index this project, run three example queries, and print the commands to try next
    #[command(after_help = include_str!("../help/quickstart.txt"))]
    Quickstart(QuickstartArgs),
    /// Index documents or a directory of views, or add to an existing index
    #[command(after_help = include_str!("../help/index.txt"))]
    Index(IndexArgs),
    /// Search an index: one query, an interactive prompt, or a file of queries
    #[command(after_help = include_str!("../help/search.txt"))]
    Search(SearchArgs),
    /// Serve indexes over HTTP, with a search page
    #[command(after_help = include_str!("../help/serve.txt"))]
    Serve(ServeArgs),
    /// Serve an index over MCP (Model Context Protocol), on standard input and output
    #[command(after_help = include_str!("../help/mcp.txt"))]
    Mcp(McpArgs),
    /// Create an API key for a service and store its hash in a file
    #[command(after_help = include_str!("../help/key.txt"))]
    Key(KeyArgs),
    /// Delete documents from an index
    #[command(after_help = include_str!("../help/delete.txt"))]
    Delete(DeleteArgs),
    /// Rewrite an index without deleted documents
    Compact(CompactArgs),
    /// Show the statistics of an index
    Stat(StatArgs),
    /// Verify the checksums and the consistency of an index
    #[command(after_help = include_str!("../help/check.txt"))]
    Check(CheckArgs),
    /// Train a model on pairs of queries and documents, as configured in a run file
    #[command(after_help = include_str!("../help/train.txt"))]
    Train(TrainArgs),
    /// Show the weight (alpha) of each token of a query, and which token is its lane
    #[command(after_help = include_str!("../help/explain.txt"))]
    Explain(ExplainArgs),
    /// Encode texts into views with a model and write them as NumPy files
    #[command(after_help = include_str!("../help/encode.txt"))]
    Encode(EncodeArgs),
    /// Write a model in FastLane's layout, with weights of another type
    #[command(after_help = include_str!("../help/convert.txt"))]
    Convert(ConvertArgs),
    /// Evaluate runs against relevance judgements, as trec_eval does, and compare them
    #[command(after_help = include_str!("../help/eval.txt"))]
    Eval(EvalArgs),
    /// Rank a collection by BM25 for a set of queries and write a TREC run
    #[command(after_help = include_str!("../help/bm25.txt"))]
    Bm25(Bm25Args),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, in the format of `man`
    Man,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

fn tag(text: &str) -> Result<String, fastlane_eval::WriteError> {
    fastlane_eval::check_id("tag", text).map(|()| text.to_owned())
}
