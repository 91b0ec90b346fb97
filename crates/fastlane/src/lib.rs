//! Collections of documents that are searched by lanes, late interaction and BM25.
//!
//! | | |
//! |---|---|
//! | [`Collection`] | documents on disk or in memory, open for searches |
//! | [`CollectionOptions`] | how one is made or opened |
//! | [`CollectionWriter`] | changes to it, all or nothing |
//! | [`Search`] | a query, and how it is answered |
//! | [`SearchResult`] | what was found, and why |
//! | [`Encoder`] | what makes views of texts: a [`Model`], or your own |
//!
//! A collection stores the views, the text, the metadata and the lexical index of documents under
//! one commit. A search encodes the query, retrieves candidates with its lanes, reranks them by
//! late interaction, and reports which document token matches which query token.
//!
//! ```
//! use fastlane::{Collection, Document, Model, Search, Settings};
//!
//! # let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");
//! # let folder = tempfile::tempdir()?;
//! # let directory = folder.path().join("notes");
//! let model = Model::open(model, &Settings::default())?;
//! let notes = Collection::options().encoder(model).create(&directory)?;
//!
//! let note = |id: &str, text: &str| Document { id: id.into(), text: text.into(), ..Document::default() };
//! let mut writer = notes.writer()?;
//! writer.add([note("a", "the light of the harbour"), note("b", "nine ships")])?;
//! writer.commit()?;
//!
//! let found = notes.search(&Search::text("light").k(10))?;
//! assert_eq!(found.hits.len(), 2);
//! let best = &found.hits[0];
//! println!("{}: {} answers `light`", best.document.id, best.matches[0].token);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A folder of text files, and later only what has changed in it:
//!
//! ```
//! use fastlane::{Collection, Documents, ReadSettings};
//! # use fastlane::{Model, Search, Settings};
//!
//! # let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");
//! # let place = tempfile::tempdir()?;
//! # let (folder, directory) = (place.path().join("texts"), place.path().join("index"));
//! # std::fs::create_dir(&folder)?;
//! # std::fs::write(folder.join("a.txt"), "the light of the harbour")?;
//! # let model = Model::open(model, &Settings::default())?;
//! # let made = Collection::options().encoder(model).create(&directory)?;
//! # drop(made);
//! let collection = Collection::open(&directory)?;
//! let mut writer = collection.writer()?;
//! writer.try_extend(Documents::open(&folder, &ReadSettings::default())?)?;
//! writer.commit()?;
//!
//! let documents: Vec<_> = Documents::open(&folder, &ReadSettings::default())?.collect::<Result<_, _>>()?;
//! let changes = writer.update(documents)?;
//! assert_eq!((changes.added, changes.unchanged), (0, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod cache;
mod collection;
mod error;
mod options;
mod query;
mod read;
mod record;
mod result;
mod search;
mod snippet;
mod split;
mod stop;
mod update;
mod writer;

pub use backend::local::{Kind, kind};
pub use collection::{Collection, Stats};
pub use error::{CollectionError, Hint};
pub use options::CollectionOptions;
pub use query::{Fusion, Lanes, Query, Search};
pub use record::Passage;
pub use result::{
    Hit, LaneKind, Match, QueryToken, ResultError, SearchResult, SnippetPiece, Times,
};
pub use search::Results;
pub use snippet::window;
pub use stop::Stop;
pub use update::Changes;
pub use writer::{CollectionWriter, Progress};

pub use fastlane_corpus::{
    Columns, Document, Documents, Filter, FilterError, Format, Heading, LeftOut, LeftOutKind,
    LexicalOpenError, LexicalSearchError, LexicalWriteError, Metadata, OnError, Outline, Part,
    PassageSettings, ReadError, ReadSettings, Skipped,
};
pub use fastlane_engine::{
    CheckReport, DocumentViews, EncodeError, Encoder, FingerprintMatch, Lane, OpenIndexError,
    Problem, QueryViews, Reduction, SearchError, Statistics, Store, Token, TokenMatrix, UsualLane,
    ViewDims, WriteIndexError, WriterSettings, check_encoder,
};
pub use fastlane_model::{CheckpointError, Fingerprint, Model, OpenError, Precision, Settings};

/// What may be shared between threads, and sent to them.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    const fn sent<T: Send>() {}
    shared::<Collection>();
    shared::<CollectionOptions>();
    shared::<Search>();
    shared::<SearchResult>();
    shared::<CollectionError>();
    sent::<CollectionWriter>();
    sent::<Results>();
};
