//! Which documents pass a filter.

use super::error::LexicalSearchError;
use super::pace::Pace;
use super::passing::Passing;
use super::reader::LexicalReader;
use crate::Filter;

impl LexicalReader {
    /// Evaluates a filter while `go_on` says so: it is asked before each comparison, and between
    /// the lists of one.
    ///
    /// # Errors
    ///
    /// The index cannot be read, or the evaluation was stopped.
    pub fn passing(
        &self,
        filter: &Filter,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Passing, LexicalSearchError> {
        self.allowed(Some(filter), &Pace::new(go_on))
    }

    /// Lists the ids of the documents that pass a filter, in rising order.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    pub fn matching(&self, filter: &Filter) -> Result<Vec<String>, LexicalSearchError> {
        self.ids_of(&self.passing(filter, &|| true)?)
    }

    /// Lists the ids of the documents in a set, in rising order.
    ///
    /// # Errors
    ///
    /// The set is of another reader, or the index cannot be read.
    pub fn ids_of(&self, passing: &Passing) -> Result<Vec<String>, LexicalSearchError> {
        self.check(passing)?;
        let mut ids = Vec::new();
        for (segment, allowed) in self.segments.iter().zip(&passing.segments) {
            let mut ords: Vec<u64> = match allowed {
                Some(allowed) => allowed.iter().map(|doc| segment.id_ord(doc)).collect(),
                None => (0..segment.len()).map(|doc| segment.id_ord(doc)).collect(),
            };
            ords.sort_unstable();
            ids.append(&mut segment.ids(&ords)?);
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// The documents that may be found with a filter or without one.
    pub(super) fn allowed(
        &self,
        filter: Option<&Filter>,
        pace: &Pace<'_>,
    ) -> Result<Passing, LexicalSearchError> {
        let segments = self.segments.iter().map(|segment| segment.allowed(filter, pace));
        Ok(Passing { segments: segments.collect::<Result<_, _>>()? })
    }

    /// Refuses a set whose bits are not those of these segments.
    pub(super) fn check(&self, passing: &Passing) -> Result<(), LexicalSearchError> {
        let fits = passing.segments.len() == self.segments.len()
            && self.segments.iter().zip(&passing.segments).all(|(segment, allowed)| {
                allowed.as_ref().is_none_or(|allowed| allowed.len() == segment.len())
            });
        if fits { Ok(()) } else { Err(LexicalSearchError::OtherCommit) }
    }
}
