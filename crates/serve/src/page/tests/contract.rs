//! What the script reads of the markup is there.

use super::super::*;
use super::made::{found, hits, page, params};

fn whole() -> String {
    let indexes = ["lighthouse".to_owned(), "handbook".to_owned()];
    let params = params();
    let frame = Frame { indexes: &indexes, params: &params };
    results(&frame, &Results { found: &found(hits()), documents: 1284, has_router: true })
}

#[test]
fn a_page_has_what_the_script_reads() {
    let page = whole();
    for wanted in [
        r#"<form id="ask" action="/" method="get" role="search" autocomplete="off">"#,
        r#"<input id="q" type="search" name="q" value="ships off Dunmore?""#,
        r#"<p id="failed" role="alert"></p>"#,
        r#"<main id="results" tabindex="-1">"#,
        r#"<p class="unseen" id="said" role="status">2 results in 4.6 ms</p>"#,
        r#"<select name="index" form="ask">"#,
        r#"href="/stats?index=lighthouse" data-index"#,
        r#"<input type="hidden" name="rerank" value="0">"#,
        r#"<input type="checkbox" name="rerank" value="100" checked>"#,
        r#"name="filter" value="""#,
        r#"<svg class="time" viewBox="0 0 4640 10""#,
        r#"<div data-stage="probe" data-us="190">"#,
        r#"<div class="off" data-stage="words" data-us="0">"#,
        r#"<div class="total" data-stage="total" data-us="4640">"#,
        r#"<p class="tally" data-said="2 results in 4.6 ms">"#,
        r#"<article class="hit" data-id="fog.md" tabindex="-1" aria-labelledby="hit-1">"#,
        r#"<p class="rank">1</p>"#,
        r#"<h2 id="hit-1">The fog signal</h2>"#,
        r#"<button type="button" data-token="1" title="ships: alpha 0.400, lane">"#,
        r#"<mark class="won" data-token="1">ships</mark>"#,
        r#"<mark data-token="3 4">Dunmore</mark>"#,
        r#"<tr class="lane" data-token="1"><th scope="row">ships <span class="which">lane</span></th>"#,
        r#"<details><summary>Whole text, and why</summary>"#,
    ] {
        assert!(page.contains(wanted), "no {wanted} in\n{page}");
    }
    let rows = page.split("<tr").filter_map(|row| row.split_once("</tr>"));
    let rows = rows.map(|(row, _)| row).filter(|row| row.contains("data-token"));
    rows.for_each(|row| assert_eq!(row.matches("<td").count() + row.matches("<th").count(), 4));
}

#[test]
fn the_script_reads_nothing_else() {
    let page = whole();
    let quoted = |text: &str, quote: char| -> Vec<String> {
        text.split(quote).skip(1).step_by(2).map(str::to_owned).collect()
    };
    let ids = SCRIPT.split_once("[\"").and_then(|(_, rest)| rest.split_once("\"]")).unwrap().0;
    let ids = quoted(&format!("\"{ids}\""), '"');
    assert_eq!(ids, ["ask", "results", "said", "failed"]);
    ids.iter().for_each(|id| assert!(page.contains(&format!("id=\"{id}\"")), "{id}"));
    for name in SCRIPT.split("dataset.").skip(1) {
        let name: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
        assert!(page.contains(&format!("data-{name}=\"")), "{name}");
    }
    for name in SCRIPT.split("[data-").skip(1) {
        let name: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
        assert!(page.contains(&format!(" data-{name}")), "{name}");
    }
}

#[test]
fn a_fragment_is_the_inside_of_main() {
    let (_, rest) = whole()
        .split_once(r#"<main id="results" tabindex="-1">"#)
        .map_or_else(|| panic!("no main"), |(before, rest)| (before.to_owned(), rest.to_owned()));
    let inside = rest.split_once("</main>").unwrap().0;
    assert_eq!(page(&params(), &found(hits()), true), inside);
}

#[test]
fn nothing_is_inline() {
    let page = whole();
    for never in ["style=", "<style", "onclick", "javascript:", "data:", "http"] {
        assert!(!page.contains(never), "{never}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(SCRIPT.lines().count() < 160 && !STYLE.contains("url("));
    assert!(ICON.starts_with("<svg"));
}
