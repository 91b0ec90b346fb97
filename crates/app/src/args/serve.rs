//! How indexes are served: to people, programs and agents.

use std::path::PathBuf;

use clap::ValueEnum;

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
    /// Connections at a time; more of one client are closed before others are kept out
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) connections: u32,
    /// How long a request may take; a search that takes longer is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) time_limit: u32,
    /// Write no line for each request
    #[arg(long, short)]
    pub(crate) quiet: bool,
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
