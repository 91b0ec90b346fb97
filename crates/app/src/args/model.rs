//! The arguments of commands that use or train models.

use std::path::PathBuf;

use clap::ValueEnum;
use fastlane_model::Precision;

use super::input::InputArgs;
use super::search::lanes;

#[derive(Debug, clap::Args)]
pub(crate) struct EncodeArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Documents: a BEIR directory, a folder of texts, or a .jsonl, .csv or .tsv file
    #[arg(long, value_name = "PATH")]
    pub(crate) input: PathBuf,
    /// The directory to write; it is named PATH.partial until it is complete
    #[arg(long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// The input is queries: write alpha and the soft lane as well
    #[arg(long)]
    pub(crate) query: bool,
    /// Replace the output, and restart partial work that has other settings
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
    /// Number of lanes to select, or `all` [default: 1]
    #[arg(long, value_name = "K", value_parser = lanes)]
    pub(crate) lanes: Option<usize>,
    /// Print one JSON object with all digits
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// The run file
    #[arg(value_name = "RUN.toml")]
    pub(crate) run: PathBuf,
    /// The directory of the run; a stopped run in it is resumed
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Override a key of the run file
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) changes: Vec<(String, String)>,
    /// Train one run for each value of a key, such as `lr=5e-6,1e-5,3e-5`, each in its own
    /// directory
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = key_and_value)]
    pub(crate) sweep: Option<(String, String)>,
    /// Write report.html from the files in the run's directory, without training
    #[arg(long, conflicts_with_all = ["sweep", "changes"])]
    pub(crate) report: bool,
    /// The cache directory for the states of frozen encoders, shared by runs
    #[arg(long, value_name = "DIR", default_value = "target/states")]
    pub(crate) cache: PathBuf,
    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConvertArgs {
    /// The model
    #[arg(value_name = "DIR")]
    pub(crate) model: PathBuf,
    /// The directory to write
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// How weights are stored
    #[arg(long, value_enum, default_value_t = WeightsArg::Int8)]
    pub(crate) weights: WeightsArg,
    /// Maximum number of tokens read from a document [default: that of the model]
    #[arg(long, value_name = "N")]
    pub(crate) document_tokens: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WeightsArg {
    /// 4 bytes each
    F32,
    /// 2 bytes each
    F16,
    /// 1 byte each
    Int8,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty());
    let (key, value) = parts.ok_or("wanted `KEY=VALUE`")?;
    // the usual name
    let key = if key == "lr" { "optimiser.rate" } else { key };
    Ok((key.to_owned(), value.to_owned()))
}

/// A model, its precision and its threads.
#[derive(Debug, clap::Args)]
pub(crate) struct ModelArgs {
    /// The model: a directory with config.json, model.safetensors and tokenizer.json [default: the
    /// bundled model]
    #[arg(id = "model", long = "model", value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// The precision and the CPU instructions of the encoder
    #[arg(long, value_enum, default_value_t = PrecisionArg::Auto)]
    pub(crate) precision: PrecisionArg,
    /// Number of threads, at most one per core [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// The fastest on this CPU: bf16 where the CPU supports it efficiently, else f32
    Auto,
    /// Products of f32
    F32,
    /// Products of bf16, sums of f32
    Bf16,
    /// Products of f32, with baseline instructions only
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
