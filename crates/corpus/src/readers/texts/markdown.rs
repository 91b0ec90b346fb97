//! Markdown, known by its extension, or by a heading that is marked with `#` and stands alone.

use super::kind::{Head, Kind, Reader, Text};
use crate::outline::{Outline, is_plainly_markdown};

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

fn is(head: &Head<'_>) -> bool {
    head.ends_in(&["md", "markdown", "mkd", "mdx", "qmd", "rmd"])
        || extensions_of_texts(head) && is_plainly_markdown(head.text)
}

/// Whether a name says nothing about the format: a script may have `# comments`.
fn extensions_of_texts(head: &Head<'_>) -> bool {
    !head.name.contains('.') && !head.text.starts_with("#!") || head.ends_in(&["txt", "text"])
}

fn read(text: String, _: &str) -> Text {
    let outline = Outline::markdown(&text);
    Text { title: None, outline, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_known_by_name_or_by_a_heading() {
        let is = |name: &str, text: &str| is(&Head { bytes: text.as_bytes(), text, name });
        assert!(is("a.md", "text") && is("readme", "# Apples\n") && is("a.txt", "\n\n## B\n"));
        assert!(!is("a.txt", "text") && !is("run", "#!/bin/sh\n\n# comment\n"));
        assert!(!is("a.yaml", "# comment\n"));
    }
}
