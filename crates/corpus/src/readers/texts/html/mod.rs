//! HTML and XHTML: the main text, with headings and the title.
//!
//! The file is read as a stream of tags, without building a tree, so that time and memory do not
//! depend on how deep tags are nested, and tags may be left open. What browsers do not show is
//! dropped, and so is what surrounds the text: navigation, headers, footers, asides, forms. If there
//! is a `main` or an `article` element with text, only that is read.
//!
//! Blocks are separated by blank lines, the lines of `pre` are kept, cells of a row are separated by
//! ` | `, and an item of a list begins with `- `.

mod page;

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::kind::{Head, Kind, Reader, Text};
use page::Page;

pub(super) static KIND: Kind = Kind { is, read: Reader::Text(read) };

/// Files that begin with one of these are HTML, whatever their names.
const STARTS: [&str; 3] = ["<!doctype html", "<html", "<head>"];

fn is(head: &Head<'_>) -> bool {
    let text = without_prologue(head.text).chars().take(20).collect::<String>().to_lowercase();
    let is_named = head.ends_in(&["html", "htm", "xhtml", "xht"]);
    STARTS.iter().any(|start| text.starts_with(start))
        || is_named && head.text.trim_start().starts_with('<')
}

/// The text below an XML declaration and comments.
fn without_prologue(text: &str) -> &str {
    let mut rest = text.trim_start();
    for (start, end) in [("<?xml", "?>"), ("<!--", "-->"), ("<!--", "-->")] {
        if rest.starts_with(start) {
            rest = rest.split_once(end).map_or("", |(_, rest)| rest.trim_start());
        }
    }
    rest
}

#[expect(clippy::needless_pass_by_value, reason = "other formats keep the text")]
fn read(html: String, _: &str) -> Text {
    let mut page = Page::default();
    let callback = |event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        take(&mut page, &event);
        None
    };
    let mut emitter = CallbackEmitter::new(callback);
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(&*html, emitter).finish();
    page.finish()
}

fn take(page: &mut Page, event: &CallbackEvent<'_>) {
    match event {
        CallbackEvent::OpenStartTag { name } => page.open(&String::from_utf8_lossy(name)),
        CallbackEvent::EndTag { name } => page.close(&String::from_utf8_lossy(name)),
        CallbackEvent::String { value } => page.push(&String::from_utf8_lossy(value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        read(html.into(), "").text
    }

    #[test]
    fn blocks_headings_entities_and_lines_of_code_are_kept() {
        let html = "<!DOCTYPE html><html><head><title>Light &amp; dark</title>\
            <style>p { color: red }</style><script>if (a < b) {}</script></head><body>\
            <h1>Light</h1><p>It is\n  <b>fa</b>st &eacute; &#8212; &lt;3.<p>Next<br>line\
            <h2>Code <code>x</code></h2><pre><code>fn a() {\n    b\n}</code></pre>\
            <ul><li>one<li>two</ul><table><tr><th>a<th>b<tr><td>1<td>2</table></body></html>";
        let found = read(html.into(), "");
        let wanted = "Light\n\nIt is fast é — <3.\n\nNext\nline\n\nCode x\n\nfn a() {\n    b\n}\n\n\
            - one\n- two\n\na | b\n1 | 2\n";
        assert_eq!(found.text, wanted);
        assert_eq!(found.title.as_deref(), Some("Light & dark"));
        let headings: Vec<_> =
            found.outline.headings.iter().map(|h| (h.level, &*h.title)).collect();
        assert_eq!(headings, [(1, "Light"), (2, "Code x")]);
        let at = found.outline.headings[1].at;
        assert!(found.text[at..].starts_with("Code x\n") && found.outline.rendered);
    }

    #[test]
    fn what_surrounds_the_text_is_dropped() {
        let html = "<body><nav>menu</nav><header>site</header><p>text<form>search</form>\
            <aside>also</aside><footer>end</footer> more";
        assert_eq!(text(html), "text\n\nmore\n");
        assert_eq!(text("<h1>Site</h1><main><h1>Page</h1>text</main><p>other"), "Page\n\ntext\n");
        assert_eq!(text("<main></main><p>text"), "text\n", "an empty main is no main text");
        let article = "<header>site</header><article><header><h1>A</h1></header>b</article>";
        assert_eq!(text(article), "A\n\nb\n");
        assert_eq!(text("<article>a</article>x<article>b</article>"), "a\n\nb\n");
    }

    #[test]
    fn unclosed_stray_and_nested_tags_do_no_harm() {
        assert_eq!(text("<p>a<div>b</p></nav></span>c"), "a\n\nb\n\nc\n");
        assert_eq!(text("<nav>menu"), "");
        assert_eq!(text("a <"), "a <\n");
        assert_eq!(text("<script>never closed"), "");
        let deep = "<div>".repeat(100_000) + "deep" + &"</div>".repeat(50_000);
        assert_eq!(text(&deep), "deep\n");
        let nested = "<nav>".repeat(100_000) + "menu" + &"</nav>".repeat(100_000) + "text";
        assert_eq!(text(&nested), "text\n");
    }

    #[test]
    fn html_is_known_by_its_beginning() {
        let is = |name: &str, text: &str| is(&Head { bytes: text.as_bytes(), text, name });
        assert!(is(
            "readme",
            "<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE HTML PUBLIC \"-//W3C\">"
        ));
        assert!(is("a.html", "<p>text") && !is("a.html", "text") && !is("a.md", "<p>text"));
    }
}
