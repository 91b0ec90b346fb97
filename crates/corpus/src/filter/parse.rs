//! Parses filters, with the exact position of errors.
//!
//! A recursive descent over the characters, without a token list: what a dot or a digit means
//! depends on whether a key or a value is wanted. Nesting ends at 64 levels, so that no filter can
//! exhaust the stack.

use std::str::FromStr;

use super::{Filter, LONGEST_PATH, LONGEST_TEXT, Literal, Node, Order, Test};
use super::{spelled_boolean, spelled_number};

const DEEPEST: usize = 64;
const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "exists"];

/// Why a text is not a filter; positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// An unexpected token.
    #[error("filter, character {position}: wanted {wanted}, found {found}")]
    Unexpected {
        /// Where.
        position: usize,
        /// What the grammar expects there.
        wanted: &'static str,
        /// What was found there.
        found: String,
    },
    /// A key or a string exceeds the length that an index can look up.
    #[error("filter, character {position}: wanted at most {limit} bytes, found {found}")]
    TooLong {
        /// Where it begins.
        position: usize,
        /// Its bytes.
        found: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Parentheses and `not` are nested too deep.
    #[error("filter, character {position}: wanted at most {limit} levels of nesting, found more")]
    TooDeep {
        /// Where the level too many begins.
        position: usize,
        /// The most that is allowed.
        limit: usize,
    },
}

impl FilterError {
    /// The first character that cannot be parsed, counted from 1.
    pub fn position(&self) -> usize {
        match self {
            Self::Unexpected { position, .. }
            | Self::TooLong { position, .. }
            | Self::TooDeep { position, .. } => *position,
        }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let node = parser.any_of()?;
        if parser.peek().is_some() {
            return Err(parser.unexpected("`and`, `or` or the end"));
        }
        Ok(Filter(node))
    }
}

