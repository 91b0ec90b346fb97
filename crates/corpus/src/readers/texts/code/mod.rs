//! Source code: its functions and classes are headings, such as `impl Foo` and below it `fn bar`.
//!
//! Items are known by the first words of their lines, and where they end by indentation, as
//! formatters and people write code. So a language is a row of a table, and a file is read once, line
//! by line. Doc comments, attributes and decorators above an item belong to it.
//!
//! Road not taken: tree-sitter. Its grammars of eight languages took 122 s of processor time to
//! compile in a release build and 10 MB in the binary, and a wrong guess costs only a poorer heading
//! here.

mod language;

use super::kind::{Head, Kind, Reader, Text, extension};
use crate::outline::{Heading, Outline};
use language::Language;

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

/// The deepest nesting of items.
const DEEPEST: usize = 64;

fn is(head: &Head<'_>) -> bool {
    language(head.name, head.text).is_some()
}

/// The language of a file, from its extension or the program that is to run it.
fn language(name: &str, text: &str) -> Option<&'static Language> {
    match extension(name) {
        Some(extension) => Language::of_extension(extension),
        None => text.strip_prefix("#!").and_then(|rest| Language::of_program(rest.lines().next()?)),
    }
}

fn read(text: String, name: &str) -> Text {
    let Some(language) = language(name, &text) else { return Text { text, ..Text::default() } };
    let mut items = Items::new(language);
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        items.take(line, lines.peek().copied().unwrap_or_default());
    }
    let outline = Outline { headings: items.headings, ..Outline::default() };
    Text { title: None, outline, text }
}

/// Finds items line by line.
struct Items {
    language: &'static Language,
    at: usize,
    /// Where the comments and attributes begin that belong to the next line.
    above: Option<usize>,
    /// Whether the line is in a comment of several lines.
    in_comment: bool,
    /// The indentations of the items that are open.
    open: Vec<usize>,
    headings: Vec<Heading>,
}

impl Items {
    fn new(language: &'static Language) -> Self {
        let (open, headings) = (Vec::new(), Vec::new());
        Self { language, at: 0, above: None, in_comment: false, open, headings }
    }

    fn take(&mut self, line: &str, next: &str) {
        let at = self.at;
        self.at += line.len();
        let text = line.trim();
        if text.is_empty() {
            self.above = None;
        } else if self.is_above(text) {
            self.above.get_or_insert(at);
        } else {
            let indent = line.len() - line.trim_start().len();
            let start = self.above.take().unwrap_or(at);
            self.take_code(start, indent, text, next.trim());
        }
    }

    /// Whether a line is a comment or an attribute.
    fn is_above(&mut self, line: &str) -> bool {
        if self.in_comment || line.starts_with("/*") {
            self.in_comment = !line.contains("*/");
            return true;
        }
        self.language.above.iter().any(|mark| line.starts_with(mark))
    }

    fn take_code(&mut self, start: usize, indent: usize, line: &str, next: &str) {
        if let Some(title) = self.language.item(line, next) {
            self.end(indent);
            if self.open.len() < DEEPEST {
                self.open.push(indent);
                self.push(start, title);
            }
        } else if !goes_on(line) && self.end(indent) {
            // code that is not in any item that has been open
            self.open.push(indent);
            self.push(start, String::new());
            self.open.pop();
        }
    }

    /// Ends all items that are not around code of this indentation; returns whether there were any.
    fn end(&mut self, indent: usize) -> bool {
        let before = self.open.len();
        while self.open.pop_if(|open| *open >= indent).is_some() {}
        self.open.len() < before
    }

    fn push(&mut self, at: usize, title: String) {
        let level = u8::try_from(self.open.len()).unwrap_or(u8::MAX);
        self.headings.push(Heading { at, level, title });
    }
}

