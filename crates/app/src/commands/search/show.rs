//! Prints results, for a terminal or for a pipe.

use fastlane::{Collection, Hit, LaneKind, Passage, SearchResult, Stats, Times};

use crate::printer::{Output, Printer};
use crate::table::{Align, Table, columns};

/// Placeholders for the start and the end of the matching token while lines are wrapped.
const WON: [char; 2] = ['\u{e000}', '\u{e001}'];
/// Columns before a passage.
const INDENT: usize = 4;

/// Prints the hits and how they were found.
pub(crate) fn found(
    answer: &SearchResult,
    explain: bool,
    collection: &Collection,
    printer: &Printer,
) -> anyhow::Result<()> {
    let settings = printer.settings();
    if explain {
        printer.table(&tokens(answer), Output::Table)?;
    }
    match settings.stdout_columns {
        None => printer.table(&lines(answer), Output::Table)?,
        Some(room) => {
            let blocks = answer.hits.iter().map(|hit| block(hit, room, settings.styled));
            printer.text(&blocks.collect::<String>())?;
        }
    }
    if explain {
        printer.table(&matches(answer), Output::Table)?;
    }
    for words in words(answer, collection) {
        printer.note(&words);
    }
    Ok(())
}

/// A line on how the results were found.
fn words(answer: &SearchResult, collection: &Collection) -> Vec<String> {
    let mut all = Vec::new();
    if answer.cut > 0 {
        all.push(format!("warning: the query is too long: its last {} bytes were cut", answer.cut));
    }
    let Times { encode, route, probe, rerank, words, show } = answer.times;
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let total = milliseconds(answer.times.total());
    let stages = [
        ("encode", encode),
        ("route", route),
        ("probe", probe),
        ("rerank", rerank),
        ("words", words),
        ("show", show),
    ];
    let stages = stages.iter().filter(|(_, time)| !time.is_zero());
    let stage = |(name, time): &(&str, _)| format!("{name} {:.2}", milliseconds(*time));
    let stages: Vec<String> = stages.map(stage).collect();
    let (hits, among) = (answer.hits.len(), counted(&collection.stats()));
    let lane = lane(answer);
    all.push(format!("{hits} of {among} {lane} in {total:.1} ms: {}", stages.join(", ")));
    all
}

/// How many passages and documents there are; passages alone if they are the same.
pub(crate) fn counted(stats: &Stats) -> String {
    match (stats.documents, stats.passages) {
        (documents, passages) if documents == passages => format!("{documents} documents"),
        (documents, passages) => format!("{passages} passages of {documents} documents"),
    }
}

fn lane(answer: &SearchResult) -> String {
    let best = answer.tokens.iter().max_by(|a, b| a.alpha.total_cmp(&b.alpha));
    let best = best.map_or("", |token| token.token.as_str());
    match answer.lane {
        LaneKind::Soft => format!("by the soft lane, most of which is `{best}`,"),
        LaneKind::All => "by all tokens".to_owned(),
        LaneKind::Hard => {
            let lanes = answer.tokens.iter().filter(|token| token.lane);
            let lanes: Vec<String> = lanes.map(|token| format!("`{}`", token.token)).collect();
            format!("by {}", lanes.join(", "))
        }
    }
}

/// A hit for a pipe: one line.
fn lines(answer: &SearchResult) -> Table {
    let column = |name: &str, align| (name.to_owned(), align);
    let mut table = Table::new(vec![
        column("rank", Align::Right),
        column("score", Align::Right),
        column("id", Align::Left),
        column("title", Align::Left),
        column("passage", Align::Left),
    ]);
    for hit in &answer.hits {
        let passage: String = hit.snippet.iter().map(|piece| piece.text.as_str()).collect();
        let passage = passage.split_whitespace().collect::<Vec<_>>().join(" ");
        let (rank, score) = (hit.rank.to_string(), format!("{:.4}", hit.score));
        table.row(vec![rank, score, hit.document.id.clone(), hit.document.title.clone(), passage]);
    }
    table
}

