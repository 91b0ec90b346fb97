//! Reads any collection, whatever its format, and prints the id and title of its first documents.
//!
//! `cargo run -p fastlane-corpus --example read_documents -- PATH`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks")]

use std::process::ExitCode;

use fastlane_corpus::{Documents, ReadError, ReadSettings};

fn main() -> ExitCode {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/beir");
    let path = std::env::args().nth(1).unwrap_or_else(|| fixtures.to_string());
    match print(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.hint().into_iter().for_each(|hint| eprintln!("hint: {hint}"));
            ExitCode::FAILURE
        }
    }
}

fn print(path: &str) -> Result<(), ReadError> {
    let mut documents = Documents::open(path, &ReadSettings::default())?;
    for document in documents.by_ref().take(5) {
        let document = document?;
        println!("{}\t{}", document.id, document.full_text().chars().take(60).collect::<String>());
    }
    let progress = documents.progress();
    println!("read {} bytes of {:?}", progress.done(), progress.total());
    Ok(())
}
