//! A collection over an encoder of your own: here one that hashes the three-letter parts of words.
//!
//! ```sh
//! cargo run -p fastlane --example own_encoder
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use fastlane::{
    Collection, Document, DocumentViews, EncodeError, Encoder, QueryViews, Search, Token,
    TokenMatrix, UsualLane, ViewDims, check_encoder,
};

/// A token is a word, its view counts the hashes of its trigrams: related words have related views.
struct Trigrams;

const DIM: usize = 64;

impl Trigrams {
    fn views(text: &str) -> (Vec<Token>, TokenMatrix) {
        let text = if text.trim().is_empty() { "-" } else { text };
        let words: Vec<&str> = text.split_whitespace().collect();
        let token = |word: &&str| Token { id: 0, text: (*word).to_owned(), bytes: None };
        let views = words.iter().flat_map(|word| {
            let letters: Vec<char> = format!(" {} ", word.to_lowercase()).chars().collect();
            let mut view = vec![0.0_f32; DIM];
            for trigram in letters.windows(3) {
                let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(trigram);
                view[(hash % DIM as u64) as usize] += 1.0;
            }
            let length = view.iter().map(|value| value * value).sum::<f32>().sqrt();
            view.into_iter().map(move |value| value / length)
        });
        (words.iter().map(token).collect(), TokenMatrix::new(DIM, views.collect()))
    }
}

impl Encoder for Trigrams {
    fn fingerprint(&self) -> String {
        "trigrams-64".to_owned()
    }

    fn dims(&self) -> ViewDims {
        ViewDims { searched: DIM, tokens: None }
    }

    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError> {
        let (tokens, views) = Self::views(text);
        let count = tokens.len();
        let soft_lane = views.row(0).to_vec();
        let alpha = vec![1.0 / count as f32; count];
        let usual = UsualLane::All;
        Ok(QueryViews { tokens, views, alpha, lane_views: None, soft_lane, usual, cut: 0 })
    }

    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a> {
        Box::new(texts.map(|text| {
            let (tokens, views) = Self::views(&text);
            Ok(DocumentViews { tokens, views, lane_views: None, cut: 0 })
        }))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    check_encoder(&Trigrams, &["light", "the light of the harbour"])?;

    let folder = tempfile::tempdir()?;
    let notes = Collection::options().encoder(Trigrams).create(folder.path().join("notes"))?;
    let note = |id: &str, text: &str| Document {
        id: id.to_owned(),
        text: text.to_owned(),
        ..Document::default()
    };
    let mut writer = notes.writer()?;
    writer
        .add([note("harbour", "lighthouses of the harbour"), note("bread", "how to bake bread")])?;
    writer.commit()?;

    for query in ["lighthouse", "baking"] {
        let found = notes.search(&Search::text(query).k(1))?;
        println!("{query}: {}", found.hits[0].document.id);
    }
    let found = notes.search(&Search::text("lighthouse").k(1))?;
    assert_eq!(found.hits[0].document.id, "harbour");
    Ok(())
}
