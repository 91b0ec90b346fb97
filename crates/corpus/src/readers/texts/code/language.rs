//! Languages, and how the items of each begin.

/// Words before the word that names the kind of an item.
const MODIFIERS: [&str; 30] = [
    "pub",
    "async",
    "unsafe",
    "extern",
    "\"C\"",
    "default",
    "export",
    "declare",
    "abstract",
    "public",
    "private",
    "protected",
    "internal",
    "static",
    "final",
    "sealed",
    "open",
    "override",
    "virtual",
    "inline",
    "const",
    "constexpr",
    "partial",
    "suspend",
    "data",
    "mut",
    "readonly",
    "typedef",
    "synchronized",
    "lazy",
];

/// Words before a parenthesis that do not name a function.
const CONTROL: [&str; 12] = [
    "if", "for", "while", "switch", "catch", "return", "else", "do", "match", "with", "using",
    "sizeof",
];

/// A language.
pub(super) struct Language {
    extensions: &'static [&'static str],
    /// The programs that run it, as named after `#!`.
    programs: &'static [&'static str],
    /// How lines begin that belong to the item below.
    pub(super) above: &'static [&'static str],
    /// The words that begin items, before their names.
    items: &'static [&'static str],
    callable: Callable,
}

/// Whether a name, parentheses and a brace are a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callable {
    No,
    /// With the brace on the same line.
    Yes,
    /// Also with the brace, or more parameters, on a line of its own.
    OverLines,
}

const SLASHES: &[&str] = &["//", "*"];

static LANGUAGES: [Language; 10] = [
    Language {
        extensions: &["rs"],
        programs: &[],
        above: &["//", "#["],
        items: &["fn", "struct", "enum", "trait", "impl", "mod", "union", "macro_rules!"],
        callable: Callable::No,
    },
    Language {
        extensions: &["py", "pyi", "pyw"],
        programs: &["python"],
        above: &["#", "@"],
        items: &["def", "class"],
        callable: Callable::No,
    },
    Language {
        extensions: &["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"],
        programs: &["node", "deno"],
        above: &["//", "*", "@"],
        items: &["function", "function*", "class", "interface", "enum", "namespace"],
        callable: Callable::Yes,
    },
    Language {
        extensions: &["go"],
        programs: &[],
        above: SLASHES,
        items: &["func", "type"],
        callable: Callable::No,
    },
    Language {
        extensions: &["java", "cs", "kt", "kts", "scala", "groovy"],
        programs: &[],
        above: &["//", "*", "@", "["],
        items: &["class", "interface", "enum", "record", "object", "trait", "fun", "def"],
        callable: Callable::Yes,
    },
    Language {
        extensions: &["c", "h", "cc", "cpp", "cxx", "hpp", "hh", "hxx", "cu", "m", "mm"],
        programs: &[],
        above: SLASHES,
        // namespaces are left out: what is in them is mostly not indented
        items: &["class", "struct", "enum", "union"],
        callable: Callable::OverLines,
    },
    Language {
        extensions: &["swift"],
        programs: &[],
        above: &["//", "@"],
        items: &["func", "class", "struct", "enum", "protocol", "extension", "actor"],
        callable: Callable::No,
    },
    Language {
        extensions: &["rb"],
        programs: &["ruby"],
        above: &["#"],
        items: &["def", "class", "module"],
        callable: Callable::No,
    },
    Language {
        extensions: &["php"],
        programs: &["php"],
        above: &["//", "*", "#["],
        items: &["function", "class", "interface", "trait", "enum"],
        callable: Callable::No,
    },
    Language {
        extensions: &["sh", "bash", "zsh"],
        programs: &["sh", "bash", "zsh", "dash"],
        above: &["#"],
        items: &["function"],
        callable: Callable::Yes,
    },
];

