//! Jupyter notebooks: the sources of their cells, one below the other. Outputs are left out.

use serde_json::Value;

use super::kind::{Head, Kind, Reader, Text};
use crate::outline::{Heading, Outline};

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

fn is(head: &Head<'_>) -> bool {
    head.ends_in(&["ipynb"])
        || head.text.trim_start().starts_with('{')
            && head.text.contains("\"cells\"")
            && head.text.contains("\"cell_type\"")
}

fn read(json: String, _: &str) -> Text {
    let cells = serde_json::from_str(&json).ok().and_then(|mut notebook: Value| {
        let cells = notebook.get_mut("cells").map(Value::take);
        cells.and_then(|cells| cells.as_array().cloned())
    });
    // what is not a notebook after all is a text
    let Some(cells) = cells else { return Text { text: json, ..Text::default() } };
    let mut notebook = Notebook::default();
    cells.iter().for_each(|cell| notebook.add(cell));
    Text { title: None, text: notebook.text, outline: notebook.outline }
}

struct Notebook {
    text: String,
    outline: Outline,
}

impl Default for Notebook {
    fn default() -> Self {
        let outline = Outline { rendered: true, ..Outline::default() };
        Self { text: String::new(), outline }
    }
}

impl Notebook {
    fn add(&mut self, cell: &Value) {
        let source = source(&cell["source"]);
        let source = source.trim_end();
        if source.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        self.outline.breaks.push(start);
        if cell["cell_type"] == "markdown" {
            let headings = Outline::markdown(source).headings;
            let placed = headings.into_iter().map(|it| Heading { at: start + it.at, ..it });
            self.outline.headings.extend(placed);
        }
        self.text.push_str(source);
        self.text.push('\n');
    }
}

/// A string, or an array of lines.
fn source(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_follow_each_other_and_only_markdown_has_headings() {
        let json = r###"{"cells": [
            {"cell_type": "markdown", "source": ["# Title\n", "\n", "Intro."]},
            {"cell_type": "code", "source": "# a comment\nx = 1", "outputs": [{"text": "no"}]},
            {"cell_type": "code", "source": []}, 7,
            {"cell_type": "markdown", "source": "## Next"}
        ], "nbformat": 4}"###;
        let found = read(json.into(), "");
        assert_eq!(found.text, "# Title\n\nIntro.\n\n# a comment\nx = 1\n\n## Next\n");
        // "# Title\n\nIntro.\n" and a line end have 17 bytes, the second cell and one more 19
        assert_eq!(found.outline.breaks, [0, 17, 36]);
        let headings: Vec<_> = found.outline.headings.iter().map(|h| (h.at, &*h.title)).collect();
        assert_eq!(headings, [(0, "Title"), (36, "Next")]);
    }

    #[test]
    fn what_is_not_a_notebook_stays_as_it_is() {
        for text in ["{\"cells\": ", "{}", "{\"cells\": 1}", "[]", ""] {
            assert_eq!(read(text.into(), "").text, text);
        }
    }
}
