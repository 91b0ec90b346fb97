//! What pages say of each kind of search.

use fastlane::{Hit, Match};
use fastlane::{LaneKind, Statistics, Store};

use super::super::*;
use super::made::{found, hit, hits, page, params, text};

#[test]
fn a_lane_is_named_and_what_it_won_is_marked() {
    let page = page(&params(), &found(hits()), true);
    let said = text(&page);
    assert!(said.contains("The router puts 40% of the intent on “ships”."), "{said}");
    assert!(said.contains("That token alone is looked up: one lookup instead of 7."), "{said}");
    assert!(said.contains("ships →found boat 0.70"), "{said}");
    assert!(page.contains(r#"<li class="token piece"><button type="button" data-token="4""#));
    assert!(page.contains(r#"<li class="token special"><button type="button" data-token="0""#));
    // “?” stands at the end of a word and does not go on with it
    assert!(page.contains(r#"<li class="token"><button type="button" data-token="5""#));
    assert!(said.contains("Sum of 7 products") && said.contains("score3.300"), "{said}");
    assert!(said.contains("2 results of 1,284 documents"), "{said}");
}

#[test]
fn weak_marks_are_quiet() {
    let page = page(&params(), &found(hits()), true);
    // its token carries less than its share
    assert!(page.contains(r#"<mark class="weak" data-token="2">off</mark>"#), "{page}");
    // it answers much worse than the other hit does
    assert!(page.contains(r#"<mark class="weak" data-token="3 4">gale</mark>"#), "{page}");
    assert!(page.contains(r#"<mark data-token="3 4">Dunmore</mark>"#), "{page}");
    // what the encoder added to the query has no mark
    assert!(!page.contains(r#"<mark class="weak" data-token="0"#), "{page}");
}

#[test]
fn several_lanes_are_counted() {
    let two = PageParams { lanes: Some(2), rerank: 0, ..params() };
    let mut found =
        found(vec![hit("a", "", "boats of Dunmore", &[(1, "boats", 0.8), (3, "Dunmore", 0.4)])]);
    found.lanes = vec![1, 3];
    found.hits[0].score = 0.8 * 0.4 / 0.65 + 0.4 * 0.25 / 0.65;
    let page = page(&two, &found, true);
    let said = text(&page);
    assert!(
        said.contains("65% of the intent on “ships” and “Dun”: two lookups instead of 7."),
        "{said}"
    );
    assert!(page.contains("ships: alpha 0.400, lane 1, 0.62 of the score"), "{page}");
    assert!(said.contains("Products of 2 lanes, weighed by alpha") && said.contains("score0.646"));
    assert!(page.contains(r#"<rect class="probe""#) && said.contains("rerankoff"), "{said}");
}

#[test]
fn all_tokens_search_and_none_is_marked() {
    let all = PageParams { lanes: Some(usize::MAX), ..params() };
    let mut found = found(hits());
    (found.lane, found.lanes) = (LaneKind::All, vec![1, 3, 4, 0, 2, 5, 6]);
    let page = page(&all, &found, true);
    assert!(text(&page).contains("All 7 tokens search: 7 lookups, as ColBERT does it."));
    assert!(!page.contains("token lane") && !page.contains(r#"class="won""#), "{page}");
}

#[test]
fn without_a_router_there_are_no_bars() {
    let mut found = found(hits());
    found.tokens.iter_mut().for_each(|token| token.alpha = 1.0 / 7.0);
    found.lane = LaneKind::All;
    found.lanes = (0..7).collect();
    let page = page(&params(), &found, false);
    let said = text(&page);
    assert!(
        said.contains("no router: all 7 tokens have equal weight, and all of them search."),
        "{said}"
    );
    assert!(!page.contains(r#"<svg class="alpha""#) && page.contains(r#"class="query flat""#));
    assert!(said.contains("routeoff"), "{said}");

    (found.lane, found.lanes) = (LaneKind::Hard, vec![0]);
    let one = PageParams { lanes: Some(1), ..params() };
    let said = text(&super::made::page(&one, &found, false));
    assert!(
        said.contains("the first of them searches, “[CLS]”: one lookup instead of 7."),
        "{said}"
    );
}

#[test]
fn a_soft_lane_is_one_view_of_all_tokens() {
    let one = PageParams { rerank: 0, ..params() };
    let mut found = found(vec![hit("a", "", "a boat", &[(1, "boat", 0.7)])]);
    found.lane = LaneKind::Soft;
    let unranked = page(&one, &found, true);
    let said = text(&unranked);
    assert!(said.contains("weighs all 7 tokens into one view: one lookup instead of 7."), "{said}");
    assert!(!unranked.contains("token lane"), "{unranked}");
    assert!(
        said.contains("all tokens →found boat 0.70") && said.contains("Product of the one view")
    );
    assert!(unranked.contains(r#"<mark class="won" data-token="0 1 2 3 4 5 6">boat</mark>"#));

    found.hits = hits();
    let reranked = page(&params(), &found, true);
    assert!(!reranked.contains(r#"class="won""#) && !reranked.contains("pair"), "{reranked}");
}

#[test]
fn nothing_found_says_what_to_do() {
    let filtered = PageParams { filter: "year > 2020".to_owned(), ..params() };
    let page = page(&filtered, &found(Vec::new()), true);
    assert!(
        !page.contains("<ol class=\"hits\"")
            && text(&page).contains("0 results of 1,284 documents")
    );
    let link = r#"href="/?q=ships+off+Dunmore%3F&amp;index=lighthouse&amp;lanes=auto&amp;rerank=100&amp;hybrid=0">search without it"#;
    assert!(page.contains(link), "{page}");
    let other = super::made::page(&params(), &found(Vec::new()), true);
    assert!(other.contains("let all tokens search"), "{other}");
}

#[test]
fn with_words_the_rows_are_not_the_score() {
    let hybrid = PageParams { hybrid: true, ..params() };
    let page = page(&hybrid, &found(hits()), true);
    assert!(!page.contains("<tfoot") && page.contains("7 products; BM25 counts too"));
    // nor are they where rows are missing
    let mut fewer = hits();
    fewer[0].matches.pop();
    let page = super::made::page(&params(), &found(fewer), true);
    assert_eq!(page.matches("<tfoot").count(), 1);
}

#[test]
fn a_hit_without_pairs_shows_its_start() {
    let page = page(&params(), &found(vec![hit("a.md", "", &"word ".repeat(200), &[])]), true);
    assert!(page.contains(r#"<h2 id="hit-1">a.md</h2>"#) && !page.contains("<table"), "{page}");
    assert!(page.contains("word\u{a0}…") && !page.contains("…\u{a0}"), "{page}");
    assert!(page.contains("<summary>Whole text</summary>") && !page.contains("one view of all"));
    let found = found(vec![hit("a.md", "", "a boat", &[])]);
    let page = super::made::page(&PageParams { rerank: 0, ..params() }, &found, true);
    assert!(page.contains("one view of all tokens"), "{page}");
}

#[test]
fn a_snippet_is_about_the_token_that_the_lane_won() {
    let long = format!("{} boat {}", "so ".repeat(400).trim(), "on ".repeat(400));
    let page = page(&params(), &found(vec![hit("a", "A title", &long, &[(1, "boat", 0.5)])]), true);
    let snippet =
        page.split_once(r#"<p class="snippet">"#).unwrap().1.split_once("</p>").unwrap().0;
    let said = text(snippet);
    assert!(said.starts_with("…\u{a0}so ") && said.ends_with("on\u{a0}…"), "{said}");
    assert!(said.contains("so boat on") && (250..330).contains(&said.len()), "{said}");
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let long = "ß".repeat(15_000);
    let page = page(&params(), &found(vec![hit("a", "x", &long, &[])]), true);
    let whole = page.split_once(r#"<p class="text">"#).unwrap().1.split_once("</p>").unwrap().0;
    assert_eq!(whole, format!("{}…", "ß".repeat(10_000)));
}

#[test]
fn odd_values_break_nothing() {
    let mut found = found(vec![hit("a", "", "", &[])]);
    let pair = |query, bytes| Match { query, token: String::new(), bytes, product: f32::NAN };
    found.hits[0].matches = vec![pair(99, Some(0..9)), pair(1, Some(5..5)), pair(0, None)];
    let odd = page(&params(), &found, true);
    assert!(odd.contains(r#"data-id="a""#));
    found.tokens.clear();
    found.lanes.clear();
    found.hits = Vec::<Hit>::new();
    assert!(page(&params(), &found, true).contains("0 results"));
}

#[test]
fn a_query_that_was_cut_says_so() {
    let mut found = found(hits());
    found.cut = 1200;
    let said = text(&page(&params(), &found, true));
    assert!(said.contains("which ignored its last 1,200 bytes."), "{said}");
}

#[test]
fn the_form_keeps_what_was_asked() {
    let params = PageParams { lanes: Some(3), rerank: 50, hybrid: true, ..params() };
    let names = ["one".to_owned()];
    let frame = Frame { indexes: &names, params: &params };
    let page = home(&frame, 0, &[]);
    let radios: Vec<&str> = page.split("type=\"radio\"").skip(1).collect();
    assert_eq!(radios.len(), 6);
    assert!(radios[3].starts_with(r#" name="lanes" value="3" checked"#), "{}", radios[3]);
    assert!(page.contains(r#"<details class="options" open>"#) && page.contains("Rerank 50"));
    assert!(!page.contains("<select") && !page.contains("Try one"));
    assert!(page.contains("There are no documents in this index yet"));
    let usual = PageParams::default();
    let page = home(&Frame { params: &usual, ..frame }, 1, &[]);
    assert!(page.contains(r#"<details class="options"><summary>"#), "{page}");
}

#[test]
fn a_failure_points_at_the_filter() {
    let params = PageParams { filter: "lang = en und year".to_owned(), ..params() };
    let frame = Frame { indexes: &[], params: &params };
    let said = "At character 11: wanted `and`, found `und`.";
    let page = failure(&frame, &Failure { status: 400, said, at: Some(11), way_out: None });
    assert!(page.contains("wanted <code>and</code>, found <code>und</code>."), "{page}");
    assert!(page.contains(r#"aria-invalid="true" aria-describedby="wrong""#), "{page}");
    assert!(page.contains("search without a filter") && page.contains("correct the filter"));
    let page =
        failure(&frame, &Failure { status: 500, said: "No.", at: None, way_out: Some("Wait.") });
    assert!(page.contains("<h1>The search failed</h1>") && page.contains("<li>Wait.</li>"));
    assert!(!page.contains("aria-invalid"));
}

#[test]
fn statistics_say_what_they_mean() {
    let figures = Stats {
        views: Statistics {
            generation: 7,
            documents: 1284,
            deleted: 12,
            views: 96_310,
            token_views: 96_310,
            segments: 2,
            lists: 311,
            hot_bytes: 2_513_691,
            bytes: 27_400_000,
        },
        model: Some("/somewhere/secret/minilm-lanes".into()),
        fingerprint: "f1-7c1e90ab0123456789abcdef01234567".to_owned(),
        dims: fastlane::ViewDims { searched: 128, tokens: None },
        store: Store::F16,
        documents: 1284,
        passages: 1284,
    };
    let params = params();
    let names = ["lighthouse".to_owned(), "hand book".to_owned()];
    let page = statistics(&Frame { indexes: &names, params: &params }, &figures);
    let said = text(&page);
    for wanted in ["96,310 × 128", "26.1 hot", "27.4 MB", "minilm-lanes f1-7c1e90ab", "Generation7"]
    {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert!(!page.contains("secret") && !page.contains("page.js") && !said.contains("Token views"));
    assert!(page.contains(r#"<a href="/stats?index=hand+book">hand book</a>"#), "{page}");
    assert!(page.contains(r#"aria-current="page">Statistics"#), "{page}");
    let empty = Stats { views: Statistics { views: 0, ..figures.views.clone() }, ..figures };
    assert!(!statistics(&Frame { indexes: &names, params: &params }, &empty).contains("hot"));
}

#[test]
fn each_page_says_which_one_it_is() {
    let (params, names) = (params(), ["lighthouse".to_owned()]);
    let frame = Frame { indexes: &names, params: &params };
    let page = reference(&frame, &serde_json::json!({}));
    assert!(page.contains(r#"<a href="/api" aria-current="page">API"#), "{page}");
    assert_eq!(page.matches("aria-current").count(), 1);
    assert!(!home(&frame, 1, &[]).contains("aria-current"));
}