impl Language {
    pub(super) fn of_extension(extension: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.extensions.contains(&extension))
    }

    /// The language of a line after `#!`.
    pub(super) fn of_program(line: &str) -> Option<&'static Self> {
        let words = line.split(['/', ' ', '\t']).filter(|word| !word.is_empty());
        let program = words.map(|word| word.trim_end_matches(|c: char| !c.is_alphabetic()));
        let is = |language: &&Self| program.clone().any(|name| language.programs.contains(&name));
        LANGUAGES.iter().find(is)
    }

    /// The title of the item that a line begins, given the line below.
    pub(super) fn item(&self, line: &str, next: &str) -> Option<String> {
        let bare = without_modifiers(line);
        let end = bare.find(|c: char| !is_name(c) && c != '!' && c != '*').unwrap_or(bare.len());
        let (word, rest) = bare.split_at(end);
        if self.items.contains(&word) {
            return title(word, rest).filter(|_| !self.is_declaration(line));
        }
        if self.callable == Callable::No {
            return None;
        }
        arrow(line).or_else(|| self.callable(line, next)).map(ToOwned::to_owned)
    }

    /// Whether a line of C only declares or uses a type.
    fn is_declaration(&self, line: &str) -> bool {
        let is_used = line.contains('(') || line.contains('=');
        self.callable == Callable::OverLines && (line.ends_with(';') || is_used)
    }

    /// The name of the function that a line defines.
    fn callable<'l>(&self, line: &'l str, next: &str) -> Option<&'l str> {
        let opens = line.ends_with('{');
        let goes_on = (line.ends_with(')') && next.starts_with('{'))
            || (line.ends_with(',') && !next.ends_with(';'));
        let continues = self.callable == Callable::OverLines && goes_on;
        if !opens && !continues {
            return None;
        }
        let before = line[..line.find('(')?].trim_end();
        let start = before.rfind(|c: char| !is_name(c) && !matches!(c, ':' | '~'));
        let name = &before[start.map_or(0, |at| at + 1)..];
        let is_assigned = before.contains(['=', '.', ',', '"', '\'']);
        let first = before.split_whitespace().next().unwrap_or_default();
        let is_control = CONTROL.contains(&first) || CONTROL.contains(&name);
        let is_named =
            name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '~' | '$'));
        (is_named && !is_assigned && !is_control && first != "new").then_some(name)
    }
}

/// The name of a function that is assigned: `const f = (x) => {`.
fn arrow(line: &str) -> Option<&str> {
    let is_function = line.contains("=>") || line.contains("= function");
    let bare = without_modifiers(line);
    let bare = bare.strip_prefix("let ").or(bare.strip_prefix("var ")).unwrap_or(bare);
    let (name, _) = bare.split_once(" = ").filter(|_| is_function && line.ends_with('{'))?;
    (line.contains("const ") || line.contains("let ") || line.contains("var "))
        .then_some(name)
        .filter(|name| !name.is_empty() && name.chars().all(is_name))
}

fn without_modifiers(line: &str) -> &str {
    let mut rest = line;
    while let Some((word, after)) = rest.split_once(' ') {
        let scope = word.starts_with("pub(") && word.ends_with(')');
        if !MODIFIERS.contains(&word) && !scope {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// The kind and the name of an item; the whole head of an `impl`.
fn title(word: &str, rest: &str) -> Option<String> {
    if word == "impl" || word == "extension" {
        let head = rest.split('{').next().unwrap_or_default();
        let head = head.split(" where").next().unwrap_or_default().trim_end();
        return (!head.trim().is_empty()).then(|| format!("{word}{head}"));
    }
    let rest = rest.trim_start();
    // the receiver of a method in Go
    let receiver = rest.strip_prefix('(').and_then(|inner| inner.find(')')).map_or(0, |at| at + 2);
    let (receiver, name) = rest.split_at_checked(receiver)?;
    let name = name.trim_start();
    let end = name.find(|c: char| !is_name(c) && !matches!(c, '.' | ':')).unwrap_or(name.len());
    let name = name[..end].trim_end_matches(':');
    (!name.is_empty()).then(|| match receiver {
        "" => format!("{word} {name}"),
        _ => format!("{word} {receiver} {name}"),
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}
