//! Folds passages into documents: each by its best passage.

use std::collections::HashMap;

use super::Found;
use crate::error::CollectionError;
use crate::record::document_of;

/// The best `k` documents of a search for passages, which is asked for more until there are enough.
pub(super) fn by_document(
    k: usize,
    mut search: impl FnMut(usize) -> Result<Vec<Found>, CollectionError>,
) -> Result<Vec<Found>, CollectionError> {
    let mut passages = k;
    loop {
        let found = search(passages)?;
        let all = found.len() < passages;
        let mut best = fold(found);
        if all || best.len() >= k {
            best.truncate(k);
            return Ok(best);
        }
        passages = passages.saturating_mul(2);
    }
}

/// The first passage of each document, with the keys of its others.
fn fold(found: Vec<Found>) -> Vec<Found> {
    let mut best: Vec<Found> = Vec::with_capacity(found.len());
    let mut places = HashMap::new();
    for passage in found {
        let id = document_of(&passage.candidate.id).to_owned();
        match places.get(&id) {
            None => {
                places.insert(id, best.len());
                best.push(passage);
            }
            Some(&place) => best[place].others.push(passage.candidate.id),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Candidate;

    fn found(keys: &[&str]) -> Vec<Found> {
        let one = |key: &&str| Candidate { id: (*key).to_owned(), score: 0.0, pairs: Vec::new() };
        keys.iter().map(one).map(Found::from).collect()
    }

    #[test]
    fn each_document_comes_once_by_its_best_passage() {
        let all = ["a\u{1f}2", "a", "b", "a\u{1f}3", "c\u{1f}2", "b\u{1f}2"];
        let mut asked = Vec::new();
        let best = by_document(2, |passages| {
            asked.push(passages);
            Ok(found(&all[..passages.min(all.len())]))
        });
        let shown: Vec<(String, usize)> =
            best.unwrap().into_iter().map(|it| (it.candidate.id, it.others.len())).collect();
        assert_eq!(asked, [2, 4]);
        assert_eq!(shown, [("a\u{1f}2".to_owned(), 2), ("b".to_owned(), 0)]);
        let every = by_document(9, |passages| Ok(found(&all[..passages.min(all.len())])));
        assert_eq!(every.unwrap().len(), 3);
    }
}
