//! Warnings for filters that no document passes: without them, a misspelled field or a wrong value
//! looks like a search without results.

use fastlane_corpus::Filter;

/// A warning if no document passes; `passes` returns whether any document passes a filter.
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
                "warning: no document has the field `{field}`, which the filter uses: check \
                 its spelling"
            )));
        }
    }
    Ok(Some(format!("warning: no document passes the filter {filter}")))
}
