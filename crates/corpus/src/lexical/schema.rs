//! The schema: how documents are stored in tantivy, and how an index stores its version.
//!
//! | field | holds | kept as |
//! |---|---|---|
//! | `id` | the external id | one term, and a column for ranking ties |
//! | `words` | title and text as one field | terms with frequencies and lengths |
//! | `title`, `text`, `metadata` | the document, and the caller's note, to give them back | compressed store |
//! | `facts` | what filters may ask | terms, see `lexical/facts.rs` |
//!
//! The format version and the analyzer are the name of the tokenizer of `words`:
//! `fastlane-1-english`. So they reach the disk with the schema, in one atomic write of tantivy's,
//! and no second file can contradict them.

use std::path::Path;

use tantivy::directory::MmapDirectory;
use tantivy::schema::{
    Field, FieldType, INDEXED, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, TantivyDocument};

use super::analyzer::{Analyzer, WordTokenizer};
use super::directory::Readable;
use super::error::LexicalOpenError;
use super::facts;
use crate::Document;

/// Raised whenever the written format changes in a way that older builds would misread.
const FORMAT: u32 = 1;

/// The settings that an index cannot change later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LexicalSettings {
    /// The analyzer.
    pub analyzer: Analyzer,
}

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) words: Field,
    pub(super) title: Field,
    pub(super) text: Field,
    pub(super) metadata: Field,
    pub(super) facts: Field,
}

impl Fields {
    fn of(schema: &Schema) -> Option<Self> {
        let field = |name| schema.get_field(name).ok();
        Some(Fields {
            id: field("id")?,
            words: field("words")?,
            title: field("title")?,
            text: field("text")?,
            metadata: field("metadata")?,
            facts: field("facts")?,
        })
    }

    /// A document as tantivy keeps it; the note is a second value of `metadata`.
    pub(super) fn lay_out(&self, document: &Document, note: Option<&str>) -> TantivyDocument {
        let mut laid = TantivyDocument::new();
        laid.add_text(self.id, &document.id);
        laid.add_text(self.words, document.full_text());
        laid.add_text(self.title, &document.title);
        laid.add_text(self.text, &document.text);
        let metadata = serde_json::to_string(&document.metadata)
            .expect("a map of JSON values is written without error");
        laid.add_text(self.metadata, metadata);
        note.into_iter().for_each(|note| laid.add_text(self.metadata, note));
        facts::for_each(&document.metadata, &mut |fact| laid.add_bytes(self.facts, fact));
        laid
    }
}

fn schema(settings: LexicalSettings) -> Schema {
    let mut schema = Schema::builder();
    let raw = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
    let raw = raw.set_index_option(IndexRecordOption::Basic);
    schema.add_text_field("id", TextOptions::default().set_indexing_options(raw).set_fast("raw"));
    let words = TextFieldIndexing::default()
        .set_tokenizer(&tokenizer_name(settings.analyzer))
        .set_index_option(IndexRecordOption::WithFreqs);
    schema.add_text_field("words", TextOptions::default().set_indexing_options(words));
    for stored in ["title", "text", "metadata"] {
        schema.add_text_field(stored, STORED);
    }
    schema.add_bytes_field("facts", INDEXED);
    schema.build()
}

fn tokenizer_name(analyzer: Analyzer) -> String {
    format!("fastlane-{FORMAT}-{}", analyzer.name())
}

pub(super) fn create(
    path: &Path,
    settings: LexicalSettings,
) -> Result<(Index, Fields), LexicalOpenError> {
    std::fs::create_dir_all(path)
        .map_err(|source| LexicalOpenError::Create { path: path.to_owned(), source })?;
    if path.join("meta.json").exists() {
        return Err(LexicalOpenError::Exists { path: path.to_owned() });
    }
    let schema = schema(settings);
    let fields = Fields::of(&schema).expect("the schema has all fields");
    let index =
        Index::create_in_dir(path, schema).map_err(|error| LexicalOpenError::of(error, path))?;
    register(&index, settings.analyzer);
    Ok((index, fields))
}

pub(super) fn open(path: &Path) -> Result<(Index, Fields, LexicalSettings), LexicalOpenError> {
    if !path.join("meta.json").exists() {
        return Err(LexicalOpenError::Missing { path: path.to_owned() });
    }
    let failed = |error| LexicalOpenError::of(error, path);
    let directory = MmapDirectory::open(path).map_err(|error| failed(error.into()))?;
    let index = Index::open(Readable(directory)).map_err(failed)?;
    let schema = index.schema();
    let (fields, settings) = recognise(&schema, path)?;
    register(&index, settings.analyzer);
    Ok((index, fields, settings))
}

fn recognise(schema: &Schema, path: &Path) -> Result<(Fields, LexicalSettings), LexicalOpenError> {
    let foreign = || LexicalOpenError::Foreign { path: path.to_owned() };
    let name = tokenizer_of(schema).ok_or_else(foreign)?;
    let (format, analyzer) =
        name.strip_prefix("fastlane-").and_then(|name| name.split_once('-')).ok_or_else(foreign)?;
    let found = format.parse().map_err(|_| foreign())?;
    if found != FORMAT {
        return Err(LexicalOpenError::Format { path: path.to_owned(), found, wanted: FORMAT });
    }
    let analyzer = Analyzer::named(analyzer).ok_or_else(foreign)?;
    Ok((Fields::of(schema).ok_or_else(foreign)?, LexicalSettings { analyzer }))
}

fn tokenizer_of(schema: &Schema) -> Option<&str> {
    let words = schema.get_field("words").ok()?;
    match schema.get_field_entry(words).field_type() {
        FieldType::Str(options) => Some(options.get_indexing_options()?.tokenizer()),
        _ => None,
    }
}

fn register(index: &Index, analyzer: Analyzer) {
    let tokenizer = TextAnalyzer::from(WordTokenizer::new(analyzer));
    index.tokenizers().register(&tokenizer_name(analyzer), tokenizer);
}
