//! Paths as ids.

use std::ffi::OsStr;
use std::fmt::Write as _;

use super::super::format::unpacked;

/// Names with `/` between them; none if one of them is not UTF-8, or has a control character.
pub(super) fn joined<'a>(names: impl Iterator<Item = &'a OsStr>) -> Option<String> {
    let names: Option<Vec<_>> = names.map(OsStr::to_str).collect();
    names.map(|names| names.join("/")).filter(|path| !path.contains(char::is_control))
}

/// A path as an id: white space and `%` in percents.
pub(super) fn escaped(path: &str) -> String {
    let mut id = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_whitespace() || c == '%' {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(id, "%{byte:02X}").expect("a string takes whatever is written to it");
            }
        } else {
            id.push(c);
        }
    }
    id
}

/// The name of a file without its folders and its packing.
pub(super) fn name(path: &str) -> &str {
    unpacked(path.rsplit('/').next().unwrap_or(path))
}

/// Endings that say nothing about the content.
const ENDINGS: [&str; 13] = [
    "txt", "text", "md", "markdown", "rst", "html", "htm", "xhtml", "pdf", "docx", "ipynb", "gz",
    "log",
];

/// The name of a file as a title: without the ending, unless it tells what the file is, as that of
/// source code does.
pub(super) fn title(path: &str) -> String {
    let name = name(path);
    match name.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.contains(&&*ending.to_ascii_lowercase()) => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_keeps_endings_that_tell_something() {
        let titles =
            ["a/Light.TXT.gz", "my.notes.md", "lib.rs", "README", "NEWS.Debian"].map(title);
        assert_eq!(titles, ["Light", "my.notes", "lib.rs", "README", "NEWS.Debian"]);
    }
}
