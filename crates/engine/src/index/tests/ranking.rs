//! Searches by several lanes find documents that are good for all of them, and a search for few
//! documents is a prefix of a search for many.

use std::sync::OnceLock;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{Unsynced, found, open, settings};
use crate::encoder::Lane;
use crate::{IndexSettings, Nominate, Reader, Request, Rerank, Store, TokenMatrix, Writer};

/// The length of the views.
const DIM: usize = 24;
const DOCUMENTS: u64 = 5_000;
const VOCABULARY: u64 = 3_000;
/// Each view is one word in a context.
const WORDS: u64 = 9;

/// A number from 0 on, below another, that depends on a seed alone.
fn random(seed: u64, below: u64) -> u64 {
    let mixed = (seed ^ 0x51_7C_C1_B7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 32)) % below
}

/// A vector of about unit length that depends on a seed alone.
fn vector(seed: u64) -> impl Iterator<Item = f32> {
    (0..DIM as u64).map(move |place| {
        let share = random(seed.wrapping_mul(DIM as u64).wrapping_add(place), 1 << 20) as f32;
        (share / (1 << 19) as f32 - 1.0) * 0.35
    })
}

/// Words as an encoder sees them: the word, and a little of what is around it.
fn views(words: impl Iterator<Item = u64>, context: u64) -> TokenMatrix {
    let mut values = Vec::new();
    for (place, word) in (0..).zip(words) {
        let around = vector(1_000_000 + context * 64 + place);
        values.extend(vector(word).zip(around).map(|(word, around)| word + 0.4 * around));
    }
    TokenMatrix::new(DIM, values)
}

/// Documents of random words.
fn texts() -> &'static Reader {
    static INDEX: OnceLock<(TempDir, Reader)> = OnceLock::new();
    let (_, reader) = INDEX.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let index = IndexSettings {
            dim: DIM,
            token_dim: None,
            lanes_only: false,
            model: String::new(),
            store: Store::F16,
        };
        let storage = Box::new(Unsynced::new(path));
        let mut writer = Writer::open_on(storage, path, Some(&index), settings()).unwrap();
        for document in 0..DOCUMENTS {
            let words = (0..WORDS).map(|place| random(document * WORDS + place, VOCABULARY));
            writer.add(&format!("d{document}"), &views(words, document), None).unwrap();
        }
        writer.commit().unwrap();
        let reader = Reader::open(path).unwrap();
        assert!(reader.statistics().lists > 0);
        (directory, reader)
    });
    reader
}

/// The documents that some lanes find, best first.
fn by_lanes(query: u64, lanes: usize, k: usize, nominate: Nominate) -> Vec<(String, f32)> {
    let words = (0..lanes as u64).map(|place| random(1 << 40 | query << 8 | place, VOCABULARY));
    let query = views(words, DOCUMENTS + query);
    let lanes: Vec<Lane<'_>> = (0..lanes)
        .map(|token| Lane { token, weight: 1.0 / lanes as f32, view: query.row(token) })
        .collect();
    let hits = texts().search(&Request { nominate, ..Request::new(&lanes, k) }).unwrap();
    hits.into_iter().map(|hit| (hit.id.to_owned(), hit.score)).collect()
}

/// The recall of a search over many queries.
fn recall(lanes: usize, k: usize) -> f64 {
    let queries = 0..40;
    let found: usize = queries
        .clone()
        .map(|query| {
            let truth = by_lanes(query, lanes, k, Nominate::Scan);
            let found = by_lanes(query, lanes, k, Nominate::Auto);
            found.iter().filter(|hit| truth.contains(hit)).count()
        })
        .sum();
    found as f64 / (queries.end as usize * k) as f64
}

#[test]
fn defect_w3_several_lanes_find_what_is_good_for_all_of_them() {
    for lanes in [2, 3, 6] {
        for k in [1, 10, 100] {
            let recall = recall(lanes, k);
            assert!(recall >= 0.98, "{lanes} lanes, {k} documents: {recall}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn defect_w3_the_first_of_few_are_the_first_of_a_hundred(
        query in 0..1_000_u64,
        lanes in 2..7_usize,
        few in 1..100_usize,
    ) {
        let many = by_lanes(query, lanes, 100, Nominate::Auto);
        prop_assert_eq!(&by_lanes(query, lanes, few, Nominate::Auto)[..], &many[..few]);
    }
}

#[test]
fn defect_w4_equal_scores_rank_by_id_descending_whatever_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    let view = |first: f32| {
        let mut values = vec![0.0; super::DIM];
        values[0] = first;
        TokenMatrix::new(super::DIM, values)
    };
    // two commits, so that equal documents lie in two segments
    for half in 0..2 {
        for one in (half..60).step_by(2) {
            writer.add(&format!("d{one:02}"), &view(1.0), None).unwrap();
        }
        writer.commit().unwrap();
    }
    let reader = Reader::open(directory.path()).unwrap();
    let query = view(1.0);
    let ids: Vec<String> = (0..60).rev().map(|one| format!("d{one:02}")).collect();
    let ids = |k: usize| ids[..k].to_vec();
    for nominate in [Nominate::Auto, Nominate::Scan, Nominate::Lists { probes: 1, margin: 0.0 }] {
        for k in [1, 5, 12, 60] {
            let hits = found(&reader, query.row(0), k, nominate);
            assert_eq!(hits.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ids(k));
            let lane = |token| Lane { token, weight: 0.5, view: query.row(0) };
            let lanes = [lane(0), lane(1)];
            let rerank = Some(Rerank { query: &query, weights: None, documents: 20 });
            for rerank in [None, rerank] {
                let request = Request { nominate, rerank, ..Request::new(&lanes, k) };
                let hits = reader.search(&request).unwrap();
                assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), ids(k));
            }
        }
    }
}
