//! Searching: by text or by vectors, one query or many.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use fastlane::{
    Answer, CollectionError, Filter, Fusion, QueryViews, Search, Times, Token, TokenMatrix,
    UsualLane,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answered, Sent};
use crate::config::Limits;
use crate::error::{ErrorBody, Refusal};
use crate::state::{Index, State};

/// What to search for, and how.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    /// One query as text.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S")]
    query: Option<String>,
    /// Many queries as text.
    #[serde(default)]
    #[schema(max_items = 256)]
    queries: Option<Vec<String>>,
    /// Many queries as vectors.
    #[serde(default)]
    #[schema(max_items = 256)]
    vectors: Option<Vec<Vectors>>,
    /// How many documents are wanted; 10 unless said.
    #[serde(default)]
    #[schema(maximum = 1000)]
    k: Option<usize>,
    /// How many tokens search, the best ones; the model knows what suits it.
    #[serde(default)]
    #[schema(minimum = 1)]
    lanes: Option<usize>,
    /// How many of the documents that lanes find are scored by late interaction; 100 unless said.
    #[serde(default)]
    #[schema(maximum = 1000)]
    rerank: Option<usize>,
    /// Joins what words find.
    #[serde(default)]
    hybrid: Option<Hybrid>,
    /// The only documents that may be found, such as `lang = en and year > 2020`.
    #[serde(default)]
    filter: Option<String>,
}

/// A query that was encoded before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vectors {
    /// A view for each token.
    #[schema(min_items = 1)]
    views: Vec<Vec<f32>>,
    /// The view that searches; without it, all do.
    #[serde(default)]
    lane: Option<Vec<f32>>,
    /// What words are asked for, in a hybrid search.
    #[serde(default)]
    text: Option<String>,
}

/// How two lists are joined.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hybrid {
    /// By ranks.
    Ranks,
    /// By scores.
    Scores,
}

/// Answers, one for each query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answers {
    answers: Vec<Answer>,
}

/// Searches an index.
#[utoipa::path(
    post, path = "/indexes/{name}/search", tag = "search", request_body = SearchBody,
    params(("name" = String, Path, description = "The index")),
    responses(
        (status = 200, description = "An answer for each query", body = Answers),
        (status = 413, description = "A body or a query is too large", body = ErrorBody),
    )
)]
pub(crate) async fn search(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    Sent(body): Sent<SearchBody>,
) -> Answered<Answers> {
    let index = state.index(&name)?;
    let search = how(&body, &state.limits)?;
    let queries = queries(body, &state.limits)?;
    let index = Arc::clone(index);
    // at one turn: who got in is not sent away half way
    let work = move || {
        let answer = |query| {
            let found = find(&index, query, &search)?;
            Ok((found.times, Answer::new(&found, search.lanes)))
        };
        queries.into_iter().map(answer).collect::<Result<Vec<_>, CollectionError>>()
    };
    let (answers, waited) = state.desk.run(work).await?;
    let mut waited = Some(waited);
    let count = |(times, answer)| {
        state.metrics.see_search(waited.take().unwrap_or_default(), &times);
        answer
    };
    Ok(Json(Answers { answers: answers?.into_iter().map(count).collect() }))
}

/// A query on its way.
pub(crate) enum Query {
    Text(String),
    Views(Box<QueryViews>, Option<String>),
}

/// Searches on this thread.
pub(crate) fn find(
    index: &Index,
    query: Query,
    search: &Search,
) -> Result<fastlane::Found, CollectionError> {
    match query {
        Query::Text(text) => {
            let (views, encoding) = index.queries.encode(&text, &index.collection)?;
            let found = index.collection.search_views(&views, Some(&text), search)?;
            let (encode, route) = (encoding.encode, encoding.route);
            Ok(fastlane::Found { times: Times { encode, route, ..found.times }, ..found })
        }
        Query::Views(views, text) => index.collection.search_views(&views, text.as_deref(), search),
    }
}

fn how(body: &SearchBody, limits: &Limits) -> Result<Search, Refusal> {
    let usual = Search::default();
    let (k, rerank) = (body.k.unwrap_or(usual.k), body.rerank.unwrap_or(usual.rerank));
    check_sizes(k, rerank, limits)?;
    if body.lanes == Some(0) {
        return Err(Refusal::bad("`lanes` is 0, wanted 1 or more"));
    }
    let sent = || body.vectors.iter().flatten();
    if body.hybrid.is_some() && sent().any(|vectors| vectors.text.is_none()) {
        return Err(Refusal::bad("`hybrid` wants a `text` beside `views`: words are asked for it"));
    }
    if body.lanes.is_some() && sent().any(|vectors| vectors.lane.is_some()) {
        return Err(Refusal::bad(
            "`lane` searches alone, and `lanes` says otherwise: leave one out",
        ));
    }
    let filter = body.filter.as_deref().map(|filter| check_filter(filter, limits)).transpose()?;
    let filter = filter.map(str::parse::<Filter>).transpose();
    Ok(Search {
        k,
        rerank,
        lanes: body.lanes,
        fusion: body.hybrid.map(|hybrid| match hybrid {
            Hybrid::Ranks => Fusion::Ranks,
            Hybrid::Scores => Fusion::Scores,
        }),
        filter: filter.map_err(|error| Refusal::bad(format!("`filter`: {error}")))?,
    })
}

