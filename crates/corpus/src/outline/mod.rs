//! The structure of a text: its headings, its pages, and where it is best split.
//!
//! Readers fill it in, each from what its format marks; [`passages`](crate::passages()) splits by it.
//! It refers to places in the text by byte, so it is valid for that text alone.

mod markdown;

pub(crate) use markdown::is_plainly_markdown;

/// What a reader knows of a text's structure; empty for plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The headings, sorted by their places.
    pub headings: Vec<Heading>,
    /// The bytes at which the pages begin, sorted; empty if the format has no pages.
    pub pages: Vec<usize>,
    /// Further bytes, sorted, at which a passage should rather begin: functions, classes, cells.
    pub breaks: Vec<usize>,
    /// Whether the text was rendered from another format, such as HTML, PDF or docx. If not, line
    /// numbers of the text are those of the file, or of the field of a record.
    pub rendered: bool,
}

/// A heading, which holds up to the next one of its level or above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The byte of the text at which the line of the heading begins.
    pub at: usize,
    /// Its depth: 1 is outermost.
    pub level: u8,
    /// Its words without marks. An empty title is no heading: it ends the sections of its level and
    /// below, as the closing brace of a function does.
    pub title: String,
}

impl Outline {
    /// The headings of a Markdown text: `# ATX` and underlined ones, but none in fenced or indented
    /// code, nor in the front matter between `---`.
    ///
    /// ```
    /// use fastlane_corpus::Outline;
    ///
    /// let outline = Outline::markdown("Light\n=====\n\n## Speed ##\n\nIt is fast.\n");
    /// assert_eq!(outline.path_at(30), ["Light", "Speed"]);
    /// assert_eq!(outline.path_at(0), ["Light"]);
    /// ```
    pub fn markdown(text: &str) -> Self {
        Self { headings: markdown::headings(text), ..Self::default() }
    }

    /// The titles of the headings that hold at a byte of the text, the outermost first.
    ///
    /// Takes time in the number of headings before that byte.
    pub fn path_at(&self, byte: usize) -> Vec<&str> {
        let mut path = Path::default();
        path.advance(&self.headings, byte);
        path.titles(&self.headings)
    }

    /// The heading of level 1 with which a text begins.
    pub(crate) fn title(&self, text: &str) -> Option<&str> {
        let first = self.headings.first().filter(|heading| heading.level == 1)?;
        let is_first = text.get(..first.at).is_some_and(|before| before.trim().is_empty());
        is_first.then_some(&*first.title).filter(|title| !title.is_empty())
    }
}

/// The headings that hold at a place which moves through a text.
#[derive(Default)]
pub(crate) struct Path {
    /// How many headings have been passed.
    passed: usize,
    /// Those that hold, by number; their levels increase.
    open: Vec<usize>,
}

impl Path {
    /// Moves on to a byte.
    pub(crate) fn advance(&mut self, headings: &[Heading], to: usize) {
        while let Some(heading) = headings.get(self.passed).filter(|heading| heading.at <= to) {
            while self.open.pop_if(|above| headings[*above].level >= heading.level).is_some() {}
            if !heading.title.is_empty() {
                self.open.push(self.passed);
            }
            self.passed += 1;
        }
    }

    /// The titles of the headings that hold here.
    pub(crate) fn titles<'h>(&self, headings: &'h [Heading]) -> Vec<&'h str> {
        self.open.iter().map(|open| &*headings[*open].title).collect()
    }

    /// The titles of the headings that hold from here up to a byte.
    pub(crate) fn titles_until<'h>(&self, headings: &'h [Heading], end: usize) -> Vec<&'h str> {
        let below = headings[self.passed..].iter().take_while(|heading| heading.at < end);
        let highest = below.map(|heading| heading.level).min().unwrap_or(u8::MAX);
        let hold = |heading: &&usize| headings[**heading].level < highest;
        self.open.iter().take_while(hold).map(|open| &*headings[*open].title).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(at: usize, level: u8, title: &str) -> Heading {
        Heading { at, level, title: title.into() }
    }

    #[test]
    fn a_heading_holds_up_to_the_next_of_its_level() {
        let headings =
            vec![heading(2, 1, "A"), heading(5, 3, "B"), heading(9, 2, "C"), heading(12, 1, "")];
        let outline = Outline { headings, ..Outline::default() };
        assert!(outline.path_at(1).is_empty());
        assert_eq!(outline.path_at(2), ["A"]);
        assert_eq!(outline.path_at(8), ["A", "B"]);
        assert_eq!(outline.path_at(9), ["A", "C"]);
        assert!(outline.path_at(12).is_empty(), "an empty title ends a section");
    }

    #[test]
    fn what_holds_for_a_range_holds_at_all_its_places() {
        let headings = [heading(0, 1, "A"), heading(5, 2, "B"), heading(9, 2, "C")];
        let mut path = Path::default();
        path.advance(&headings, 6);
        assert_eq!(path.titles_until(&headings, 9), ["A", "B"]);
        assert_eq!(path.titles_until(&headings, 10), ["A"]);
    }
}
