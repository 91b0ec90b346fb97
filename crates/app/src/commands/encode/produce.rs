//! The second thread: encodes texts in their order.

use std::sync::mpsc::{SyncSender, channel};

use anyhow::Context as _;
use fastlane_engine::{DocumentViews, Encoder as _, QueryViews};
use fastlane_model::Model;

use crate::input::{Text, Texts};
use crate::model::Digest;

/// A text on its way from the model to the disk.
pub(super) struct Encoded {
    pub(super) id: String,
    /// Of all texts up to this one.
    pub(super) digest: Digest,
    pub(super) views: Views,
}

pub(super) enum Views {
    Document(DocumentViews),
    Query(QueryViews),
}

impl Views {
    /// The bytes that were cut off, and the count of views.
    pub(super) fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Document(views) => (views.cut, views.views.len()),
            Self::Query(views) => (views.cut, views.views.len()),
        }
    }
}

/// The channel for encoded texts; it fails once the receiver is gone.
pub(super) type ResultSender = SyncSender<anyhow::Result<Encoded>>;

/// Texts with the digest of all up to each.
pub(super) struct DigestedTexts {
    pub(super) texts: Texts,
    pub(super) digest: Digest,
}

impl Iterator for DigestedTexts {
    type Item = anyhow::Result<(Text, Digest)>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.texts.next()?;
        Some(text.map(|text| {
            self.digest.add_text(&text);
            (text, self.digest)
        }))
    }
}

/// Encodes documents until the input ends or the receiver is gone; an error is sent in its place,
/// as the last item.
pub(super) fn encode_documents(model: &Model, texts: DigestedTexts, give: &ResultSender) {
    // state that the encoder does not carry: ids, and the error that ended the texts
    let (note, noted) = channel();
    let texts = texts.map_while(move |text| {
        let (noted, text) = match text {
            Ok(((id, text), digest)) => (Ok((id, digest)), Some(text)),
            Err(error) => (Err(error), None),
        };
        note.send(noted).ok().and(text)
    });
    for views in model.encode_documents(Box::new(texts.fuse())) {
        let Ok(Ok((id, digest))) = noted.recv() else { return };
        let views = views.with_context(|| format!("cannot encode document `{id}`"));
        let views = views.map(Views::Document);
        if give.send(views.map(|views| Encoded { id, digest, views })).is_err() {
            return;
        }
    }
    if let Ok(Err(error)) = noted.try_recv() {
        // the receiver is gone
        let _ = give.send(Err(error));
    }
}

/// Encodes queries, one after the other.
pub(super) fn encode_queries(model: &Model, texts: DigestedTexts, give: &ResultSender) {
    for text in texts {
        let encoded = text.and_then(|((id, text), digest)| {
            let views = model.encode_query(&text);
            let views = views.with_context(|| format!("cannot encode query `{id}`"))?;
            Ok(Encoded { id, digest, views: Views::Query(views) })
        });
        let last = encoded.is_err();
        if give.send(encoded).is_err() || last {
            return;
        }
    }
}
