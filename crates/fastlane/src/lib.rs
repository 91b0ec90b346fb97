//! Documents in, answers out: the one place where an encoder, an index of views and an index of
//! words meet.
//!
//! A [`Collection`] keeps the views, the text, the metadata and the words of documents under one
//! commit. A search encodes the query, lets its lanes nominate documents, scores them by late
//! interaction, and says which token of which passage answered which token of the query.
//!
//! ```
//! use fastlane::{Collection, Document, Model, Search, Settings};
//!
//! # let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");
//! # let folder = tempfile::tempdir()?;
//! # let place = folder.path().join("notes");
//! let model = Model::open(model.as_ref(), &Settings::default())?;
//! let collection = Collection::create(&place, model.into())?;
//!
//! let mut writer = collection.writer()?;
//! let note = |id: &str, text: &str| Document { id: id.into(), text: text.into(), ..Document::default() };
//! writer.add([note("a", "the light of the harbour"), note("b", "nine ships")], &mut |_| true)?;
//! writer.commit()?;
//!
//! let found = collection.search("light", &Search::default())?;
//! assert_eq!(found.hits.len(), 2);
//! println!("{} answers, found by `{}`", found.hits[0].document.id, found.query.tokens[found.lanes[0]].text);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod about;
mod answer;
mod check;
mod collection;
mod error;
mod kind;
mod remove;
mod search;
mod snapshot;
mod stop;
mod update;
mod words;
mod writer;

pub use answer::{
    Answer, AnswerError, AnswerHit, AnswerMatch, Milliseconds, QueryToken, SnippetPiece,
};
pub use collection::{Collection, Figures};
pub use error::CollectionError;
pub use kind::{Kind, kind};
pub use search::{Found, Fusion, Hit, Match, Piece, Results, Search, Times, snippet};
pub use stop::Stop;
pub use writer::{Changes, CollectionWriter, Watch};

pub use fastlane_corpus::{Document, Filter, FilterError, Metadata};
pub use fastlane_engine::{
    Checked, DocumentViews, OpenIndexError, Problem, QueryViews, SearchError, Statistics, Store,
    Token, TokenMatrix, UsualLane, WriterSettings,
};
pub use fastlane_model::{Fingerprint, Model, Precision, Settings};
