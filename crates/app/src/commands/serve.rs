//! `fastlane serve`: indexes over HTTP.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fastlane_serve::{Config, Keys, Limits, Service, Tls, serve};

use crate::args::ServeArgs;
use crate::interrupt;
use crate::panics;
use crate::printer::Printer;
use crate::settings::threads;

/// The interval of the check for Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(args: &ServeArgs, printer: &Printer) -> anyhow::Result<()> {
    panics::on_panic(|what| log(&format!("internal error: {what}")));
    let indexes = args.indexes.iter().map(|index| named(index)).collect::<Result<_, _>>()?;
    let service = Service::open(Config {
        indexes,
        model: args.model.clone(),
        journals: args.journals.clone(),
        keys: args.keys.as_deref().map(Keys::open).transpose()?,
        threads: threads(args.threads),
        limits: Limits {
            waiting: args.waiting as usize,
            connections: args.connections as usize,
            request: Duration::from_secs(args.time_limit.into()),
            ..Limits::default()
        },
        log: if args.quiet { Arc::new(|_| {}) } else { Arc::new(log) },
    })?;
    for name in service.empty_indexes() {
        printer.note(&format!("warning: the index `{name}` has no documents"));
    }
    let tls = args.tls_certificate.clone().zip(args.tls_key.clone());
    let tls = tls.map(|(certificate, key)| Tls { certificate, key });
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let ready = |address| printer.note(&format!("listening on {scheme}://{address}"));
    let left = runtime.block_on(serve(service, (args.listen, tls.as_ref()), ready, stopped()))?;
    printer.note(&match left {
        0 => "stopped; all accepted changes are committed".to_owned(),
        _ => format!("stopped; {left} accepted changes in the journal wait for the next start"),
    });
    Ok(())
}

/// Completes on Ctrl-C or another termination signal.
async fn stopped() {
    while interrupt::check().is_ok() {
        tokio::time::sleep(LOOK).await;
    }
}

/// Writes a log line to stderr; a failed write is ignored.
fn log(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The name and the directory of an index.
fn named(text: &str) -> anyhow::Result<(String, PathBuf)> {
    if let Some((name, path)) = text.split_once('=') {
        return Ok((name.to_owned(), path.into()));
    }
    let path = Path::new(text);
    let stem = path.file_name().and_then(|name| name.to_str());
    let stem = stem.map(|name| name.strip_suffix(".index").unwrap_or(name));
    match stem {
        Some(stem) => Ok((stem.to_owned(), path.to_owned())),
        None => bail!("`{text}` has no name for the index, wanted `NAME={text}`"),
    }
}
