//! The text of a page, as its tags come.

use super::super::kind::Text;
use super::super::rendering::Rendering;

/// Elements that are not shown, or that are not the text of the page.
const DROPPED: [&str; 17] = [
    "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "canvas",
    "select", "button", "nav", "header", "footer", "aside", "form", "head",
];
/// Elements that stand on lines of their own, with a blank line around them.
const BLOCKS: [&str; 22] = [
    "address",
    "article",
    "blockquote",
    "body",
    "details",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "hr",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "caption",
    "tbody",
    "ul",
    "colgroup",
];
/// Elements that begin a line.
const LINES: [&str; 5] = ["br", "dd", "dt", "li", "tr"];

/// The text of a page so far, and which elements are open.
#[derive(Default)]
pub(super) struct Page {
    all: Rendering,
    /// The text within `main` and `article`.
    main: Rendering,
    /// How many elements are open that are dropped, for each of [`DROPPED`].
    dropped: [usize; DROPPED.len()],
    in_main: usize,
    in_pre: usize,
    title: Title,
}

/// The element `title`, which is within `head`.
#[derive(Default)]
struct Title {
    is_open: bool,
    text: String,
}

impl Page {
    pub(super) fn open(&mut self, name: &str) {
        // an article often has its title in a header
        let is_title = name == "header" && self.in_main > 0;
        if let Some(place) = DROPPED.iter().position(|dropped| *dropped == name) {
            self.break_block();
            self.dropped[place] += usize::from(!is_title);
            return;
        }
        match name {
            "title" => self.title.is_open = self.title.text.is_empty() && self.is_in_head(),
            "body" | "main" | "article" => {
                self.end_head();
                self.in_main += usize::from(name != "body");
                self.break_block();
            }
            "pre" => {
                self.break_block();
                self.in_pre += 1;
            }
            "li" => self.begin_item(),
            "td" | "th" => self.each(Rendering::begin_cell),
            "img" | "input" => {}
            _ => self.shape(name, true),
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        if let Some(place) = DROPPED.iter().position(|dropped| *dropped == name) {
            self.dropped[place] = self.dropped[place].saturating_sub(1);
            return;
        }
        match name {
            "title" => self.title.is_open = false,
            "main" | "article" => {
                self.break_block();
                self.in_main = self.in_main.saturating_sub(1);
            }
            "pre" => {
                self.in_pre = self.in_pre.saturating_sub(1);
                self.break_block();
            }
            _ => self.shape(name, false),
        }
    }

    /// Begins or ends a heading, a block or a line.
    fn shape(&mut self, name: &str, opens: bool) {
        if let Some(level) = level(name) {
            self.end_head();
            self.break_block();
            self.each(|text| text.heading(opens.then_some(level)));
        } else if BLOCKS.contains(&name) {
            self.end_head();
            self.break_block();
        } else if LINES.contains(&name) && (opens || name != "br") {
            self.each(Rendering::break_line);
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        if self.title.is_open {
            self.title.text.push_str(text);
        } else if self.is_shown() {
            let is_code = self.in_pre > 0;
            self.each(|to| if is_code { to.push_lines(text) } else { to.push_words(text) });
        }
    }

    pub(super) fn finish(self) -> Text {
        let (main, all) = (self.main.finish(), self.all.finish());
        let text = if main.text.is_empty() { all } else { main };
        let title = self.title.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Text { title: Some(title).filter(|title| !title.is_empty()), ..text }
    }

    fn begin_item(&mut self) {
        if self.is_shown() {
            self.each(Rendering::begin_item);
        }
    }

    fn break_block(&mut self) {
        self.each(Rendering::break_block);
    }

    /// Ends the head, which may be left open.
    fn end_head(&mut self) {
        self.dropped[DROPPED.len() - 1] = 0;
    }

    /// Whether nothing but the head hides the text, as pictures do that have titles too.
    fn is_in_head(&self) -> bool {
        self.dropped[..DROPPED.len() - 1].iter().all(|open| *open == 0)
    }

    fn is_shown(&self) -> bool {
        self.dropped.iter().all(|open| *open == 0)
    }

    /// Does something with the text, and with the main text if this is part of it.
    fn each(&mut self, change: impl Fn(&mut Rendering)) {
        change(&mut self.all);
        if self.in_main > 0 {
            change(&mut self.main);
        }
    }
}

/// The level of a heading.
fn level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}
