//! Every measure equals a naive reference from its definition, over random runs and qrels.

use std::collections::BTreeMap;

use fastlane_eval::{Evaluation, Hit, Missing, Qrels, QrelsFormat, Ranking, Run, Score};
use proptest::prelude::*;

/// Document id to score, and document id to grade.
type Returned = BTreeMap<String, f64>;
type Graded = BTreeMap<String, i32>;

/// Few ids and few scores, so that hits, misses and ties are all common.
fn returned() -> impl Strategy<Value = Returned> {
    prop::collection::btree_map(
        "[a-dA-D0-2é]{1,2}",
        (-4..5_i8).prop_map(|s| f64::from(s) / 2.0),
        0..30,
    )
}

fn graded() -> impl Strategy<Value = Graded> {
    prop::collection::btree_map("[a-dA-D0-2é]{1,2}", -2..5_i32, 1..30)
}

/// The grades of the returned documents, in trec_eval's order: score, then id, both descending.
fn ranked(returned: &Returned, graded: &Graded) -> Vec<i32> {
    let mut order: Vec<(&String, &f64)> = returned.iter().collect();
    order.sort_by(|a, b| b.1.partial_cmp(a.1).unwrap().then(b.0.as_bytes().cmp(a.0.as_bytes())));
    order.iter().map(|(document, _)| graded.get(*document).copied().unwrap_or(0).max(0)).collect()
}

/// The definition of each measure, over grades alone; `level` and `k` as in its name.
fn naive(name: &str, returned: &Returned, graded: &Graded, level: i32, k: usize) -> f64 {
    let ranked = ranked(returned, graded);
    let relevant = graded.values().filter(|grade| **grade >= level).count() as f64;
    let hits = |k: usize| ranked.iter().take(k).filter(|grade| **grade >= level).count() as f64;
    match name {
        "P" => hits(k) / k as f64,
        "R" if relevant > 0.0 => hits(k) / relevant,
        "Success" => f64::from(hits(k) > 0.0),
        "RR" => (1..=k.min(ranked.len())).find(|&r| hits(r) > 0.0).map_or(0.0, |r| 1.0 / r as f64),
        "AP" if relevant > 0.0 => {
            let relevant_ranks = (1..=k.min(ranked.len())).filter(|r| ranked[r - 1] >= level);
            relevant_ranks.map(|r| hits(r) / r as f64).sum::<f64>() / relevant
        }
        "nDCG" => ndcg(&ranked, graded, k, f64::from),
        "nDCG(exp)" => ndcg(&ranked, graded, k, |grade| 2_f64.powi(grade) - 1.0),
        _ => 0.0,
    }
}

fn ndcg(ranked: &[i32], graded: &Graded, k: usize, gain: impl Fn(i32) -> f64) -> f64 {
    let dcg = |grades: &[i32]| -> f64 {
        (0..k.min(grades.len())).map(|i| gain(grades[i]) / ((i + 2) as f64).log2()).sum()
    };
    let mut best: Vec<i32> = graded.values().map(|grade| (*grade).max(0)).collect();
    best.sort_by_key(|grade| -grade);
    if dcg(&best) == 0.0 { 0.0 } else { dcg(ranked) / dcg(&best) }
}

fn run(returned: &Returned) -> Run {
    let hit = |(document, score): (&String, &f64)| Hit {
        document: document.as_str().into(),
        score: Score::new(*score).unwrap(),
    };
    let mut run = Run::new("random");
    run.insert("q", Ranking::new(returned.iter().map(hit).collect()).unwrap());
    run
}

fn qrels(graded: &Graded) -> Qrels {
    let mut qrels = Qrels::default();
    for (document, grade) in graded {
        qrels.insert("q", document, *grade);
    }
    qrels
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn measures_equal_their_definitions(
        returned in returned(), graded in graded(), level in 1..4_i32, k in 1..25_usize,
    ) {
        for (text, twin, k) in [
            (format!("P(rel={level})@{k}"), "P", k),
            (format!("R(rel={level})@{k}"), "R", k),
            (format!("Success(rel={level})@{k}"), "Success", k),
            (format!("RR(rel={level})@{k}"), "RR", k),
            (format!("RR(rel={level})"), "RR", usize::MAX),
            (format!("AP(rel={level})@{k}"), "AP", k),
            (format!("AP(rel={level})"), "AP", usize::MAX),
            (format!("nDCG@{k}"), "nDCG", k),
            ("nDCG".to_owned(), "nDCG", usize::MAX),
            (format!("nDCG(dcg='exp-log2')@{k}"), "nDCG(exp)", k),
        ] {
            let measure = text.parse().unwrap();
            let evaluation =
                Evaluation::new(&run(&returned), &qrels(&graded), &[measure], Missing::Skip).unwrap();
            let (ours, twin) = (evaluation.mean(0), naive(twin, &returned, &graded, level, k));
            prop_assert!((ours - twin).abs() < 1e-12, "{}: {} {}", text, ours, twin);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&ours), "{}: {}", text, ours);
        }
    }

    #[test]
    fn runs_read_back_as_they_were_written(
        rankings in prop::collection::btree_map("[a-z0-9é/:._-]{1,6}", returned(), 1..5),
        scale in -1e300..1e300_f64,
    ) {
        let mut run = Run::new("tag");
        for (query, returned) in rankings.iter().filter(|(_, returned)| !returned.is_empty()) {
            let hits = returned.iter().map(|(document, score)| Hit {
                document: document.as_str().into(),
                score: Score::new(score * scale / 7.0).unwrap(),
            });
            run.insert(query.as_str(), Ranking::new(hits.collect()).unwrap());
        }
        prop_assume!(run.rankings().len() > 0);
        let mut text = Vec::new();
        run.write(&mut text).unwrap();
        prop_assert_eq!(Run::read(&*text, "again").unwrap(), run);
    }

    #[test]
    fn qrels_read_back_as_they_were_written(
        queries in prop::collection::btree_map("[a-z0-9é]{1,4}", graded(), 1..5),
        beir: bool,
    ) {
        let mut qrels = Qrels::default();
        for (query, graded) in &queries {
            for (document, grade) in graded {
                qrels.insert(query, document, *grade);
            }
        }
        let format = if beir { QrelsFormat::Beir } else { QrelsFormat::Trec };
        let mut text = Vec::new();
        qrels.write(&mut text, format).unwrap();
        prop_assert_eq!(Qrels::read(&*text, "again").unwrap(), qrels);
    }

    #[test]
    fn any_bytes_are_read_or_refused_in_one_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for message in [
            Run::read(&*bytes, "x").map(|_| ()).map_err(|e| e.to_string()),
            Qrels::read(&*bytes, "x").map(|_| ()).map_err(|e| e.to_string()),
        ] {
            prop_assert!(message.err().is_none_or(|m| !m.contains('\n') && m.starts_with("`x` ")));
        }
    }
}
