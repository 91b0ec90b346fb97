//! How indexes are made, changed and looked at.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use fastlane::Store;

use super::input::CorpusArgs;

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
    /// The directory of the model that encodes documents; an index that is there knows its own,
    /// and a new one takes the model that comes with the program.
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
