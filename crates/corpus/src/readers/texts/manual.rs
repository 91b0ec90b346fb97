//! Manual pages in roff: `.TH`, `.SH` and `.SS` of `man`, `.Dt`, `.Sh` and `.Ss` of `mdoc`.
//!
//! Requests are dropped with their dots, and their words kept; fonts and escapes are resolved. This
//! is far from what `man` prints, but no word is lost that people look for.

use super::kind::{Head, Kind, Reader, Text};
use super::rendering::Rendering;

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

fn is(head: &Head<'_>) -> bool {
    let mut lines = head.text.lines().skip_while(|line| {
        line.is_empty() || line.starts_with(".\\\"") || line.starts_with("'\\\"") || *line == "."
    });
    let starts = [".TH ", ".Dd ", ".Dt ", ".Sh ", ".so "];
    let begins = |line: &str| starts.iter().any(|start| line.starts_with(start));
    // definitions of macros may come first, as generators write them
    lines.next().is_some_and(|line| begins(line) || line.starts_with(['.', '\'']))
        && head.text.lines().any(begins)
}

#[expect(clippy::needless_pass_by_value, reason = "other formats keep the text")]
fn read(text: String, _: &str) -> Text {
    let mut page = Page::default();
    text.lines().for_each(|line| page.take(line));
    Text { title: page.title, ..page.text.finish() }
}

#[derive(Default)]
struct Page {
    text: Rendering,
    title: Option<String>,
    /// Whether lines are kept as they are.
    is_code: bool,
    /// Whether the lines define a macro.
    in_macro: bool,
}

impl Page {
    fn take(&mut self, line: &str) {
        if self.in_macro {
            self.in_macro = line != "..";
        } else if let Some(request) = line.strip_prefix(['.', '\'']) {
            let request = request.trim_start();
            let end = request.find(char::is_whitespace).unwrap_or(request.len());
            let (name, rest) = request.split_at(end);
            self.request(name, &resolved(rest));
        } else if line.trim().is_empty() {
            self.text.break_block();
        } else if self.is_code {
            self.text.break_line();
            self.text.push_lines(&resolved(line));
        } else {
            self.words(&resolved(line));
        }
    }

    fn request(&mut self, name: &str, rest: &str) {
        let words = arguments(rest).join(" ");
        match name {
            "TH" | "Dt" => self.title(&words),
            "SH" | "Sh" => self.heading(1, &words),
            "SS" | "Ss" => self.heading(2, &words),
            "de" | "de1" | "am" | "ig" => self.in_macro = true,
            "nf" | "EX" | "Bd" => self.begin_code(),
            "fi" | "EE" | "Ed" => {
                self.is_code = false;
                self.text.break_block();
            }
            "PP" | "LP" | "P" | "Pp" | "sp" | "RS" | "RE" => self.text.break_block(),
            "TP" | "br" | "El" | "Bl" => self.text.break_line(),
            "IP" | "It" | "HP" => {
                self.text.break_line();
                self.words(&words);
            }
            // fonts that change from argument to argument, without blanks between them
            "BI" | "BR" | "IB" | "IR" | "RB" | "RI" => self.words(&arguments(rest).concat()),
            "B" | "I" | "R" | "SM" | "SB" | "OP" | "SY" | "UR" | "MT" => self.words(&words),
            // the macros of mdoc have two letters, the first large, and mark words
            _ if is_mdoc(name) => self.words(&words),
            _ => {}
        }
    }

    fn title(&mut self, words: &str) {
        let mut parts = words.split_whitespace();
        self.title = match (parts.next(), parts.next()) {
            (Some(name), Some(section)) => Some(format!("{name}({section})")),
            (name, _) => name.map(ToOwned::to_owned),
        };
    }

    fn heading(&mut self, level: u8, words: &str) {
        self.is_code = false;
        self.text.break_block();
        self.text.heading(Some(level));
        self.words(words);
        self.text.heading(None);
        self.text.break_block();
    }

    fn begin_code(&mut self) {
        self.is_code = true;
        self.text.break_block();
    }

    fn words(&mut self, words: &str) {
        self.text.push_words(" ");
        self.text.push_words(words);
        self.text.push_words(" ");
    }
}

/// Macros of mdoc that have words of the text.
fn is_mdoc(name: &str) -> bool {
    let is_meta =
        matches!(name, "Dd" | "Os" | "Sm" | "Bk" | "Ek" | "In" | "Ns" | "Nd" | "Rs" | "Re");
    let mut bytes = name.bytes();
    let shape = (bytes.next(), bytes.next(), bytes.next());
    let is_marked = matches!(shape, (Some(b'A'..=b'Z'), Some(b'a'..=b'z'), None));
    name == "Nd" || is_marked && !is_meta
}

