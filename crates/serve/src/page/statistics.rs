//! The statistics of an index, with the meaning of each figure.

use fastlane::Stats;
use maud::{Markup, html};

use super::format::{bytes, grouped};
use super::{Frame, links};

/// Characters of a fingerprint that tell models apart at a glance: `f1-`, and 8 digits.
const DIGITS: usize = 11;

/// A figure: its name, value, unit and meaning.
struct Row {
    name: &'static str,
    value: String,
    unit: Option<String>,
    means: &'static str,
}

pub(super) fn inside(frame: &Frame<'_>, figures: &Stats) -> Markup {
    let index = &frame.params.index;
    let others: Vec<&String> = frame.indexes.iter().filter(|name| *name != index).collect();
    html! {
        h1 { (index) }
        p.lead {
            "What this index consists of, as " code { "fastlane stat" } " prints it. "
            a href=(links::home(frame)) { "Search it" } "."
        }
        table.stats {
            thead {
                tr { @for name in ["What", "How much", "Meaning"] { th scope="col" { (name) } } }
            }
            tbody { @for row in rows(figures) { (line(&row)) } }
        }
        @if !others.is_empty() {
            nav.others aria-label="Other indexes" {
                "Other indexes: "
                @for (at, name) in others.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href=(links::statistics(name)) { (name) }
                }
                "."
            }
        }
    }
}

fn line(row: &Row) -> Markup {
    html! {
        tr {
            th scope="row" { (row.name) }
            td.value { (row.value) @if let Some(unit) = &row.unit { " " span { (unit) } } }
            td { (row.means) }
        }
    }
}

fn rows(figures: &Stats) -> Vec<Row> {
    let row = |name, value, means| Row { name, value, unit: None, means };
    let views = &figures.views;
    let mut rows = vec![
        row(
            "Documents",
            grouped(figures.documents),
            "Passages that can be found, each with an id, a text and its fields.",
        ),
        row(
            "Deleted",
            grouped(views.deleted),
            "Documents that are no longer found; compacting frees their bytes.",
        ),
    ];
    rows.extend(of_views(figures));
    rows.extend([
        row(
            "Size of views",
            bytes(views.bytes),
            "All files of this generation that hold views and their lists.",
        ),
        row(
            "Lists",
            grouped(views.lists as u64),
            "Groups of similar views; a lookup goes through the nearest few instead of all.",
        ),
        row(
            "Segments",
            grouped(views.segments as u64),
            "Parts that were written at different times and are searched together.",
        ),
        row(
            "Generation",
            grouped(views.generation),
            "Counts the commits; a search sees one generation from its beginning to its end.",
        ),
        row(
            "Store",
            figures.store.name().to_owned(),
            "How the numbers of views are kept: f16 as halves, 8bit and 4bit in less.",
        ),
        model(figures),
    ]);
    rows
}

fn of_views(figures: &Stats) -> Vec<Row> {
    let (views, dims) = (&figures.views, figures.dims);
    let times = |dim: usize| Some(format!("× {dim}"));
    let mut rows = vec![Row {
        name: "Views",
        value: grouped(views.views),
        unit: times(dims.searched),
        means: "Vectors, with this many numbers each, that a lookup searches.",
    }];
    if let Some(dim) = dims.tokens {
        rows.push(Row {
            name: "Token views",
            value: grouped(views.token_views),
            unit: times(dim),
            means: "Vectors of tokens, which a rerank compares and no lookup searches.",
        });
    }
    // few views are compared one by one, and have no codes
    if views.views > 0 && views.hot_bytes > 0 {
        let share = views.hot_bytes as f64 / views.views as f64;
        rows.push(Row {
            name: "Bytes a view",
            value: format!("{share:.1}"),
            unit: Some("hot".to_owned()),
            means: "What every search may touch for each view; the rest is read for the few that \
                    are compared exactly.",
        });
    }
    rows
}

/// The model by its name only: its path is not public.
fn model(figures: &Stats) -> Row {
    let name = figures.model.as_ref().and_then(|model| model.file_name());
    let name = name.map(|name| name.to_string_lossy().into_owned());
    Row {
        name: "Model",
        value: name.unwrap_or_else(|| "unnamed".to_owned()),
        unit: Some(figures.fingerprint.chars().take(DIGITS).collect()),
        means: "The model of the views, with the start of its fingerprint; views of other \
                models are refused.",
    }
}