/// Whether a line goes on with the item above it, though it is not indented below it: brackets,
/// conditions of types, labels, the branches of a preprocessor.
fn goes_on(line: &str) -> bool {
    let is_label = line.ends_with(':') && !line.contains(char::is_whitespace);
    is_label || line.starts_with(['{', '}', ')', ']', '#', ':']) || line.starts_with("where")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path of headings of each line that contains `here`.
    fn paths(name: &str, text: &str) -> Vec<String> {
        let found = read(text.into(), name);
        let places = found.text.match_indices("here").map(|(at, _)| at);
        places.map(|at| found.outline.path_at(at).join(" > ")).collect()
    }

    #[test]
    fn rust_has_paths_of_items() {
        let text = "//! here\nuse a;\n\n/// here: it moves.\n#[derive(Debug)]\npub struct Foo<T> {\n    a: T, // here\n}\n\n\
            impl<T: Copy> Foo<T> {\n    /// here\n    pub(crate) async fn bar(\n        &self,\n    ) -> u8\n    where\n        T: X,\n\
            {\n        here()\n    }\n\n    const X: u8 = 1; // here\n}\n\nstatic HERE: u8 = 1; // here\n\nmacro_rules! m {\n    here\n}\n";
        let wanted = [
            "",
            "struct Foo",
            "struct Foo",
            "impl<T: Copy> Foo<T> > fn bar",
            "impl<T: Copy> Foo<T> > fn bar",
            "impl<T: Copy> Foo<T> > fn bar",
            "impl<T: Copy> Foo<T>",
            "",
            "macro_rules! m",
        ];
        assert_eq!(paths("a.rs", text), wanted);
    }

    #[test]
    fn python_is_read_by_indentation() {
        let text = "import a\n# here\n@cached\nclass Foo(Base):\n    x = 1 # here\n    async def bar(self):\n        here\n\n\
            \x20   here = 1\n\ndef main():\n    here()\n\nif x:\n    here\n";
        let wanted = ["class Foo", "class Foo", "class Foo > def bar", "class Foo", "def main", ""];
        assert_eq!(paths("a.py", text), wanted);
        assert_eq!(paths("run", "#!/usr/bin/env python3\ndef a():\n    here\n"), ["def a"]);
    }

    #[test]
    fn languages_with_braces_are_read() {
        let script = "export default class A extends B {\n  static async run(x) {\n    if (x) {\n      here\n    }\n  }\n}\n\
            export const f = async (x) => {\n  here\n}\nfunction g() {\n  here\n}\n";
        assert_eq!(paths("a.ts", script), ["class A > run", "f", "function g"]);
        let go = "package a\n\ntype T struct {\n\there int\n}\n\nfunc (t *T) Run(x int) {\n\there()\n}\n";
        assert_eq!(paths("a.go", go), ["type T", "func (t *T) Run"]);
        let java = "/** here */\npublic final class A<T> {\n    @Override\n    public String run(int x) throws E {\n        return here(x);\n    }\n}\n";
        assert_eq!(paths("A.java", java), ["class A", "class A > run"]);
        let c = "#include <a.h>\nint x = f(1); /* here */\n\nstatic int\nrun(int a,\n    int b)\n{\n    here();\nout:\n    return here;\n}\n\nstruct s {\n    int here;\n};\n";
        assert_eq!(paths("a.c", c), ["", "run", "run", "struct s"]);
        let cpp = "namespace n {\nclass A : public B {\n  void f() {\n    here;\n  }\n};\n}\nvoid A::g(int x) {\n  here;\n}\n";
        assert_eq!(paths("a.cc", cpp), ["class A > f", "A::g"]);
    }

    #[test]
    fn odd_and_deep_code_does_no_harm() {
        assert!(paths("a.rs", "}}}}\nfn\nimpl\nfn (\npub(\n").is_empty());
        let deep: String =
            (0..500).map(|depth| format!("{}fn a() {{\n", " ".repeat(depth))).collect();
        assert_eq!(read(deep, "a.rs").outline.headings.len(), DEEPEST);
    }
}
