//! The arguments of commands that write and inspect indexes.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use fastlane::Store;

use super::input::CorpusArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct IndexArgs {
    /// Documents: folders of files, BEIR directories, .jsonl, .csv or .tsv files, single texts; or
    /// one directory of views from `fastlane encode`: vectors.npy, doclens.npy, ids.txt
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// The index; in an existing one, documents are added, or replaced by id
    #[arg(long, value_name = "INDEX")]
    pub(crate) output: PathBuf,
    /// Documents only: synchronise the index with the input; unchanged documents are kept
    #[arg(long)]
    pub(crate) update: bool,
    /// Drop views of a document whose cosine with an earlier one exceeds this; 1 keeps all
    #[arg(long, value_name = "X", default_value_t = 0.95, value_parser = cosine)]
    pub(crate) near_duplicates: f32,
    /// Keep this share of a document's views, those with the largest weights in weights.npy
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) importance: Option<f32>,
    /// Keep at most this many views of a document, those that differ most from each other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) diverse: Option<u32>,
    /// How to store view values [default: f16]; an existing index keeps its own
    #[arg(long, value_name = "STORE", value_parser = store())]
    pub(crate) store: Option<Store>,
    /// The directory of the model that encodes documents; an existing index stores its own, and a
    /// new one uses the bundled model. For views: the name of the model that made them, overriding
    /// model.json
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
pub(crate) struct DeleteArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// Document ids; `-` reads them from standard input, one per line
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

/// Limits for writing an index.
#[derive(Debug, clap::Args)]
pub(crate) struct WriterArgs {
    /// Approximate memory limit, independent of the number of documents: 512MiB, 2GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub(crate) memory: u64,
    /// Number of threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

/// The names of the stores of `engine`.
fn store() -> impl TypedValueParser<Value = Store> {
    let named = |name: String| Store::ALL.into_iter().find(|store| store.name() == name);
    PossibleValuesParser::new(Store::ALL.map(Store::name))
        .try_map(move |name| named(name).ok_or("unknown store"))
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
    match size.ok_or("the size is too large")? {
        size if size < 16 << 20 => Err("wanted at least 16MiB"),
        size => Ok(size),
    }
}