/// A hit for a terminal.
fn block(hit: &Hit, room: usize, styled: bool) -> String {
    let (id, title) = (&hit.document.id, &hit.document.title);
    let gap = if title.is_empty() { "" } else { "  " };
    let place = place(&hit.passage);
    let head = format!("{:>2}  {:.3}  {id}{place}{gap}{title}", hit.rank, hit.score);
    let head = head.replace(char::is_control, "�");
    let head = if styled { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head };
    let mut text = String::new();
    for piece in &hit.snippet {
        let clean = piece.text.replace(WON, "").replace(char::is_whitespace, " ");
        let clean = clean.replace(char::is_control, "�");
        match piece.won {
            true => text.extend([WON[0].to_string(), clean, WON[1].to_string()]),
            false => text += &clean,
        }
    }
    let marks = if styled { ["\u{1b}[1;7m", "\u{1b}[0m"] } else { ["[", "]"] };
    let lines = wrapped(&text, room.saturating_sub(INDENT).max(20));
    let lines = lines.iter().map(|line| {
        let line = line.replace(WON[0], marks[0]).replace(WON[1], marks[1]);
        format!("{}{line}\n", " ".repeat(INDENT))
    });
    format!("{head}\n{}", lines.collect::<String>())
}

/// Which part of its document a passage is.
fn place(passage: &Passage) -> String {
    let Passage { number, of, page, headings, .. } = passage;
    let mut place = String::new();
    if *of > 1 {
        place += &format!("  {number}/{of}");
    }
    if let Some(page) = page {
        place += &format!("  page {page}");
    }
    if !headings.is_empty() {
        place += &format!("  {}", headings.join(" > "));
    }
    place
}

/// Wraps a text at spaces to lines of a width.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if line.is_empty() {
            line.push_str(word);
        } else if columns(&line) + 1 + columns(word) > room {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        } else {
            line.extend([" ", word]);
        }
    }
    lines.push(line);
    lines
}

/// The alpha of each query token.
fn tokens(answer: &SearchResult) -> Table {
    let column = |name: &str, align| (name.to_owned(), align);
    let mut table = Table::new(vec![
        column("token", Align::Left),
        column("alpha", Align::Right),
        column("lane", Align::Left),
    ]);
    for token in &answer.tokens {
        let lane = if token.lane { "*" } else { "" };
        table.row(vec![token.token.clone(), format!("{:.4}", token.alpha), lane.to_owned()]);
    }
    table
}

/// The document token that matches each query token.
fn matches(answer: &SearchResult) -> Table {
    let column = |name: &str, align| (name.to_owned(), align);
    let mut table = Table::new(vec![
        column("rank", Align::Right),
        column("query", Align::Left),
        column("document", Align::Left),
        column("product", Align::Right),
    ]);
    for hit in &answer.hits {
        for it in &hit.matches {
            let query = answer.tokens.get(it.query).map_or("", |token| token.token.as_str());
            let product = format!("{:.4}", it.product);
            table.row(vec![hit.rank.to_string(), query.to_owned(), it.token.clone(), product]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlane::{Document, SnippetPiece};

    #[test]
    fn a_hit_for_people() {
        let piece = |text: &str, won| SnippetPiece { text: text.to_owned(), answers: None, won };
        let snippet = vec![piece("the old\nkeeper lights the ", false), piece("lamp", true)];
        let (id, title) = ("a\u{1b}b".to_owned(), "Lamps".to_owned());
        let document = Document { id, title, ..Document::default() };
        let hit = Hit { rank: 3, score: 1.25, document, snippet, ..Hit::default() };
        let wanted = " 3  1.250  a�b  Lamps\n    the old keeper\n    lights the [lamp]\n";
        assert_eq!(block(&hit, 24, false), wanted);
        assert!(block(&hit, 24, true).contains("\u{1b}[1;7mlamp\u{1b}[0m"));
    }
}