/// The arguments of a request; quotes hold blanks.
fn arguments(text: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (end, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                rest = quoted;
                (quoted.find('"').unwrap_or(quoted.len()), 1)
            }
            None => (rest.find(' ').unwrap_or(rest.len()), 0),
        };
        found.push(&rest[..end]);
        rest = rest.get(end + after..).unwrap_or_default().trim_start();
    }
    found
}

/// A line without escapes.
fn resolved(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = escape(&rest[at + 1..], &mut out);
    }
    out + rest
}

/// Resolves an escape after its backslash; returns what follows it.
fn escape<'l>(text: &'l str, out: &mut String) -> &'l str {
    let mut chars = text.chars();
    match chars.next() {
        Some('-') => out.push('-'),
        Some('e' | '\\') => out.push('\\'),
        Some(' ' | '~' | '0') => out.push(' '),
        // a comment
        Some('"' | '#') => return "",
        Some('(') => {
            let name = text.get(1..3).unwrap_or_default();
            out.push_str(named(name));
            return text.get(3..).unwrap_or_default();
        }
        Some('[') => {
            let (name, rest) = text[1..].split_once(']').unwrap_or((&text[1..], ""));
            out.push_str(named(name));
            return rest;
        }
        Some('f' | '*' | 's' | 'm' | 'n') => return argument(chars.as_str()),
        Some('&' | '%' | '|' | '^' | '/' | ',' | 'c' | ':' | 'd' | 'u') | None => {}
        Some(other) => out.push(other),
    }
    chars.as_str()
}

/// What follows the argument of an escape: one character, `(xx` or `[xxx]`.
fn argument(text: &str) -> &str {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text.chars().next() {
        Some('(') => text.get(3..).unwrap_or_default(),
        Some('[') => text.split_once(']').map_or("", |(_, rest)| rest),
        Some(c) => &text[c.len_utf8()..],
        None => "",
    }
}

/// Characters with names.
fn named(name: &str) -> &'static str {
    match name {
        "em" => "—",
        "en" => "–",
        "hy" | "mi" | "-" => "-",
        "bu" => "•",
        "aq" => "'",
        "dq" => "\"",
        "lq" => "“",
        "rq" => "”",
        "oq" => "‘",
        "cq" => "’",
        "co" => "©",
        "rg" => "®",
        "rs" => "\\",
        "ti" | "ha" => "~",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_man_becomes_text_with_sections() {
        let page = ".\\\" comment\n.de Sp\n.if n .sp\n..\n.TH LS 1 \"2024\"\n.SH NAME\nls \\- list \\fIfiles\\fR\n\
            .SH \"SEE ALSO\"\n.TP\n.BR \\-a \" (x )\"\nall.\n.nf\n  a\n    b\n.fi\n.SS Sub\n\\(bu one\n";
        let found = read(page.into(), "");
        assert_eq!(found.title.as_deref(), Some("LS(1)"));
        let wanted =
            "NAME\n\nls - list files\n\nSEE ALSO\n\n-a (x ) all.\n\n  a\n    b\n\nSub\n\n• one\n";
        assert_eq!(found.text, wanted);
        let headings: Vec<_> =
            found.outline.headings.iter().map(|h| (h.level, &*h.title)).collect();
        assert_eq!(headings, [(1, "NAME"), (1, "SEE ALSO"), (2, "Sub")]);
    }

    #[test]
    fn a_page_of_mdoc_keeps_marked_words() {
        let page = ".Dd May 1\n.Dt CAT 1\n.Os\n.Sh NAME\n.Nm cat\n.Nd print files\n.Sh OPTIONS\n.It Fl n\nnumber\n";
        let found = read(page.into(), "");
        assert_eq!(found.title.as_deref(), Some("CAT(1)"));
        assert_eq!(found.text, "NAME\n\ncat print files\n\nOPTIONS\n\nFl n number\n");
    }

    #[test]
    fn a_page_is_known_by_its_first_requests_and_broken_ones_do_no_harm() {
        let is = |text: &str| is(&Head { bytes: text.as_bytes(), text, name: "a.1" });
        assert!(is(".\\\" x\n.TH A 1\n") && is(".Dd 1\n.Dt A 1\n") && is(".de X\n..\n.TH A 1\n"));
        assert!(!is("text\n.TH A 1\n") && !is(".hidden\n.env\n") && !is(""));
        for text in [".", ".TH", "\\", "\\(", "\\[é", "\\f", "\\f(é", ".de X\nnever closed", "\\s+"]
        {
            read(text.into(), "");
        }
    }
}