/// Refuses numbers of documents that would take too long.
pub(crate) fn check_sizes(k: usize, rerank: usize, limits: &Limits) -> Result<(), Refusal> {
    for (name, value) in [("k", k), ("rerank", rerank)] {
        if value > limits.k {
            let most = limits.k;
            return Err(Refusal::bad(format!("`{name}` is {value}, wanted at most {most}")));
        }
    }
    Ok(())
}

/// Refuses a filter that would take too long.
pub(crate) fn check_filter<'a>(filter: &'a str, limits: &Limits) -> Result<&'a str, Refusal> {
    match filter.len() {
        bytes if bytes > limits.filter => {
            let most = limits.filter;
            Err(Refusal::too_large(format!("a filter has {bytes} bytes, wanted at most {most}")))
        }
        _ => Ok(filter),
    }
}

/// Refuses a text that is no query.
pub(crate) fn check_text(text: &str, limits: &Limits) -> Result<(), Refusal> {
    match text.len() {
        bytes if bytes > limits.query => {
            let most = limits.query;
            Err(Refusal::too_large(format!("a query has {bytes} bytes, wanted at most {most}")))
        }
        _ if text.trim().is_empty() => Err(CollectionError::EmptyQuery.into()),
        _ => Ok(()),
    }
}

fn queries(body: SearchBody, limits: &Limits) -> Result<Vec<Query>, Refusal> {
    let queries: Vec<Query> = match (body.query, body.queries, body.vectors) {
        (Some(one), None, None) => vec![Query::Text(one)],
        (None, Some(many), None) => many.into_iter().map(Query::Text).collect(),
        (None, None, Some(vectors)) => {
            vectors.into_iter().map(|it| views(it, limits)).collect::<Result<_, _>>()?
        }
        _ => return Err(Refusal::bad("wanted one of `query`, `queries` and `vectors`")),
    };
    let (found, most) = (queries.len(), limits.queries);
    if found > most {
        return Err(Refusal::too_large(format!(
            "there are {found} queries, wanted at most {most}"
        )));
    }
    for query in &queries {
        match query {
            Query::Text(text) | Query::Views(_, Some(text)) => check_text(text, limits)?,
            Query::Views(_, None) => {}
        }
    }
    Ok(queries)
}

/// Turns vectors that were sent into what searches.
fn views(Vectors { views, lane, text }: Vectors, limits: &Limits) -> Result<Query, Refusal> {
    // each searches: the time, and the memory for what they find, grow with their number
    if views.len() > limits.views {
        let (found, most) = (views.len(), limits.views);
        return Err(Refusal::bad(format!("a query has {found} views, wanted at most {most}")));
    }
    let dim = views.first().map_or(0, Vec::len);
    if dim == 0 || views.iter().any(|view| view.len() != dim) {
        return Err(Refusal::bad("`views` wants one view or more, all as long as each other"));
    }
    let count = views.len();
    let token = |at: usize| Token { id: 0, text: format!("#{at}"), bytes: None };
    let usual = if lane.is_some() { UsualLane::Soft } else { UsualLane::All };
    let views = QueryViews {
        tokens: (0..count).map(token).collect(),
        views: TokenMatrix::new(dim, views.concat()),
        alpha: vec![1.0 / count as f32; count],
        lane_views: None,
        soft_lane: lane.unwrap_or_default(),
        usual,
        cut: 0,
    };
    Ok(Query::Views(Box::new(views), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        let body: SearchBody = serde_json::from_str(body).unwrap();
        let limits = Limits::default();
        how(&body, &limits).and_then(|_| queries(body, &limits)).err().unwrap().message
    }

    #[test]
    fn requests_that_cannot_be() {
        assert_eq!(refused("{}"), "wanted one of `query`, `queries` and `vectors`");
        assert_eq!(refused(r#"{"query":"a","queries":["b"]}"#), refused("{}"));
        assert_eq!(refused(r#"{"query":"a","k":1001}"#), "`k` is 1001, wanted at most 1000");
        assert_eq!(refused(r#"{"query":"a","lanes":0}"#), "`lanes` is 0, wanted 1 or more");
        assert_eq!(refused(r#"{"query":" "}"#), "the query is empty");
        let ragged = r#"{"vectors":[{"views":[[1.0],[1.0,2.0]]}]}"#;
        assert_eq!(refused(ragged), "`views` wants one view or more, all as long as each other");
        assert!(refused(r#"{"query":"a","filter":"a ="}"#).starts_with("`filter`: "));
        let long = format!("{{\"query\":\"{}\"}}", "a".repeat(20_000));
        assert_eq!(refused(&long), "a query has 20000 bytes, wanted at most 16384");
        let filter = format!("{{\"query\":\"a\",\"filter\":\"a = {}\"}}", "1".repeat(5000));
        assert_eq!(refused(&filter), "a filter has 5004 bytes, wanted at most 4096");
        let many = format!("{{\"vectors\":[{{\"views\":[{}[1.0]]}}]}}", "[1.0],".repeat(512));
        assert_eq!(refused(&many), "a query has 513 views, wanted at most 512");
        let wordless = r#"{"vectors":[{"views":[[1.0]]}],"hybrid":"ranks"}"#;
        assert!(refused(wordless).starts_with("`hybrid` wants a `text`"));
        let both = r#"{"vectors":[{"views":[[1.0]],"lane":[1.0]}],"lanes":2}"#;
        assert!(refused(both).starts_with("`lane` searches alone"));
    }
}
