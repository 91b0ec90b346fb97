//! The command line. Parsing touches nothing: no file, no variable.

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
    /// Index this project, ask it three questions, and say what to type next
    #[command(after_help = include_str!("../help/quickstart.txt"))]
    Quickstart(QuickstartArgs),
    /// Index documents so that they can be searched, or a directory of views; or add to an index
    #[command(after_help = include_str!("../help/index.txt"))]
    Index(IndexArgs),
    /// Search an index: one query, a prompt, or a file of queries
    #[command(after_help = include_str!("../help/search.txt"))]
    Search(SearchArgs),
    /// Answer over HTTP, with a search page
    #[command(after_help = include_str!("../help/serve.txt"))]
    Serve(ServeArgs),
    /// Be a tool of an agent: the Model Context Protocol over standard input and output
    #[command(after_help = include_str!("../help/mcp.txt"))]
    Mcp(McpArgs),
    /// Make a key for a service, and keep its hash in a file
    #[command(after_help = include_str!("../help/key.txt"))]
    Key(KeyArgs),
    /// Delete documents from an index
    #[command(after_help = include_str!("../help/delete.txt"))]
    Delete(DeleteArgs),
    /// Write an index anew, without what was deleted
    Compact(CompactArgs),
    /// Show what an index consists of
    Stat(StatArgs),
    /// Compare an index with its checksums, and look for anything else that is wrong
    #[command(after_help = include_str!("../help/check.txt"))]
    Check(CheckArgs),
    /// Learn a model from pairs of queries and documents, as a run file says
    #[command(after_help = include_str!("../help/train.txt"))]
    Train(TrainArgs),
    /// Show how much of a query's intent each token carries, and which one is its lane
    #[command(after_help = include_str!("../help/explain.txt"))]
    Explain(ExplainArgs),
    /// Turn texts into views with a model and write them as NumPy files
    #[command(after_help = include_str!("../help/encode.txt"))]
    Encode(EncodeArgs),
    /// Write a model in FastLane's layout, with its weights in another type
    #[command(after_help = include_str!("../help/convert.txt"))]
    Convert(ConvertArgs),
    /// Score runs against relevance judgements, as trec_eval does, and compare them
    #[command(after_help = include_str!("../help/eval.txt"))]
    Eval(EvalArgs),
    /// Rank a collection by BM25 for a set of queries and write a TREC run
    #[command(after_help = include_str!("../help/bm25.txt"))]
    Bm25(Bm25Args),
    /// Print what a shell needs to complete commands
    Completions(CompletionsArgs),
    /// Print the manual page, in the format of `man`
    Man,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

fn tag(text: &str) -> Result<String, fastlane_eval::WriteError> {
    fastlane_eval::check_id("tag", text).map(|()| text.to_owned())
}
