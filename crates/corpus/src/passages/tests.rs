use proptest::prelude::*;

use super::*;

/// A document of Markdown.
fn markdown(text: &str) -> Document {
    Document { text: text.into(), outline: Outline::markdown(text), ..Document::default() }
}

/// Passages of at most so many words.
fn of_size(size: usize, overlap: usize) -> PassageSettings {
    PassageSettings { size, overlap, whole: 0 }
}

fn cut(text: &str, size: usize, overlap: usize) -> Vec<&str> {
    let found = passages(&markdown(text), of_size(size, overlap), &words);
    found.into_iter().map(|passage| &text[passage.bytes]).collect()
}

#[test]
fn a_paragraph_that_does_not_fit_opens_the_next_passage_after_a_repeated_sentence() {
    // 3 + 3 words fit in 8, the next 4 do not; the last sentence "g." fits an overlap of 1.
    assert_eq!(
        cut("a b c.\n\nd e f. g.\n\nh i j k.", 8, 1),
        ["a b c.\n\nd e f. g.", "g.\n\nh i j k."]
    );
    assert_eq!(cut("a b c.\n\nd e f. g.\n\nh i j k.", 8, 0), ["a b c.\n\nd e f. g.", "h i j k."]);
}

#[test]
fn what_is_too_long_is_cut_at_sentences_then_words_then_characters() {
    assert_eq!(cut("a b. c d (e.) f g h i j", 4, 0), ["a b.", "c d (e.)", "f g h i", "j"]);
    // Eight characters are one word: 17 make three.
    assert_eq!(cut("éééééééééééééééée", 2, 0), ["éééééééééééééééé", "e"]);
    assert_eq!(cut("一二三。四五」六", 4, 0), ["一二三。", "四五」六"]);
}

#[test]
fn a_heading_begins_a_passage_once_half_is_full_and_is_never_left_alone() {
    let text = "a b\n# H\nc d\n\n## I\n### J\nk l m n o p";
    // "# H" is 2 words and comes after 2 of 8: it stays. "## I" comes after 6: it turns.
    assert_eq!(cut(text, 16, 9), ["a b\n# H\nc d\n\n## I\n### J\nk l m n o p"]);
    assert_eq!(cut(text, 12, 9), ["a b\n# H\nc d", "## I\n### J\nk l m n o p"]);
}

#[test]
fn fenced_code_that_fits_is_not_torn_and_hides_headings() {
    let text = "a b c\n\n```sh\n# no\n\nheading. x\n```\nd";
    assert_eq!(cut(text, 8, 0), ["a b c", "```sh\n# no\n\nheading. x\n```\nd"]);
    assert_eq!(cut("~~~\na b\nc d\n~~~", 3, 0), ["~~~\na b", "c d\n~~~"]);
}

fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "([a-c]{1,20}[.!?]?[ ]{1,2}){0,12}",
        2 => Just(String::new()),
        1 => "#{1,7} [a-c ]{0,30}",
        1 => "(```|~~~)[a]?",
        1 => "[一-十。\u{3000} é]{0,30}",
        1 => "[ \r\u{2028}\u{feff}]{0,3}",
    ];
    proptest::collection::vec(line, 0..24)
        .prop_map(|lines| lines.into_iter().flat_map(|line| [line, "\n".to_string()]).collect())
}

fn settings() -> impl Strategy<Value = PassageSettings> {
    (0_usize..40, 0_usize..20, 0_usize..60).prop_map(|(size, overlap, whole)| PassageSettings {
        size,
        overlap,
        whole,
    })
}

/// The titles that hold at all places of a range, found by asking at each of them.
fn headings_by_asking(document: &Document, range: Range<usize>) -> Vec<String> {
    let mut shared = document.outline.path_at(range.start);
    for at in range {
        let path = document.outline.path_at(at);
        let same = shared.iter().zip(&path).take_while(|(one, other)| one == other).count();
        shared.truncate(same);
    }
    shared.into_iter().map(ToOwned::to_owned).collect()
}

/// Headings with titles of their own, so that none is taken for another.
fn numbered(text: &str) -> Document {
    let mut document = markdown(text);
    for (number, heading) in document.outline.headings.iter_mut().enumerate() {
        heading.title = number.to_string();
    }
    document
}

/// Where the text of a passage begins: below the headings that it begins with.
fn body(document: &Document, range: &Range<usize>) -> usize {
    let mut blocks = Blocks::new(&document.text, &document.outline);
    let is_body = |block: &blocks::Block| {
        block.range.end > range.start && block.kind != blocks::Kind::Heading
    };
    let start = blocks.find(is_body).map_or(range.end, |block| block.range.start);
    start.clamp(range.start, range.end - 1)
}

