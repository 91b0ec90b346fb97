//! What inputs are, and which of their columns are which.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use fastlane_corpus::Format;

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
    /// End at the first file of a folder that cannot be read, instead of leaving it out
    #[arg(long)]
    pub(crate) strict: bool,
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
