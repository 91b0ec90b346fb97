//! Encoders that fail, and those that do not keep to the contract: an error names what is wrong, and
//! nothing panics.

use std::path::{Path, PathBuf};

use fastlane::{
    Changes, Collection, CollectionError, Document, DocumentViews, EncodeError, Encoder, Hint,
    Progress, QueryViews, Search, Token, TokenMatrix, UsualLane, ViewDims, check_encoder,
};

use crate::document;

/// One view for each word: its length says which of eight axes.
#[derive(Default)]
struct Lengths {
    /// How many results too few, or too many, texts in a stream get.
    too_few: usize,
    too_many: usize,
    location: Option<PathBuf>,
}

fn views(text: &str) -> Result<(Vec<Token>, TokenMatrix), EncodeError> {
    if text.contains("unreadable") {
        return Err(EncodeError { start: text.to_owned(), source: "unreadable".into() });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let axis = |word: &&str| {
        let length = word.len() % 8;
        (0..8).map(move |axis| f32::from(u8::from(axis == length)))
    };
    let token = |word: &&str| Token { id: 0, text: (*word).to_owned(), bytes: None };
    let values = words.iter().flat_map(axis);
    Ok((words.iter().map(token).collect(), TokenMatrix::new(8, values.collect())))
}

impl Encoder for Lengths {
    fn fingerprint(&self) -> String {
        "lengths".to_owned()
    }

    fn dims(&self) -> ViewDims {
        ViewDims { searched: 8, tokens: None }
    }

    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError> {
        let (tokens, views) = views(if text.is_empty() { "-" } else { text })?;
        let alpha = vec![1.0 / tokens.len() as f32; tokens.len()];
        let (soft_lane, usual) = (views.row(0).to_vec(), UsualLane::All);
        Ok(QueryViews { tokens, views, alpha, lane_views: None, soft_lane, usual, cut: 0 })
    }

    fn encode_queries(&self, texts: &[&str]) -> Vec<Result<QueryViews, EncodeError>> {
        let texts = &texts[..texts.len() - self.too_few];
        texts.iter().map(|text| self.encode_query(text)).collect()
    }

    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a> {
        let encode = |text: String| {
            let (tokens, views) = views(if text.is_empty() { "-" } else { &text })?;
            Ok(DocumentViews { tokens, views, lane_views: None, cut: 0 })
        };
        let more = (0..self.too_many).map(|_| "one more".to_owned());
        let all: Vec<_> = texts.chain(more).map(encode).collect();
        let count = all.len() - self.too_few;
        Box::new(all.into_iter().take(count))
    }

    fn location(&self) -> Option<&Path> {
        self.location.as_deref()
    }
}

fn notes(encoder: Lengths) -> Collection {
    Collection::options().encoder(encoder).in_memory().unwrap()
}

#[test]
fn the_twin_keeps_to_the_contract() {
    check_encoder(&Lengths::default(), &["light", "the house"]).unwrap();
    let failing = Lengths { too_few: 1, ..Lengths::default() };
    check_encoder(&failing, &["light", "the house"]).unwrap_err();
}

#[test]
fn a_document_that_cannot_be_encoded_is_named_and_the_earlier_ones_are_kept() {
    let notes = notes(Lengths::default());
    let mut writer = notes.writer().unwrap();
    let documents = [document("a", "light"), document("b", "unreadable"), document("c", "ship")];
    let error = writer.add(documents).unwrap_err();
    assert!(matches!(&error, CollectionError::Encode { id, .. } if id == "b"), "{error}");
    writer.commit().unwrap();
    assert_eq!(notes.ids(), ["a"]);
    let texts = vec!["light".to_owned(), "unreadable".to_owned()];
    let error = notes.encode_documents(texts, 7).unwrap_err();
    assert!(matches!(&error, CollectionError::Encode { id, .. } if id == "#8"), "{error}");
}

#[test]
fn a_query_that_cannot_be_encoded_is_an_error() {
    let notes = notes(Lengths::default());
    for _ in 0..2 {
        let error = notes.search(&Search::text("unreadable")).unwrap_err();
        assert_eq!(error.to_string(), "cannot encode the text that begins `unreadable`");
    }
    assert_eq!(notes.cached_queries(), [0, 2], "an error is not cached");
}

#[test]
fn an_encoder_that_loses_or_invents_texts_is_refused() {
    let documents = || [document("a", "light"), document("b", "ship")];
    for (too_few, too_many, wanted) in [
        (1, 0, "the encoder gave views for 1 texts, wanted 2"),
        (0, 1, "the encoder gave views for 3 texts, wanted 2"),
    ] {
        let notes = notes(Lengths { too_few, too_many, location: None });
        let error = notes.writer().unwrap().add(documents()).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
    let notes = notes(Lengths { too_few: 1, ..Lengths::default() });
    let searches = ["light", "ship"].map(Search::text);
    let error = notes.rank_many(&searches, std::num::NonZero::<usize>::MIN).unwrap_err();
    assert_eq!(error.to_string(), "the encoder gave views for 1 texts, wanted 2");
}

#[test]
fn an_encoder_without_a_file_is_passed_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(Collection::options().encoder(Lengths::default()).create(folder.path()).unwrap());
    let error = Collection::open(folder.path()).unwrap_err();
    assert!(matches!(error, CollectionError::OwnEncoder { .. }), "{error}");
    assert_eq!(error.hint(), Some(Hint::GiveEncoder));
    let notes = Collection::options().encoder(Lengths::default()).open(folder.path()).unwrap();
    assert_eq!(notes.stats().model, None);
    assert_eq!(notes.stats().fingerprint, "lengths");
}

#[cfg(unix)]
#[test]
fn a_model_whose_path_cannot_be_written_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/models/\xff")).to_owned();
    let encoder = Lengths { location: Some(path), ..Lengths::default() };
    let error = Collection::options().encoder(encoder).create(&place).unwrap_err();
    assert!(matches!(error, CollectionError::Write { .. }), "{error}");
    // nothing is in the way of another attempt
    assert!(Collection::options().encoder(Lengths::default()).create(&place).is_ok());
}

#[test]
fn a_source_that_fails_ends_the_work_and_earlier_documents_are_kept() {
    let notes = notes(Lengths::default());
    let mut writer = notes.writer().unwrap();
    let read = [Ok(document("a", "light")), Err("the disk is gone"), Ok(document("b", "ship"))];
    let error = writer.try_extend(read).unwrap_err();
    assert!(
        matches!(&error, CollectionError::Source(why) if why.to_string() == "the disk is gone")
    );
    writer.commit().unwrap();
    assert_eq!(notes.ids(), ["a"]);
    let read: [Result<Document, &str>; 1] = [Ok(document("b", "ship"))];
    assert_eq!(writer.try_extend(read).unwrap(), Changes { added: 1, ..Changes::default() });
}

#[test]
fn progress_counts_the_documents_of_each_call() {
    let notes = notes(Lengths::default());
    let mut writer = notes.writer().unwrap();
    let (give, take) = std::sync::mpsc::channel();
    writer.on_progress(move |progress| give.send(progress).is_ok());
    writer.add([document("a", "light"), document("b", "ship")]).unwrap();
    writer.add([document("a", "house")]).unwrap();
    let seen: Vec<Progress> = take.try_iter().collect();
    assert_eq!(seen, [1, 2, 1].map(Progress::Documents));
    writer.commit().unwrap();
    assert_eq!(take.try_iter().next(), Some(Progress::Views(0)));
}
