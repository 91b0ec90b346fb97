//! `fastlane explain`: the tokens of a query, their alpha, and the lanes.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fastlane::{Encoder as _, Lane, QueryViews, Token, UsualLane};
use fastlane_model::Model;
use serde::Serialize;

use crate::args::ExplainArgs;
use crate::bundled;
use crate::model;
use crate::printer::{Output, Printer};
use crate::table::{Align, Table, columns};

/// The most bytes of a query from standard input.
const MOST: u64 = 64 << 20;
/// The least and the most columns of a bar; with less room there are no bars.
const BAR: (usize, usize) = (8, 40);

pub(crate) fn run(args: &ExplainArgs, printer: &Printer) -> anyhow::Result<()> {
    let text = match args.text.as_str() {
        "-" => standard_input()?,
        text => text.to_owned(),
    };
    let model = model::open(&bundled::or(args.model.path.as_deref())?, &args.model)?;
    let began = Instant::now();
    let views = model.encode_query(&text)?;
    let explanation = Explanation { args, model: &model, views: &views, time: began.elapsed() };
    for words in explanation.words() {
        printer.note(&words);
    }
    match args.json {
        true => printer.json(&explanation.json(&text)),
        false => {
            let room = printer.settings().stdout_columns;
            printer.table(&explanation.table(room), Output::Table)
        }
    }
}

/// Reads standard input, without the trailing line end.
fn standard_input() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes);
    read.context("cannot read standard input")?;
    if bytes.len() as u64 > MOST {
        bail!("standard input has more than {MOST} bytes, wanted one query");
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let place = error.utf8_error().valid_up_to() + 1;
            bail!("standard input is not UTF-8 at byte {place}, wanted a text");
        }
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// The content of the report.
struct Explanation<'a> {
    args: &'a ExplainArgs,
    model: &'a Model,
    views: &'a QueryViews,
    time: Duration,
}

impl Explanation<'_> {
    /// The lanes, best first; empty without a router, or with a soft lane.
    fn lanes(&self) -> Vec<Lane<'_>> {
        match self.model.has_router() && !self.mixes() {
            true => self.views.lanes(self.args.lanes.unwrap_or(1)),
            false => Vec::new(),
        }
    }

    /// Whether the model has a soft lane.
    fn mixes(&self) -> bool {
        self.args.lanes.is_none() && self.views.usual == UsualLane::Soft
    }

    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let (most, _) = self.model.lengths();
        if self.views.cut > 0 {
            let cut = self.views.cut;
            words.push(format!(
                "warning: the text is longer than {most} tokens; its last {cut} bytes were cut"
            ));
        }
        let router = match (self.model.has_router(), self.args.lanes) {
            (true, _) if self.mixes() => "with a router that mixes all tokens into one soft lane",
            (true, _) => "with a router",
            (false, None) => "without a router: all tokens have equal weight, and none is a lane",
            (false, Some(_)) => {
                "without a router: all tokens have equal weight, none is a lane, --lanes is ignored"
            }
        };
        words.push(format!(
            "`{}`, {}, {router}",
            self.model.directory().display(),
            self.model.instructions()
        ));
        let milliseconds = self.time.as_secs_f64() * 1e3;
        words.push(format!("{} tokens encoded in {milliseconds:.1} ms", self.views.tokens.len()));
        words
    }

    /// One row per token; on a terminal, with a bar for alpha.
    fn table(&self, room: Option<usize>) -> Table {
        let column = |name: &str, align| (name.to_owned(), align);
        let mut header = vec![
            column("token", Align::Left),
            column("alpha", Align::Right),
            column("lane", Align::Left),
            column("weight", Align::Right),
        ];
        let width = room.and_then(|room| bar_width(room, self.width()));
        header.extend(width.map(|_| column("", Align::Left)));
        let (lanes, alpha) = (self.lanes(), &self.views.alpha);
        let mut table = Table::new(header);
        let most = alpha.iter().copied().fold(0.0, f32::max);
        for (token, (Token { text, .. }, &share)) in self.views.tokens.iter().zip(alpha).enumerate()
        {
            let lane = lanes.iter().find(|lane| lane.token == token);
            let weight = lane.map_or_else(String::new, |lane| format!("{:.4}", lane.weight));
            let mark = if lane.is_some() { "*" } else { "" };
            let mut row = vec![text.clone(), format!("{share:.4}"), mark.to_owned(), weight];
            row.extend(width.map(|width| bar(share / most, width)));
            table.row(row);
        }
        table
    }

    /// The width of a row without its bar, in terminal columns.
    fn width(&self) -> usize {
        let tokens = self.views.tokens.iter().map(|token| columns(&token.text));
        let token = tokens.max().unwrap_or(0).max("token".len());
        token + "0.0000".len() + "lane".len() + "0.0000".len() + 4 * "  ".len()
    }

    fn json<'a>(&'a self, text: &'a str) -> Json<'a> {
        let lanes = self.lanes();
        let token = |(place, (token, &alpha)): (usize, (&'a Token, &f32))| {
            let rank = lanes.iter().position(|lane| lane.token == place);
            JsonToken {
                text: &token.text,
                id: token.id,
                bytes: token.bytes.as_ref().map(|bytes| [bytes.start, bytes.end]),
                alpha,
                lane: rank.map(|rank| rank + 1),
                weight: rank.map(|rank| lanes[rank].weight),
            }
        };
        Json {
            text,
            cut_bytes: self.views.cut,
            model: self.model.directory(),
            instructions: self.model.instructions(),
            router: self.model.has_router(),
            milliseconds: self.time.as_secs_f64() * 1e3,
            tokens: self
                .views
                .tokens
                .iter()
                .zip(&self.views.alpha)
                .enumerate()
                .map(token)
                .collect(),
        }
    }
}

/// The width left for bars, if it is enough.
fn bar_width(room: usize, others: usize) -> Option<usize> {
    let left = room.checked_sub(others).filter(|left| *left >= BAR.0);
    left.map(|left| left.min(BAR.1))
}

/// A bar for a share, with a resolution of an eighth of a column.
fn bar(share: f32, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * 8.0 * width as f32).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[derive(Serialize)]
struct Json<'a> {
    text: &'a str,
    cut_bytes: usize,
    model: &'a Path,
    instructions: &'static str,
    router: bool,
    milliseconds: f64,
    tokens: Vec<JsonToken<'a>>,
}

#[derive(Serialize)]
struct JsonToken<'a> {
    text: &'a str,
    id: u32,
    /// Its bytes in the text; none for tokens that the encoder added.
    bytes: Option<[usize; 2]>,
    alpha: f32,
    /// Its rank among the lanes, from 1.
    lane: Option<usize>,
    /// Its weight among the lanes.
    weight: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::{bar, bar_width};

    #[test]
    fn bars_by_hand() {
        assert_eq!(bar(1.0, 4), "████");
        // 4 columns are 32 eighths, a third of them is 10.7
        assert_eq!(bar(1.0 / 3.0, 4), "█▍");
        assert_eq!(bar(0.001, 4), "");
    }

    #[test]
    fn bars_have_the_room_that_is_left() {
        let widths = [20, 37, 38, 50, 70, 200].map(|room| bar_width(room, 30));
        assert_eq!(widths, [None, None, Some(8), Some(20), Some(40), Some(40)]);
    }
}
