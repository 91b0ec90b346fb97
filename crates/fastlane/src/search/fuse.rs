//! Fuses the results by views with those of BM25.
//!
//! The weight of BM25 depends on the query: a rare name or number makes the best BM25 score stand
//! out from the tenth, a question of common words does not.

use std::collections::HashMap;

use crate::backend::{Candidate, Scored};
use crate::query::Fusion;

/// The minimum length of both lists.
pub(super) const DEPTH: usize = 100;
/// The constant of reciprocal rank fusion.
const RRF_K: f32 = 60.0;
/// The rank of the score that the best is compared with.
const TENTH: usize = 9;

/// Ranks all candidates by both lists, best first; equal scores by id, descending, as in both
/// lists.
pub(super) fn fuse(
    mut views: Vec<Candidate>,
    words: &[Scored],
    fusion: Fusion,
    k: usize,
) -> Vec<Candidate> {
    views.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.id.cmp(&a.id)));
    let weight = word_weight(words);
    let worth: HashMap<&str, f32> = match fusion {
        Fusion::Ranks => {
            words.iter().zip(0..).map(|(hit, rank)| (hit.id.as_str(), by_rank(rank))).collect()
        }
        Fusion::Scores => {
            let scale = scale(words.iter().map(|hit| hit.score));
            words.iter().map(|hit| (hit.id.as_str(), scale(hit.score))).collect()
        }
    };
    let own: Vec<f32> = views.iter().map(|candidate| candidate.score).collect();
    let of_views = scale(own.into_iter());
    for (rank, candidate) in views.iter_mut().enumerate() {
        let own = match fusion {
            Fusion::Ranks => by_rank(rank),
            Fusion::Scores => of_views(candidate.score),
        };
        let other = worth.get(candidate.id.as_str()).copied().unwrap_or(0.0);
        candidate.score = (1.0 - weight) * own + weight * other;
    }
    views.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.id.cmp(&a.id)));
    views.truncate(k);
    views
}

fn by_rank(rank: usize) -> f32 {
    1.0 / (RRF_K + 1.0 + rank as f32)
}

/// Scales scores to the range 0 to 1; if all are equal, they are 1.
fn scale<I: Iterator<Item = f32>>(scores: I) -> impl Fn(f32) -> f32 + use<I> {
    let (least, most) = scores.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), score| {
        (least.min(score), most.max(score))
    });
    move |score| if most > least { (score - least) / (most - least) } else { 1.0 }
}

/// The weight of BM25 in the score, from 0 to a half: how far its best score stands out from the
/// tenth.
fn word_weight(words: &[Scored]) -> f32 {
    let Some(best) = words.first() else { return 0.0 };
    let tenth = words.get(TENTH).map_or(0.0, |hit| hit.score);
    0.5 * ((best.score - tenth) / best.score).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(all: &[(&str, f32)]) -> Vec<Candidate> {
        let candidate =
            |&(id, score): &(&str, f32)| Candidate { id: id.to_owned(), score, pairs: Vec::new() };
        all.iter().map(candidate).collect()
    }

    fn hits(all: &[(&str, f32)]) -> Vec<Scored> {
        all.iter().map(|&(id, score)| Scored { id: id.to_owned(), score }).collect()
    }

    fn found(all: &[Candidate]) -> Vec<(&str, f32)> {
        all.iter().map(|candidate| (candidate.id.as_str(), candidate.score)).collect()
    }

    #[test]
    fn scores_by_hand() {
        // fewer than ten hits: BM25 gets its largest weight, a half
        let views = candidates(&[("a", 4.0), ("b", 3.0), ("c", 2.0)]);
        let words = hits(&[("c", 8.0), ("b", 4.0)]);
        let fused = fuse(views, &words, Fusion::Scores, 2);
        assert_eq!(found(&fused), [("c", 0.5), ("a", 0.5)]);
    }

    #[test]
    fn ranks_by_hand() {
        let views = candidates(&[("a", 4.0), ("b", 3.0)]);
        let fused = fuse(views, &hits(&[("b", 8.0)]), Fusion::Ranks, 9);
        let half = |ranks: &[f32]| ranks.iter().map(|rank| 0.5 / (60.0 + rank)).sum::<f32>();
        assert_eq!(found(&fused), [("b", half(&[2.0, 1.0])), ("a", half(&[1.0]))]);
    }

    #[test]
    fn defect_w4_equal_scores_rank_by_id_descending() {
        let all: Vec<String> = ('a'..='l').map(String::from).collect();
        let equal: Vec<(&str, f32)> = all.iter().map(|id| (id.as_str(), 1.0)).collect();
        let last: Vec<(&str, f32)> = equal.iter().copied().rev().collect();
        for fusion in [Fusion::Ranks, Fusion::Scores] {
            let ids = |k| {
                let fused = fuse(candidates(&equal), &hits(&last), fusion, k);
                fused.into_iter().map(|candidate| candidate.id).collect::<Vec<_>>()
            };
            let wanted: Vec<String> = all.iter().rev().cloned().collect();
            assert_eq!(ids(12), wanted);
            assert_eq!(ids(5), wanted[..5]);
        }
    }

    #[test]
    fn words_that_decide_nothing_count_nothing() {
        let even: Vec<(String, f32)> = (0..20).map(|at| (format!("{at}"), 3.0)).collect();
        let even: Vec<(&str, f32)> = even.iter().map(|(id, score)| (id.as_str(), *score)).collect();
        assert_eq!(word_weight(&hits(&even)), 0.0);
        assert_eq!(word_weight(&[]), 0.0);
        assert_eq!(word_weight(&hits(&[("a", 2.0)])), 0.5);
        let fused = fuse(candidates(&[("a", 2.0), ("b", 1.0)]), &hits(&even), Fusion::Ranks, 2);
        assert_eq!(fused[0].id, "a");
    }
}
