//! What to tell of a filter that no document passes: a misspelled field and a wrong value look the
//! same, like a collection without answers.

use fastlane_corpus::Filter;

/// A warning, if nothing passes; `passes` tells whether any document passes a filter.
pub(crate) fn warning<E>(
    filter: &Filter,
    mut passes: impl FnMut(&Filter) -> Result<bool, E>,
) -> Result<Option<String>, E> {
    if passes(filter)? {
        return Ok(None);
    }
    for (field, exists) in filter.fields() {
        if !passes(&exists)? {
            return Ok(Some(format!(
                "warning: no document has the field `{field}`, which the filter asks for: check how \
                 it is spelled"
            )));
        }
    }
    Ok(Some(format!("warning: no document passes the filter {filter}")))
}
