//! The page around the plots.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plot::{bars, escape, lines};
use super::series::Series;
use super::{ReportData, SampleQuery};

/// How many positions and tokens are shown.
const BARS: usize = 16;

pub(super) fn page(data: &ReportData) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>FastLane run</title>\
         <style>{}</style><h1>FastLane run</h1>",
        include_str!("style.css")
    );
    page.push_str(&summary(data));
    page.push_str(&signs(data));
    let _ = write!(page, "<h2>Learning</h2><div class=\"plots\">{}</div>", learning(data));
    if !data.positions.is_empty() {
        let _ = write!(page, "<h2>Router</h2><div class=\"plots\">{}</div>", router(data));
    }
    if !data.examples.is_empty() {
        page.push_str("<h2>Queries, and how much of the intent each token carries</h2>");
        data.examples.iter().for_each(|it| page.push_str(&query(it)));
    }
    let _ = writeln!(page, "<h2>Run file</h2><pre>{}</pre></html>", escape(&data.run));
    page
}

fn summary(data: &ReportData) -> String {
    let Some((step, loss)) = data.series.get("loss").and_then(Series::last) else {
        return "<p>No step was made yet.</p>".to_owned();
    };
    let mut text = format!("<p>{step:.0} steps, the last with a loss of {loss:.4}.");
    for (name, points) in &data.measures {
        let best = points.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
        if let Some((step, value)) = best {
            let _ = write!(text, " Best {} {value:.4} at step {step:.0}.", escape(name));
        }
    }
    text + "</p>"
}

fn signs(data: &ReportData) -> String {
    if data.signs.is_empty() {
        return "<p>None of the four failure signs was seen.</p>".to_owned();
    }
    let item = |(step, words): &(u64, String)| format!("<li>step {step}: {}</li>", escape(words));
    format!("<ul class=\"signs\">{}</ul>", data.signs.iter().map(item).collect::<String>())
}

fn learning(data: &ReportData) -> String {
    let get = |name: &str| data.series.get(name).map_or(&[][..], Series::points);
    let terms: Vec<(&str, &[(f64, f64)])> = data
        .series
        .iter()
        .filter_map(|(name, points)| Some((name.strip_prefix("term ")?, points.points())))
        .collect();
    let measures: Vec<(&str, &[(f64, f64)])> = data
        .measures
        .iter()
        .filter(|(name, _)| name.contains("nDCG"))
        .map(|(name, points)| (name.as_str(), points.as_slice()))
        .collect();
    let mut schedules = vec![("rate", get("rate"))];
    if !get("tau").is_empty() {
        schedules.push(("tau", get("tau")));
    }
    [
        lines("loss", &[("loss", get("loss"))]),
        lines("terms", &terms),
        lines("dev sets", &measures),
        lines("length of the gradient", &[("gradient", get("gradient"))]),
        lines("schedules", &schedules),
        lines("tokens a second", &[("tokens/s", get("tokens_per_second"))]),
    ]
    .concat()
}

fn router(data: &ReportData) -> String {
    let entropy = data.series.get("entropy").map_or(&[][..], Series::points);
    let position = |position: u64| format!("position {position}");
    let token = |token: u64| {
        data.spellings.get(&token).cloned().unwrap_or_else(|| format!("token {token}"))
    };
    [
        lines("entropy of alpha (1 is even)", &[("entropy", entropy)]),
        bars("positions that win", &most(&data.positions, position)),
        bars("tokens that win", &most(&data.tokens, token)),
    ]
    .concat()
}

/// The most frequent ones by name, and the others together.
fn most(counts: &BTreeMap<u64, usize>, name: impl Fn(u64) -> String) -> Vec<(String, usize)> {
    let mut order: Vec<(u64, usize)> = counts.iter().map(|(&it, &count)| (it, count)).collect();
    order.sort_by_key(|&(it, count)| (std::cmp::Reverse(count), it));
    let others: usize = order.iter().skip(BARS).map(|&(_, count)| count).sum();
    let mut bars: Vec<(String, usize)> =
        order.into_iter().take(BARS).map(|(it, count)| (name(it), count)).collect();
    if others > 0 {
        bars.push(("others".to_owned(), others));
    }
    bars
}

fn query(query: &SampleQuery) -> String {
    let best = query.tokens.iter().map(|(_, share)| *share).fold(0.0, f32::max);
    let token = |(text, share): &(String, f32)| {
        let class = if *share == best { "token best" } else { "token" };
        let percent = 100.0 * share;
        format!(
            "<span class=\"{class}\" style=\"--share:{share:.3}\" title=\"{percent:.1} %\">{}</span> ",
            escape(text)
        )
    };
    format!("<p class=\"query\">{}</p>", query.tokens.iter().map(token).collect::<String>())
}
