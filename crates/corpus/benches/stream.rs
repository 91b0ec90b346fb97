//! How fast a gigabyte streams, plain and packed, and how much memory that takes.
//!
//! `cargo bench -p fastlane-corpus --bench stream`
//!
//! Writes a `collection.tsv` of 1 GB and its packed twins into a temporary directory, reads each
//! to the end, and prints megabytes of text per second and the peak memory of the process so far.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use fastlane_corpus::{Documents, ReadSettings};
use flate2::Compression;
use flate2::write::GzEncoder;

const GIGABYTE: u64 = 1_000_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let plain = path("collection.tsv");
    let documents = generate(&mut create(&plain)?)?;

    let mut gzip = GzEncoder::new(create(&path("collection.tsv.gz"))?, Compression::fast());
    io::copy(&mut File::open(&plain)?, &mut gzip)?;
    gzip.finish()?.flush()?;
    let mut zstd = zstd::Encoder::new(create(&path("collection.tsv.zst"))?, 3)?;
    io::copy(&mut File::open(&plain)?, &mut zstd)?;
    zstd.finish()?.flush()?;

    for name in ["collection.tsv", "collection.tsv.gz", "collection.tsv.zst"] {
        let begun = Instant::now();
        let mut read = 0;
        for document in Documents::open(path(name), &ReadSettings::default())? {
            document?;
            read += 1;
        }
        assert_eq!(read, documents);
        let speed = GIGABYTE as f64 / 1e6 / begun.elapsed().as_secs_f64();
        println!("{name:<20} {read} documents, {speed:.0} MB/s, peak memory {}", peak());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a bench's file may be lost in a crash")]
fn create(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path)?))
}

/// Writes passages of about 340 bytes, as MS MARCO has them, of words drawn by a fixed generator.
fn generate(file: &mut impl Write) -> io::Result<u64> {
    let words =
        "the a of retrieval passage vector goldfish 1973 is, was growing; index \"query\" é";
    let words: Vec<&str> = words.split(' ').collect();
    let (mut written, mut documents, mut seed) = (0, 0, 1_u64);
    while written < GIGABYTE {
        let mut line = format!("{documents}\t");
        while line.len() < 340 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            line.push_str(words[(seed >> 33) as usize % words.len()]);
            line.push(' ');
        }
        line.push('\n');
        file.write_all(line.as_bytes())?;
        written += line.len() as u64;
        documents += 1;
    }
    file.flush()?;
    Ok(documents)
}

/// The high-water mark of memory, where Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap_or("unknown").trim().to_string()
}
