//! The arguments that describe inputs: formats and columns.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use fastlane_corpus::Format;

/// The format and the columns of the corpus.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to read the corpus")]
pub(crate) struct CorpusArgs {
    /// The format of the corpus, if its name does not show it
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) format: Option<Format>,
    /// The id column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id_column: Option<String>,
    /// The title column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) title_column: Option<String>,
    /// The text column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text_column: Option<String>,
    /// The columns to keep as metadata, comma-separated [default: all]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) metadata_columns: Option<Vec<String>>,
    /// Of a folder: read only files that match, such as `*.md` or `docs/**`; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// Of a folder: do not read files and folders that match; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Stop at the first file or record that cannot be read, instead of skipping it
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The format and the columns of the queries.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to read the queries")]
pub(crate) struct QueryArgs {
    /// The format of the queries, if the name does not show it
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) query_format: Option<Format>,
    /// The id column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) query_id_column: Option<String>,
    /// The text column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) query_text_column: Option<String>,
}

/// The format and the columns of the input.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How to read the input")]
pub(crate) struct InputArgs {
    /// The format of the input, if its name does not show it
    #[arg(long, value_name = "FORMAT", value_parser = format())]
    pub(crate) format: Option<Format>,
    /// The id column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id_column: Option<String>,
    /// The title column
    #[arg(long, value_name = "COLUMN", conflicts_with = "query")]
    pub(crate) title_column: Option<String>,
    /// The text column
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text_column: Option<String>,
}

/// The names of the formats that `corpus` reads.
fn format() -> impl TypedValueParser<Value = Format> {
    let named = |name: String| Format::ALL.into_iter().find(|format| format.name() == name);
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(move |name| named(name).ok_or("unknown format"))
}
