//! Splits documents into passages that an encoder can read.

use fastlane_corpus::{Document, Outline, PassageSettings, passages, words};
use fastlane_engine::Encoder;

use crate::record::{Note, Passage, Record, key};

/// The default size of a passage in tokens, and how many of them it repeats from the one before.
const TOKENS: usize = 180;
const OVERLAP: usize = 27;

/// How documents are split for an encoder.
pub(crate) struct Splitter<'a> {
    encoder: &'a dyn Encoder,
    settings: Option<PassageSettings>,
}

impl<'a> Splitter<'a> {
    pub(crate) fn new(encoder: &'a dyn Encoder, settings: Option<PassageSettings>) -> Self {
        Self { encoder, settings }
    }

    /// The records of a document, at least one.
    pub(crate) fn split(&self, mut document: Document) -> Vec<Record> {
        if document.outline == Outline::default() {
            document.outline = Outline::of_record(&document.text);
        }
        let found = match self.encoder.document_limit() {
            None => passages(&document, self.settings.unwrap_or_default(), &words),
            Some(limit) => {
                let settings = self.settings.unwrap_or_else(|| {
                    // half of the tokens at most are left to a title
                    let title = self.encoder.count_tokens(&document.title).min(limit / 2);
                    let whole = (limit - title).max(1);
                    let size = TOKENS.min(whole);
                    PassageSettings { size, overlap: OVERLAP.min(size / 2), whole }
                });
                passages(&document, settings, &|text| self.encoder.count_tokens(text))
            }
        };
        records(document, &found)
    }
}

/// The records of the passages of a document.
fn records(document: Document, passages: &[fastlane_corpus::Passage]) -> Vec<Record> {
    let Document { id, title, text, metadata, outline } = document;
    let plain = outline.headings.is_empty() && outline.pages.is_empty();
    if passages.is_empty() || passages.len() == 1 && plain {
        return vec![Record::whole(Document { id, title, text, metadata, ..Document::default() })];
    }
    let (of, mut end) = (passages.len().max(1), 0);
    let mut record = |(number, it): (usize, &fastlane_corpus::Passage)| {
        let last = number == of;
        let note = Note {
            passage: Passage {
                number,
                of,
                bytes: it.bytes.clone(),
                lines: [it.lines.start, it.lines.end.max(it.lines.start + 1) - 1],
                page: it.page,
                headings: it.headings.clone(),
            },
            before: text[end.min(it.bytes.start)..it.bytes.start].to_owned(),
            after: if last { text[it.bytes.end..].to_owned() } else { String::new() },
        };
        end = it.bytes.end;
        let note = serde_json::to_string(&note).expect("a note is plain JSON");
        let (title, metadata) = (title.clone(), metadata.clone());
        let text = text[it.bytes.clone()].to_owned();
        let document =
            Document { id: key(&id, number), title, text, metadata, ..Document::default() };
        Record { document, note: Some(note) }
    };
    (1..).zip(passages).map(&mut record).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{document_of, join};

    fn records_of(text: &str, size: usize, overlap: usize) -> Vec<Record> {
        let document = Document {
            id: "d".to_owned(),
            title: "T".to_owned(),
            text: text.to_owned(),
            outline: Outline::markdown(text),
            ..Document::default()
        };
        let settings = PassageSettings { size, overlap, whole: size };
        let found = passages(&document, settings, &words);
        records(document, &found)
    }

    #[test]
    fn a_document_becomes_passages_with_their_headings() {
        let text = "# Light\n\nIt is fast.\n\n# Sound\n\nIt is slower.\n";
        let records = records_of(text, 5, 0);
        let keys: Vec<&str> = records.iter().map(|it| &*it.document.id).collect();
        assert_eq!(keys, ["d", "d\u{1f}2"]);
        assert!(keys.iter().all(|key| document_of(key) == "d"));
        let second = records[1].passage();
        let wanted = Passage {
            number: 2,
            of: 2,
            bytes: 22..44,
            lines: [5, 7],
            page: None,
            headings: vec!["Sound".to_owned()],
        };
        assert_eq!((second, &*records[1].document.text), (wanted, "# Sound\n\nIt is slower."));
        assert_eq!(join(records).unwrap().text, text);
    }

    #[test]
    fn a_short_text_is_stored_as_it_is() {
        let records = records_of(" nine ships\n", 5, 0);
        assert_eq!((records.len(), &records[0].note), (1, &None));
        assert_eq!(records[0].document.text, " nine ships\n");
        let wanted =
            Passage { number: 1, of: 1, bytes: 0..12, lines: [1, 1], ..Passage::default() };
        assert_eq!(records[0].passage(), wanted);
        assert_eq!(records_of("", 5, 0).len(), 1);
    }

    proptest! {
        /// Whatever the text is, joining its passages gives it back.
        #[test]
        fn joining_passages_gives_the_document(
            text in "( |\n|\n\n|# [a-z]{1,4}\n|[a-zß語]{1,9}[.!]? ){0,60}",
            size in 1..12_usize,
            overlap in 0..5_usize,
        ) {
            let records = records_of(&text, size, overlap);
            prop_assert!(!records.is_empty());
            for (number, record) in (1..).zip(&records) {
                let passage = record.passage();
                prop_assert_eq!((passage.number, passage.of), (number, records.len()));
                prop_assert_eq!(&text[passage.bytes], &record.document.text);
                prop_assert_eq!(&record.document.id, &key("d", number));
            }
            prop_assert_eq!(join(records).unwrap().text, text);
        }
    }
}
