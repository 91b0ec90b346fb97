//! A folder of texts of many formats, packed or not, or one such file.
//!
//! Files come in the order of their names, folder by folder, so that two runs agree. Each is one
//! document. Its path below the folder, with `/`, is the id. White space in the path, which no TREC
//! run can carry, is written in percents, each byte of its UTF-8, and so is `%`, so that two files
//! never have one id: `my notes.md` has the id `my%20notes.md`, and a file of that very name has
//! `my%2520notes.md`. The metadata has the `path` as it is, with its blanks. Of a packed file,
//! `notes.md.gz`, path and id keep the suffix.
//!
//! What a file is, its first 8 KiB tell, and its name only where they do not: source code by its
//! extension. A file without text is left out and counted in [`LeftOut`](super::LeftOut); nothing
//! behind its first 8 KiB is read. The title is the one that the format gives, or else the heading of
//! level 1 with which the text begins, or the name of the file.
//!
//! A new format is one file here, with its `mod` line and its line in the table below.

mod code;
mod content;
mod encoding;
mod folder;
mod html;
mod kind;
mod manual;
mod markdown;
mod notebook;
mod paths;
mod pdf;
mod plain;
mod rendering;
mod structured;
mod walk;
mod word;

pub(super) use folder::{of_source, open};

use kind::Kind;

/// The formats; the first that a file is of reads it.
static KINDS: &[&Kind] = &[
    &pdf::KIND,
    &word::KIND,
    &notebook::KIND,
    &html::KIND,
    &manual::KIND,
    &code::KIND,
    &structured::KIND,
    &markdown::KIND,
    // takes any text, so it is the last
    &plain::KIND,
];
