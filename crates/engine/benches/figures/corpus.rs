//! Indexes to measure, and queries for them.

use std::num::NonZero;
use std::path::Path;
use std::time::Instant;

use fastlane_engine::{
    IndexSettings, Reader, Reduction, StoredDocuments, TokenMatrix, Writer, WriterSettings,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

/// The length of made-up views.
pub(crate) const DIM: usize = 128;
/// The views of a made-up document.
pub(crate) const LENGTH: usize = 70;
/// How many queries there are.
const QUERIES: usize = 1000;

/// An index in a directory that goes with it, and queries.
pub(crate) struct Corpus {
    directory: TempDir,
    pub(crate) queries: TokenMatrix,
}

impl Corpus {
    /// Made-up documents without lists, for all that looks at every view.
    pub(crate) fn of_equal_documents(views: usize) -> Self {
        let mut clusters = Clusters::new();
        let documents = clusters.documents(views);
        Self::build("made up", documents, clusters.views(QUERIES), u64::MAX)
    }

    /// The million real views if they are there, or made-up ones.
    pub(crate) fn real_or_clustered(views: usize) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/views");
        let lists_from = WriterSettings::default().lists_from;
        if root.join("million/ids.txt").exists() {
            let documents = stored(&root.join("million"));
            let queries = tokens(stored(&root.join("query-tokens")));
            return Self::build("target/views/million", documents, queries, lists_from);
        }
        let mut clusters = Clusters::new();
        let documents = clusters.documents(views);
        Self::build("made up", documents, clusters.views(QUERIES), lists_from)
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    fn build(
        name: &str,
        documents: impl IntoIterator<Item = (String, TokenMatrix)>,
        queries: TokenMatrix,
        lists_from: u64,
    ) -> Self {
        let corpus = Self { directory: tempfile::tempdir().unwrap(), queries };
        let threads = WriterSettings::default().threads;
        let began = Instant::now();
        let mut writer = corpus.writer(threads, lists_from);
        for (id, views) in documents {
            writer.add(&id, &views, None).unwrap();
        }
        writer.commit().unwrap();
        let statistics = Reader::open(corpus.path()).unwrap().statistics();
        println!(
            "{name}: {} views of {} documents in {} lists, built in {:.0} s",
            statistics.views,
            statistics.documents,
            statistics.lists,
            began.elapsed().as_secs_f64()
        );
        corpus
    }

    pub(crate) fn writer(&self, threads: NonZero<usize>, lists_from: u64) -> Writer {
        let index =
            IndexSettings { dim: self.queries.dim(), token_dim: None, model: String::new() };
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

/// The token in the middle of each text.
fn tokens(texts: impl Iterator<Item = (String, TokenMatrix)>) -> TokenMatrix {
    let views: Vec<TokenMatrix> = texts.take(QUERIES).map(|(_, views)| views).collect();
    let values = views.iter().flat_map(|views| views.row(views.len() / 2)).copied().collect();
    TokenMatrix::new(views[0].dim(), values)
}

/// Views around 2,000 centres at random.
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

/// Between -1 and 1.
fn uniform(random: &mut ChaCha8Rng) -> f32 {
    (random.next_u32() as f32 / u32::MAX as f32) * 2.0 - 1.0
}
