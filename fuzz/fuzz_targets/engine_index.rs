//! An index with a modified manifest and a valid checksum: opened, searched and checked, or one
//! error on one line.
//!
//! The input is patches to the manifest.

#![no_main]

mod patches;

use std::path::Path;
use std::sync::LazyLock;

use fastlane_engine::{
    IndexSettings, Lane, Nominate, Reader, Request, Rerank, Store, TokenMatrix, Writer,
    WriterSettings,
};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

use patches::patched;

const MANIFEST: &str = "generation-000002";

/// An index and the content of its manifest.
static INDEX: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("the system has room for a small directory");
    write(folder.path()).expect("the directory is ours");
    let text = std::fs::read_to_string(folder.path().join(MANIFEST)).expect("it was written");
    let body = text.split_once('\n').expect("it has a head").1.to_owned();
    (folder, body)
});

fuzz_target!(|bytes: &[u8]| {
    let (folder, body) = &*INDEX;
    let body = patched(body.as_bytes(), bytes);
    let head = format!("fastlane-index 1 {:08x}\n", crc32fast::hash(&body));
    let path = folder.path().join(MANIFEST);
    std::fs::write(path, [head.as_bytes(), &body].concat()).expect("the directory is ours");
    match Reader::open(folder.path()) {
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        Ok(reader) => search(&reader),
    }
    if let Err(error) = Reader::check(folder.path(), |_| true) {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
});

/// Searches in all ways, with queries of the dimension in the index settings.
fn search(reader: &Reader) {
    let settings = reader.settings();
    let matrix = |dim: usize| TokenMatrix::new(dim, vec![0.5; 2 * dim]);
    let (lane, query) = (matrix(settings.dim), matrix(settings.token_dim.unwrap_or(settings.dim)));
    let lanes = [Lane { token: 0, weight: 1.0, view: lane.row(0) }];
    let rerank = Some(Rerank { query: &query, weights: None, documents: 10 });
    let thorough = Nominate::Lists { probes: usize::MAX, margin: f32::INFINITY };
    for nominate in [Nominate::Auto, thorough, Nominate::Scan, Nominate::All] {
        let request = Request { nominate, rerank, ..Request::new(&lanes, 5) };
        drop(reader.search(&request));
        drop(reader.search(&Request { rerank: None, ..request }));
    }
    reader.ids().for_each(drop);
    reader.contains("d7");
    reader.statistics();
}

/// An index with separate token views, lists, deletions and an attachment.
fn write(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (model, store) = ("m".to_owned(), Store::F16);
    let settings = IndexSettings { dim: 8, token_dim: Some(16), lanes_only: false, model, store };
    let how = WriterSettings { lists_from: 40, ..WriterSettings::default() };
    let mut writer = Writer::open(path, &settings, how)?;
    let views = |seed: usize, dim: usize| {
        let value = |at: usize| ((seed * 31 + at * 7) % 200) as f32 / 128.0 - 0.75;
        TokenMatrix::new(dim, (0..3 * dim).map(value).collect())
    };
    for document in 0..25 {
        writer.add(&format!("d{document}"), &views(document, 8), Some(&views(document, 16)))?;
    }
    writer.commit()?;
    writer.delete("d7")?;
    writer.add("d8", &views(99, 8), Some(&views(99, 16)))?;
    writer.attach("text", Some(b"something"))?;
    writer.commit()?;
    Ok(())
}