pub(super) fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !"(),\"'=!<>\\".contains(c)
}

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any_of(&mut self) -> Result<Node, FilterError> {
        self.chain("or", Self::all_of, Node::Or)
    }

    fn all_of(&mut self) -> Result<Node, FilterError> {
        self.chain("and", Self::one, Node::And)
    }

    fn chain(
        &mut self,
        keyword: &str,
        part: fn(&mut Self) -> Result<Node, FilterError>,
        join: fn(Vec<Node>) -> Node,
    ) -> Result<Node, FilterError> {
        let first = part(self)?;
        let mut nodes = vec![first];
        while self.take_keyword(keyword) {
            nodes.push(part(self)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) })
    }

    fn one(&mut self) -> Result<Node, FilterError> {
        if self.depth == DEEPEST {
            self.skip_space();
            return Err(FilterError::TooDeep { position: self.position(self.at), limit: DEEPEST });
        }
        self.depth += 1;
        let node = self.one_at_depth();
        self.depth -= 1;
        node
    }

    fn one_at_depth(&mut self) -> Result<Node, FilterError> {
        if self.take("(") {
            let inner = self.any_of()?;
            self.expect(")", "`and`, `or` or `)`")?;
            return Ok(inner);
        }
        if self.take_keyword("not") {
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        if self.take_keyword("exists") {
            return Ok(Node::Test { path: self.path()?, test: Test::Exists });
        }
        let path = self.path()?;
        self.test(path)
    }

    fn test(&mut self, path: Vec<String>) -> Result<Node, FilterError> {
        if self.take_keyword("not") {
            if !self.take_keyword("in") {
                return Err(self.unexpected("`in`"));
            }
            let test = Test::In(self.list()?);
            return Ok(Node::Not(Box::new(Node::Test { path, test })));
        }
        let test = if self.take_keyword("in") { Test::In(self.list()?) } else { self.compared()? };
        Ok(Node::Test { path, test })
    }

    fn compared(&mut self) -> Result<Test, FilterError> {
        if self.take("!=") {
            return Ok(Test::NotEqual(self.literal()?));
        }
        if self.take("=") {
            return Ok(Test::Equal(self.literal()?));
        }
        let order = self
            .order()
            .ok_or_else(|| self.unexpected("`=`, `!=`, `<`, `<=`, `>`, `>=`, `in` or `not in`"))?;
        self.skip_space();
        let start = self.at;
        match self.literal()? {
            Literal::Boolean(_) => {
                self.at = start;
                Err(self.unexpected("a number or a string, which have an order"))
            }
            literal => Ok(Test::Order(order, literal)),
        }
    }

    fn order(&mut self) -> Option<Order> {
        let signs = [
            ("<=", Order::LessOrEqual),
            (">=", Order::GreaterOrEqual),
            ("<", Order::Less),
            (">", Order::Greater),
        ];
        signs.into_iter().find(|(sign, _)| self.take(sign)).map(|(_, order)| order)
    }

    fn list(&mut self) -> Result<Vec<Literal>, FilterError> {
        self.expect("(", "`(`")?;
        let mut literals = vec![self.literal()?];
        while self.take(",") {
            literals.push(self.literal()?);
        }
        self.expect(")", "`,` or `)`")?;
        Ok(literals)
    }

    fn literal(&mut self) -> Result<Literal, FilterError> {
        self.skip_space();
        let start = self.at;
        if let Some(quoted) = self.quoted()? {
            return self.bounded(quoted, start).map(Literal::Text);
        }
        let word = self.word(is_bare);
        if word.is_empty() || is_keyword(word) {
            return Err(self.unexpected("a value"));
        }
        if let Some(literal) = spelled(word) {
            self.at += word.len();
            return Ok(literal);
        }
        // `.5`, `+5`, `007`: a number to people, a string to JSON
        if word.parse::<f64>().is_ok() && word.contains(|c: char| c.is_ascii_digit()) {
            return Err(self.unexpected("a number such as 0.5, or quotes around it"));
        }
        self.at += word.len();
        self.bounded(word.to_owned(), start).map(Literal::Text)
    }

    fn path(&mut self) -> Result<Vec<String>, FilterError> {
        self.skip_space();
        let start = self.at;
        if is_keyword(self.word(is_bare)) {
            return Err(self.unexpected("a key"));
        }
        let mut path = vec![self.key()?];
        while self.rest().starts_with('.') {
            self.at += 1;
            path.push(self.key()?);
        }
        match path.iter().map(|key| key.len() + 1).sum() {
            0..=LONGEST_PATH => Ok(path),
            found => Err(self.too_long(start, found, LONGEST_PATH)),
        }
    }

    fn key(&mut self) -> Result<String, FilterError> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let word = self.word(|c| is_bare(c) && c != '.');
        if word.is_empty() {
            return Err(self.unexpected("a key"));
        }
        self.at += word.len();
        Ok(word.to_owned())
    }

    fn quoted(&mut self) -> Result<Option<String>, FilterError> {
        let Some(quote @ ('"' | '\'')) = self.rest().chars().next() else { return Ok(None) };
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.next_char() {
                Some('\\') => text.push(self.escaped()?),
                Some(c) if c == quote => return Ok(Some(text)),
                Some(c) => text.push(c),
                None => return Err(self.unexpected("the closing quote")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, FilterError> {
        match self.rest().chars().next() {
            Some(c @ ('\\' | '"' | '\'')) => {
                self.at += 1;
                Ok(c)
            }
            _ => Err(self.unexpected("a quote or a backslash after the backslash")),
        }
    }

    fn bounded(&self, text: String, start: usize) -> Result<String, FilterError> {
        match text.len() {
            0..=LONGEST_TEXT => Ok(text),
            found => Err(self.too_long(start, found, LONGEST_TEXT)),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next_char(&mut self) -> Option<char> {
        let next = self.rest().chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    /// The longest run ahead of characters that belong, not taken yet.
    fn word(&self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
    }

    fn take(&mut self, sign: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        self.skip_space();
        let found = self.word(is_bare).eq_ignore_ascii_case(keyword);
        self.at += if found { keyword.len() } else { 0 };
        found
    }

    fn expect(&mut self, sign: &str, wanted: &'static str) -> Result<(), FilterError> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    /// The character that starts at a byte, counted from 1.
    fn position(&self, at: usize) -> usize {
        self.text[..at].chars().count() + 1
    }

    fn too_long(&self, start: usize, found: usize, limit: usize) -> FilterError {
        FilterError::TooLong { position: self.position(start), found, limit }
    }

    fn unexpected(&mut self, wanted: &'static str) -> FilterError {
        let next = self.peek();
        let position = self.position(self.at);
        let found = match (self.word(is_bare), next) {
            (_, None) => "the end".to_owned(),
            ("", Some(sign)) => format!("`{}`", sign.escape_debug()),
            (word, _) => format!("`{}`", word.chars().take(40).collect::<String>()),
        };
        FilterError::Unexpected { position, wanted, found }
    }
}

fn spelled(word: &str) -> Option<Literal> {
    spelled_boolean(word)
        .map(Literal::Boolean)
        .or_else(|| spelled_number(word).map(Literal::Number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<Filter>().unwrap_err().to_string()
    }

    #[test]
    fn errors_say_where_what_was_found_and_what_was_wanted() {
        let wrong = [
            "lang",
            "",
            "lang == en",
            "lang = en year > 2020",
            "lang = and",
            "lang = en and",
            "(lang = en",
            "tag in ()",
            "tag in (a b)",
            "tag not (a)",
            "größe.. = 1",
            "not = 1",
            "open > true",
            "zip = 007",
            "a = \"x",
            r#"a = "\n""#,
            "a = 1)",
        ];
        let said: Vec<String> =
            wrong.iter().map(|text| format!("{text:22} {}", error(text))).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        lang                   filter, character 5: wanted `=`, `!=`, `<`, `<=`, `>`, `>=`, `in` or `not in`, found the end
                               filter, character 1: wanted a key, found the end
        lang == en             filter, character 7: wanted a value, found `=`
        lang = en year > 2020  filter, character 11: wanted `and`, `or` or the end, found `year`
        lang = and             filter, character 8: wanted a value, found `and`
        lang = en and          filter, character 14: wanted a key, found the end
        (lang = en             filter, character 11: wanted `and`, `or` or `)`, found the end
        tag in ()              filter, character 9: wanted a value, found `)`
        tag in (a b)           filter, character 11: wanted `,` or `)`, found `b`
        tag not (a)            filter, character 9: wanted `in`, found `(`
        größe.. = 1            filter, character 7: wanted a key, found `.`
        not = 1                filter, character 5: wanted a key, found `=`
        open > true            filter, character 8: wanted a number or a string, which have an order, found `true`
        zip = 007              filter, character 7: wanted a number such as 0.5, or quotes around it, found `007`
        a = "x                 filter, character 7: wanted the closing quote, found the end
        a = "\n"               filter, character 7: wanted a quote or a backslash after the backslash, found `n`
        a = 1)                 filter, character 6: wanted `and`, `or` or the end, found `)`
        "#);
    }

    #[test]
    fn nesting_and_lengths_are_bounded() {
        insta::assert_snapshot!(error(&"(".repeat(100_000)), @"filter, character 65: wanted at most 64 levels of nesting, found more");
        insta::assert_snapshot!(error(&"not ".repeat(100_000)), @"filter, character 257: wanted at most 64 levels of nesting, found more");
        insta::assert_snapshot!(error(&format!("a = {}", "x".repeat(1001))), @"filter, character 5: wanted at most 1000 bytes, found 1001");
        insta::assert_snapshot!(error(&format!("{} = 1", "a.".repeat(600) + "a")), @"filter, character 1: wanted at most 1000 bytes, found 1202");
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tighter_than_both() {
        let shown = |text: &str| text.parse::<Filter>().unwrap().to_string();
        assert_eq!(shown("a=1 or b=2 AND NOT c=3"), "a = 1 or b = 2 and not c = 3");
        assert_eq!(shown("(a=1 or b=2) and c=3"), "(a = 1 or b = 2) and c = 3");
        assert_eq!(shown("not (a=1 and b=2)"), "not (a = 1 and b = 2)");
        assert_eq!(shown("((a=x))"), r#"a = "x""#);
    }
}
