//! From glyphs at places to words and lines.

/// The text of a page in the making.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) text: String,
    last: Option<Run>,
}

/// A run of glyphs on a line.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) start: f64,
    pub(super) end: f64,
    /// The height of the line on the page.
    pub(super) base: f64,
    /// The height of the font.
    pub(super) size: f64,
}

impl Layout {
    /// Adds a run of glyphs.
    pub(super) fn push(&mut self, text: &str, run: Run) {
        if text.is_empty() {
            return;
        }
        if let Some(last) = self.last.replace(run) {
            self.separate(last, run, text);
        }
        self.text.push_str(text);
    }

    fn separate(&mut self, last: Run, next: Run, text: &str) {
        let height = last.size.max(next.size).max(0.1);
        let down = (last.base - next.base).abs() / height;
        let right = (next.start - last.end) / height;
        // raised and lowered letters are on the line; a column to the right of it is not
        if down > 0.7 || right < -2.0 {
            self.end_line(down > 2.2, text);
        } else if right > 0.15 && !self.text.ends_with(' ') && !text.starts_with(' ') {
            self.text.push(' ');
        }
    }

    /// Ends a line, and joins a word that was divided there.
    fn end_line(&mut self, is_paragraph: bool, next: &str) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        let is_word = |c: char| c.is_alphabetic();
        let divided = self.text.strip_suffix('-').is_some_and(|word| word.ends_with(is_word));
        if divided && next.starts_with(char::is_lowercase) && !is_paragraph {
            self.text.pop();
        } else if !self.text.is_empty() {
            self.text.push_str(if is_paragraph { "\n\n" } else { "\n" });
        }
    }
}
