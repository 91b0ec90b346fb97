//! Where a block that is too long is cut first: at the ends of sentences, list items and lines of
//! code.

/// Marks that begin an item of a list, or a row of a table.
const ITEMS: [&str; 6] = ["- ", "* ", "+ ", "| ", "• ", "\u{2022}"];

/// Up to the first `.`, `!` or `?` before white space, or the first `。`, with closing marks; or up
/// to the first line end below which the text is indented or an item begins.
///
/// Looks at nothing behind the line after that place.
pub(super) fn sentence(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\n' && begins_item(&text[at + 1..]) {
            return at;
        }
        let wide = matches!(c, '。' | '！' | '？');
        if !wide && !matches!(c, '.' | '!' | '?') {
            continue;
        }
        while chars.next_if(|&(_, c)| is_closing(c)).is_some() {}
        match chars.peek() {
            Some(&(at, next)) if wide || next.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

fn begins_item(line: &str) -> bool {
    line.starts_with([' ', '\t', '}']) || ITEMS.iter().any(|mark| line.starts_with(mark))
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '*' | '_' | '»' | '”' | '’' | '」' | '』' | '）')
}