proptest! {
    #[test]
    fn passages_cover_the_text_in_order_and_within_the_limit(
        text in lines(),
        settings in settings(),
    ) {
        let found = passages(&markdown(&text), settings, &words);
        let limit = (settings.size.max(1) + settings.size / 4).max(settings.whole);
        let mut covered = 0;
        for Passage { bytes, .. } in &found {
            let passage = &text[bytes.clone()];
            prop_assert_eq!(passage.trim(), passage);
            prop_assert!(!passage.is_empty());
            prop_assert!(words(passage) <= limit);
            if bytes.start > covered {
                prop_assert_eq!(text[covered..bytes.start].trim(), "");
            }
            prop_assert!(bytes.end > covered);
            covered = bytes.end;
        }
        prop_assert!(found.windows(2).all(|pair| pair[0].bytes.start < pair[1].bytes.start));
        prop_assert_eq!(text[covered..].trim(), "");
        prop_assert!(found.len() == 1 || text.trim().is_empty() || words(&text) > settings.whole);
    }

    #[test]
    fn a_block_that_fits_is_whole_in_some_passage(text in lines(), settings in settings()) {
        let document = markdown(&text);
        let found = passages(&document, settings, &words);
        for block in Blocks::new(&text, &document.outline) {
            let range = block.range;
            let holds = |bytes: &Range<usize>| bytes.start <= range.start && range.end <= bytes.end;
            let whole = found.iter().any(|passage| holds(&passage.bytes));
            prop_assert!(whole || words(&text[range.clone()]) > settings.size);
        }
    }

    #[test]
    fn added_lines_change_the_last_passage_at_most(
        text in lines(),
        more in lines(),
        settings in settings(),
    ) {
        let before = passages(&markdown(&text), settings, &words);
        let after = passages(&markdown(&(text + &more)), settings, &words);
        let kept = before.len().saturating_sub(1);
        prop_assert!(after.len() >= kept);
        prop_assert_eq!(&before[..kept], &after[..kept]);
    }

    #[test]
    fn lines_and_headings_equal_those_found_by_counting(text in lines(), settings in settings()) {
        let document = numbered(&text);
        for passage in passages(&document, settings, &words) {
            let Passage { bytes, lines, headings, .. } = passage;
            let first = 1 + text[..bytes.start].matches('\n').count();
            prop_assert_eq!(lines, first..first + text[bytes.clone()].matches('\n').count() + 1);
            let body = body(&document, &bytes);
            prop_assert_eq!(headings, headings_by_asking(&document, body..bytes.end));
        }
    }

    #[test]
    fn places_of_another_text_do_no_harm(
        text in lines(),
        places in proptest::collection::vec(0_usize..400, 0..6),
        settings in settings(),
    ) {
        let mut document = markdown(&text);
        document.outline.breaks = places.clone();
        document.outline.pages = places;
        passages(&document, settings, &words);
    }

    #[test]
    fn a_long_sentence_is_cut_where_reading_it_word_by_word_would_cut_it(
        text in "([a-e]{1,20}( |é){1,2}){1,60}",
        size in 1_usize..12,
    ) {
        let mut rest = text.trim();
        let mut wanted = Vec::new();
        while !rest.is_empty() {
            let ends = rest.char_indices().filter(|(at, c)| *at > 0 && c.is_whitespace());
            let ends: Vec<_> = ends.map(|(at, _)| at).chain([rest.len()]).collect();
            let chars = rest.char_indices().map(|(at, _)| at).skip(1);
            let fits = |end: &usize| words(&rest[..*end]) <= size;
            let end = ends.into_iter().rfind(fits).or(chars.filter(fits).last());
            let piece = rest[..end.unwrap()].trim_end();
            wanted.push(piece);
            rest = rest[piece.len()..].trim_start();
        }
        // pieces that are shorter than a passage share it with the next
        let found = cut(&text, size, 0).concat().replace(' ', "");
        prop_assert_eq!(found, wanted.concat().replace(' ', ""));
        if size == 1 {
            prop_assert_eq!(cut(&text, size, 0), wanted);
        }
    }
}

#[test]
fn sections_of_code_and_pages_are_cited() {
    let text = "use a b;\n\none {\n    a b c;\n}\n\ntwo {\n    d e f;\n}\n\nlet g;\n";
    // "one" begins at byte 10, "two" at 30, "let g" at 50
    let heading = |at, title: &str| crate::outline::Heading { at, level: 1, title: title.into() };
    let headings = vec![heading(10, "one"), heading(30, "two"), heading(50, "")];
    let outline = Outline { headings, pages: vec![0, 30], ..Outline::default() };
    let document = Document { text: text.into(), outline, ..Document::default() };
    let found = passages(&document, of_size(8, 0), &words);
    let found: Vec<_> = found
        .into_iter()
        .map(|Passage { bytes, lines, page, headings }| (&text[bytes], lines, page, headings))
        .collect();
    let one = ["one".to_owned()].to_vec();
    let two = ["two".to_owned()].to_vec();
    assert_eq!(
        found,
        [
            ("use a b;", 1..2, Some(1), vec![]),
            ("one {\n    a b c;\n}", 3..6, Some(1), one),
            ("two {\n    d e f;\n}", 7..10, Some(2), two),
            ("let g;", 11..12, Some(2), vec![]),
        ]
    );
}

#[test]
fn a_short_document_is_whole_and_an_empty_one_has_no_passage() {
    let settings = PassageSettings { whole: 9, ..of_size(4, 0) };
    let of = |text: &str| passages(&markdown(text), settings, &words).len();
    assert_eq!((of("# A\n\nb\n\n# C\n\nd e f"), of("a b c d e\n\nf g h i j")), (1, 4));
    assert_eq!((of(""), of(" \n\t")), (0, 0));
}

#[test]
fn the_length_is_asked_about_once_for_a_block_or_a_sentence() {
    let text = "One two three four. Five six seven.\n\nEight.\n\n".repeat(100);
    let calls = std::cell::Cell::new(0);
    let counted = |text: &str| {
        calls.set(calls.get() + 1);
        words(text)
    };
    // 200 blocks, and one sentence at most for each of the passages, plus the whole
    let found = passages(&markdown(&text), of_size(20, 3), &counted).len();
    assert!(calls.get() <= 200 + 2 * found + 1, "{} calls for {found} passages", calls.get());
}
