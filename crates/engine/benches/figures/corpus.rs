//! Indexes to measure, and queries for them.

use std::num::NonZero;
use std::path::Path;
use std::time::Instant;

use fastlane_engine::{
    IndexSettings, Reader, Reduction, Store, StoredDocuments, TokenMatrix, Writer, WriterSettings,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

/// The dimension of generated views.
pub(crate) const DIM: usize = 128;
/// The number of views of a generated document.
pub(crate) const LENGTH: usize = 70;
/// The number of queries.
const QUERIES: usize = 1000;

/// The number of tokens of a generated query text.
const TOKENS: usize = 12;

/// An index in a temporary directory, and queries.
pub(crate) struct Corpus {
    directory: TempDir,
    store: Store,
    pub(crate) queries: TokenMatrix,
    /// All token views of each query text.
    pub(crate) texts: Vec<TokenMatrix>,
}

/// The data of an index.
struct Source<'a> {
    name: &'a str,
    texts: Vec<TokenMatrix>,
    lists_from: u64,
    store: Store,
}

impl Corpus {
    /// Generated documents without lists, for benches that scan all views.
    pub(crate) fn of_equal_documents(views: usize) -> Self {
        let mut clusters = Clusters::new();
        let documents = clusters.documents(views);
        let (texts, store) = (clusters.texts(), Store::F16);
        Self::build(documents, Source { name: "made up", texts, lists_from: u64::MAX, store })
    }

    /// The million real views if they exist, else generated ones.
    pub(crate) fn real_or_clustered(views: usize, store: Store) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/views");
        let lists_from = WriterSettings::default().lists_from;
        if root.join("million/ids.txt").exists() {
            let documents = stored(&root.join("million"));
            let texts = stored(&root.join("query-tokens")).take(QUERIES).map(|(_, views)| views);
            let (name, texts) = ("target/views/million", texts.collect());
            return Self::build(documents, Source { name, texts, lists_from, store });
        }
        let mut clusters = Clusters::new();
        let documents = clusters.documents(views);
        let texts = clusters.texts();
        Self::build(documents, Source { name: "made up", texts, lists_from, store })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    fn build(
        documents: impl IntoIterator<Item = (String, TokenMatrix)>,
        Source { name, texts, lists_from, store }: Source<'_>,
    ) -> Self {
        let (directory, queries) = (tempfile::tempdir().unwrap(), middles(&texts));
        let corpus = Self { directory, store, queries, texts };
        let threads = WriterSettings::default().threads;
        let began = Instant::now();
        let mut writer = corpus.writer(threads, lists_from);
        for (id, views) in documents {
            writer.add(&id, &views, None).unwrap();
        }
        writer.commit().unwrap();
        let statistics = Reader::open(corpus.path()).unwrap().statistics();
        println!(
            "{name}: {} views of {} documents in {} lists, {store}, built in {:.1} s",
            statistics.views,
            statistics.documents,
            statistics.lists,
            began.elapsed().as_secs_f64()
        );
        corpus
    }

    pub(crate) fn writer(&self, threads: NonZero<usize>, lists_from: u64) -> Writer {
        let (dim, store) = (self.queries.dim(), self.store);
        let index =
            IndexSettings { dim, token_dim: None, lanes_only: false, model: String::new(), store };
        let settings = WriterSettings {
            threads,
            lists_from,
            reduction: Reduction::OFF,
            ..WriterSettings::default()
        };
        Writer::open(self.path(), &index, settings).unwrap()
    }
}

fn stored(directory: &Path) -> impl Iterator<Item = (String, TokenMatrix)> + use<> {
    let documents = StoredDocuments::open(directory).unwrap();
    documents.map(|document| document.map(|document| (document.id, document.views)).unwrap())
}

/// The middle token of each text.
fn middles(texts: &[TokenMatrix]) -> TokenMatrix {
    let values = texts.iter().flat_map(|views| views.row(views.len() / 2)).copied().collect();
    TokenMatrix::new(texts[0].dim(), values)
}

/// Views around 2,000 random centres.
struct Clusters {
    random: ChaCha8Rng,
    centres: TokenMatrix,
}

impl Clusters {
    fn new() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let values = (0..2_000 * DIM).map(|_| uniform(&mut random)).collect();
        Self { centres: TokenMatrix::new(DIM, values), random }
    }

    fn documents(&mut self, views: usize) -> Vec<(String, TokenMatrix)> {
        (0..views / LENGTH).map(|number| (number.to_string(), self.views(LENGTH))).collect()
    }

    fn texts(&mut self) -> Vec<TokenMatrix> {
        (0..QUERIES).map(|_| self.views(TOKENS)).collect()
    }

    /// Views of unit length, about half of which is noise.
    fn views(&mut self, count: usize) -> TokenMatrix {
        let mut values = Vec::with_capacity(count * DIM);
        for _ in 0..count {
            let centre = self.random.next_u64() as usize % self.centres.len();
            let centre = self.centres.row(centre);
            let view: Vec<f32> = centre.iter().map(|x| x + uniform(&mut self.random)).collect();
            let length = view.iter().map(|x| x * x).sum::<f32>().sqrt();
            values.extend(view.iter().map(|x| x / length));
        }
        TokenMatrix::new(DIM, values)
    }
}

/// A uniform number between -1 and 1.
fn uniform(random: &mut ChaCha8Rng) -> f32 {
    (random.next_u32() as f32 / u32::MAX as f32) * 2.0 - 1.0
}
