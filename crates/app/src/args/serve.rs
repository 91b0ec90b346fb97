//! The arguments of `serve`, `mcp` and `key`.

use std::path::PathBuf;

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// The indexes; `NAME=INDEX` sets a name, by default that of the directory
    #[arg(value_name = "INDEX", required = true)]
    pub(crate) indexes: Vec<String>,
    /// The address to listen on; other than loopback only with --keys
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7878")]
    pub(crate) listen: std::net::SocketAddr,
    /// The key file that `fastlane key` writes; without one, every client has full access
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// The certificate for HTTPS, as a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's private key, as a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The directory of the model, if it has moved since indexing
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// The directory of the journals of accepted changes, one by the name of each index [default:
    /// where they were before, at first in each index]
    #[arg(long, value_name = "DIR")]
    pub(crate) journals: Option<PathBuf>,
    /// Number of search threads, at most one per core [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Requests that may wait for a thread; further ones are answered with 429
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) waiting: u32,
    /// Maximum number of connections; those of a client beyond its share are closed
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) connections: u32,
    /// Time limit of a request; a search that exceeds it is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) time_limit: u32,
    /// Do not log requests
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct McpArgs {
    /// The index
    #[arg(value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// The directory of the model, if it has moved since indexing
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Number of threads, at most one per core [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// The name of the key's owner
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What the key permits
    #[arg(long, value_enum, default_value_t = ScopeArg::Read)]
    pub(crate) scope: ScopeArg,
    /// The key file that the hash is appended to
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScopeArg {
    /// Search, and read everything
    Read,
    /// Also add, replace and delete documents
    Write,
}
