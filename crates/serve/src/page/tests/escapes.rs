//! Whatever people write stays text.

use super::super::*;
use super::made::{found, hit};
use fastlane::{Hit, SearchResult};

/// Ends tags, attributes of either quote, and comments; and begins each.
const EVIL: &str =
    r#"</script><script>alert(1)</script>"'><img src=x onerror=alert(1)><!-- &amp; `"#;

fn evil_hit() -> Hit {
    let mut hit = hit(EVIL, EVIL, EVIL, &[(1, "alert", 0.9), (3, "\"'", 0.8)]);
    hit.document.metadata.insert(EVIL.to_owned(), EVIL.into());
    hit.document.metadata.insert("list".to_owned(), vec![EVIL, EVIL].into());
    hit.matches[0].token = EVIL.to_owned();
    hit
}

fn evil_found() -> SearchResult {
    let mut found = found(vec![evil_hit()]);
    for token in &mut found.tokens {
        token.token = EVIL.to_owned();
        token.bytes = token.bytes.as_ref().map(|_| 0..EVIL.len());
    }
    found
}

/// Fails if a tag is there that the pages do not write.
fn check(page: &str) {
    let lower = page.to_lowercase();
    assert!(!lower.contains("<img") && !lower.contains("<!--"), "{page}");
    assert!(lower.matches("<script").count() <= 1, "{page}");
    // a quote that ends an attribute leaves `onerror` within a tag
    let tags =
        page.split('<').skip(1).map(|part| part.split_once('>').map_or(part, |(tag, _)| tag));
    for tag in tags {
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        let bare: String = tag.split('"').step_by(2).collect();
        assert!(!bare.contains("alert") && !bare.contains('\''), "<{tag}>");
    }
}

#[test]
fn no_text_becomes_markup() {
    let evil = || EVIL.to_owned();
    let params = PageParams { q: evil(), index: evil(), filter: evil(), ..PageParams::default() };
    let indexes = [evil(), "other".to_owned()];
    let frame = Frame { indexes: &indexes, params: &params };
    let found = evil_found();
    for has_router in [true, false] {
        check(&super::super::results(&frame, &Results { found: &found, documents: 1, has_router }));
    }
    check(&home(&frame, 1, &[evil()]));
    let none = super::made::found(Vec::new());
    check(&results_fragment(&frame, &Results { found: &none, documents: 1, has_router: true }));
    for at in [None, Some(1), Some(9), Some(900)] {
        check(&failure(&frame, &Failure { status: 400, said: EVIL, at, way_out: Some(EVIL) }));
    }
}

#[test]
fn what_was_written_can_be_read() {
    let params = PageParams { q: EVIL.to_owned(), ..PageParams::default() };
    let page = super::made::page(&params, &evil_found(), true);
    let text = super::made::text(&page).replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&amp;", "&");
    let shown = text.matches(EVIL).count();
    // heading, tokens, the sentence, title, snippet, id, metadata, text, table
    assert!(shown >= 10, "{shown} in {text}");
}
