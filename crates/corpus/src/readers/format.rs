//! The supported formats, and their detection from file names.

use std::path::Path;

use super::beir::PACKED;

/// The format of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A directory with `corpus.jsonl` and `queries.jsonl`, or one such file.
    Beir,
    /// One JSON object per line.
    Jsonl,
    /// Cells between commas under a header, quoted by RFC 4180.
    Csv,
    /// Cells between tabs. The first line is a header if one of its cells is called as ids are, or
    /// if the settings name a column; without a header it is [`Format::Marco`].
    Tsv,
    /// An id, a tab and a text on every line, no header.
    Marco,
    /// A folder of files with text, packed or not, or one such file. Documents only.
    Texts,
}

impl Format {
    /// Every format, in the order in which a help text should list them.
    pub const ALL: [Self; 6] =
        [Self::Beir, Self::Jsonl, Self::Csv, Self::Tsv, Self::Marco, Self::Texts];

    /// The name of the format in settings files and arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::Beir => "beir",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Marco => "marco",
            Self::Texts => "texts",
        }
    }

    /// The format from a file name, without a compression suffix.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        match Path::new(unpacked(&name)).extension()?.to_str()? {
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "txt" | "md" | "markdown" => Some(Self::Texts),
            _ => None,
        }
    }
}

/// A file name without its compression suffix, in upper or lower case.
pub(super) fn unpacked(name: &str) -> &str {
    let bare = |suffix: &&str| {
        let (bare, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
        end.eq_ignore_ascii_case(suffix).then_some(bare)
    };
    PACKED.iter().find_map(bare).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_format() {
        let of = |name: &str| Format::of_name(Path::new(name));
        assert_eq!(of("a/queries.dev.TSV.gz"), Some(Format::Tsv));
        assert_eq!(of("a.b/corpus.jsonl.zst"), Some(Format::Jsonl));
        assert_eq!(of("notes.md"), Some(Format::Texts));
        assert_eq!(of("notes.v2.Markdown.ZST"), Some(Format::Texts));
        assert_eq!(of("a.tsv/b"), None);
        assert_eq!(of("a.gz"), None);
        assert_eq!(of(".csv"), None);
    }

    #[test]
    fn one_suffix_of_packing_is_set_aside() {
        assert_eq!(unpacked("a.md.GZ"), "a.md");
        assert_eq!(unpacked("a.gz.zstd"), "a.gz");
        assert_eq!(unpacked("é"), "é");
    }
}
