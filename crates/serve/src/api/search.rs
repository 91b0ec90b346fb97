//! The search endpoint: by text or by vectors, one query or many.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State as Shared};
use fastlane::{
    CollectionError, Filter, Fusion, Query, QueryViews, Search, SearchResult, Stop, Times, Token,
    TokenMatrix, UsualLane,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{JsonBody, Reply};
use crate::bounded::Bounded;
use crate::config::{CONTEXT, Limits, QUERIES, VALUES, VIEWS};
use crate::error::{ErrorBody, Refusal};
use crate::peer::Peer;
use crate::shares::Share;
use crate::state::{Index, State};

/// A query and the parameters of the search.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    /// One query as text.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S")]
    query: Option<String>,
    /// Several queries as text.
    #[serde(default)]
    #[schema(max_items = 256, value_type = Option<Vec<String>>)]
    queries: Option<Bounded<String, QUERIES>>,
    /// Several queries as vectors.
    #[serde(default)]
    #[schema(max_items = 256, value_type = Option<Vec<Vectors>>)]
    vectors: Option<Bounded<Vectors, QUERIES>>,
    /// Number of passages to return, or of documents with `group`; default 10.
    #[serde(default)]
    #[schema(maximum = 1000)]
    k: Option<usize>,
    /// Number of lanes: the tokens with the largest alpha; the default is set by the model.
    #[serde(default)]
    #[schema(minimum = 1)]
    lanes: Option<usize>,
    /// Number of candidates to rerank by late interaction; default 100.
    #[serde(default)]
    #[schema(maximum = 1000)]
    rerank: Option<usize>,
    /// Fuses the results with those of BM25.
    #[serde(default)]
    hybrid: Option<Hybrid>,
    /// A filter on metadata, such as `lang = en and year > 2020`.
    #[serde(default)]
    filter: Option<String>,
    /// Whether each document is found once, by its best passage.
    #[serde(default)]
    group: bool,
    /// How many passages before and after each hit are returned as its context; default 0.
    #[serde(default)]
    #[schema(maximum = 10)]
    context: usize,
}

/// A query that is already encoded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vectors {
    /// A view for each token.
    #[schema(min_items = 1, max_items = 512, value_type = Vec<Vec<f32>>)]
    views: Bounded<Bounded<f32, VALUES>, VIEWS>,
    /// The lane view to search with; default: all views.
    #[serde(default)]
    #[schema(value_type = Option<Vec<f32>>)]
    lane: Option<Bounded<f32, VALUES>>,
    /// The query text for BM25 in a hybrid search.
    #[serde(default)]
    text: Option<String>,
}

/// How the two ranked lists are fused.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hybrid {
    /// Reciprocal rank fusion.
    Ranks,
    /// Scores, each list scaled to the range 0 to 1.
    Scores,
}

/// Answers, one for each query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answers {
    answers: Vec<SearchResult>,
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
    Extension(peer): Extension<Peer>,
    JsonBody(body, room): JsonBody<SearchBody>,
) -> Result<Reply, Refusal> {
    let index = Arc::clone(state.index(&name)?);
    let search = how(&body, &state.limits)?;
    let queries = queries(body, &state.limits)?;
    check_hits(queries.len(), search.k, &state.limits)?;
    let mut work = Work {
        index,
        search,
        queries: queries.into(),
        reply: Reply::new(&peer, &state)?,
        times: Vec::new(),
        _body: room,
    };
    work.reply.text("{\"answers\":[")?;
    let step = |work: &mut Work, stop: &Stop| {
        work.step(stop)?;
        Ok(work.queries.is_empty())
    };
    let (Work { mut reply, times, .. }, waited) =
        state.workers.run_steps(&peer, work, step).await?;
    for (place, times) in times.iter().enumerate() {
        let waited = if place == 0 { waited } else { Duration::ZERO };
        state.metrics.record_search(waited, times);
    }
    reply.text("]}")?;
    Ok(reply)
}

/// The queries of a request; each is one step in the fair queue.
struct Work {
    index: Arc<Index>,
    search: Search,
    queries: VecDeque<Query>,
    reply: Reply,
    times: Vec<Times>,
    /// The request body, which holds the queries in memory.
    _body: Share,
}

impl Work {
    /// Answers the next query.
    fn step(&mut self, stop: &Stop) -> Result<(), Refusal> {
        let Some(query) = self.queries.pop_front() else { return Ok(()) };
        if !self.times.is_empty() {
            self.reply.text(",")?;
        }
        let search = self.search.clone().query(query).stop(stop.clone());
        let mut results = self.index.collection.results(&search)?;
        results.write_json(&mut self.reply).map_err(|error| self.reply.failed(error))?;
        self.times.push(results.head().times);
        Ok(())
    }
}

fn how(body: &SearchBody, limits: &Limits) -> Result<Search, Refusal> {
    let search = Search::text("");
    let (k, rerank) = (body.k.unwrap_or(search.k), body.rerank.unwrap_or(search.rerank));
    check_sizes(k, rerank, limits)?;
    if body.context > CONTEXT {
        let found = body.context;
        return Err(Refusal::bad(format!("`context` is {found}, wanted at most {CONTEXT}")));
    }
    if body.lanes == Some(0) {
        return Err(Refusal::bad("`lanes` is 0, wanted 1 or more"));
    }
    let sent = || body.vectors.iter().flat_map(|vectors| vectors.iter());
    if body.hybrid.is_some() && sent().any(|vectors| vectors.text.is_none()) {
        return Err(Refusal::bad("`hybrid` needs a `text` with the `views`, for BM25"));
    }
    if body.lanes.is_some() && sent().any(|vectors| vectors.lane.is_some()) {
        return Err(Refusal::bad("`lane` and `lanes` exclude each other: leave one out"));
    }
    let filter = body.filter.as_deref().map(|filter| check_filter(filter, limits)).transpose()?;
    let filter = filter.map(str::parse::<Filter>).transpose();
    let filter = filter.map_err(|error| Refusal::bad(format!("`filter`: {error}")))?;
    let filter = filter.map(|filter| check_comparisons(filter, limits)).transpose()?;
    let fusion = body.hybrid.map(|hybrid| match hybrid {
        Hybrid::Ranks => Fusion::Ranks,
        Hybrid::Scores => Fusion::Scores,
    });
    let search = search.k(k).rerank(rerank).lanes(body.lanes.into()).fusion(fusion).filter(filter);
    Ok(search.group(body.group).context(body.context))
}

/// Rejects numbers of documents that would take too long.
pub(crate) fn check_sizes(k: usize, rerank: usize, limits: &Limits) -> Result<(), Refusal> {
    for (name, value) in [("k", k), ("rerank", rerank)] {
        if value > limits.k {
            let most = limits.k;
            return Err(Refusal::bad(format!("`{name}` is {value}, wanted at most {most}")));
        }
    }
    Ok(())
}

/// Rejects a filter that is too long.
pub(crate) fn check_filter<'a>(filter: &'a str, limits: &Limits) -> Result<&'a str, Refusal> {
    match filter.len() {
        bytes if bytes > limits.filter => {
            let most = limits.filter;
            Err(Refusal::too_large(format!("a filter has {bytes} bytes, wanted at most {most}")))
        }
        _ => Ok(filter),
    }
}

/// Rejects a filter with too many comparisons.
pub(crate) fn check_comparisons(filter: Filter, limits: &Limits) -> Result<Filter, Refusal> {
    match (filter.comparisons(), limits.comparisons) {
        (found, most) if found > most => Err(Refusal::bad(format!(
            "a filter has {found} comparisons, wanted at most {most}: `in (...)` counts as one"
        ))),
        _ => Ok(filter),
    }
}

/// Rejects queries that request too many documents together.
fn check_hits(queries: usize, k: usize, limits: &Limits) -> Result<(), Refusal> {
    match (queries.saturating_mul(k), limits.hits) {
        (found, most) if found > most => Err(Refusal::bad(format!(
            "{queries} queries ask for {k} documents each, {found} together, wanted at most \
             {most}: send fewer queries at once, or a smaller `k`"
        ))),
        _ => Ok(()),
    }
}

/// Rejects a text that is empty or too long for a query.
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

/// Rejects more queries, or texts, than a request may have.
pub(crate) fn check_count(what: &str, found: usize) -> Result<(), Refusal> {
    match found > QUERIES {
        true => Err(Refusal::too_large(format!("there are more than {QUERIES} {what}"))),
        false => Ok(()),
    }
}

fn queries(body: SearchBody, limits: &Limits) -> Result<Vec<Query>, Refusal> {
    let sent = body.queries.as_ref().map(|it| it.len());
    let sent = sent.or(body.vectors.as_ref().map(|it| it.len())).unwrap_or(1);
    check_count("queries", sent)?;
    let queries: Vec<Query> = match (body.query, body.queries, body.vectors) {
        (Some(one), None, None) => vec![Query::Text(one)],
        (None, Some(Bounded(many)), None) => many.into_iter().map(Query::Text).collect(),
        (None, None, Some(Bounded(vectors))) => {
            vectors.into_iter().map(views).collect::<Result<_, _>>()?
        }
        _ => return Err(Refusal::bad("wanted one of `query`, `queries` and `vectors`")),
    };
    if queries.is_empty() {
        return Err(Refusal::bad("there are no queries, wanted 1 or more"));
    }
    for query in &queries {
        if let Some(text) = query.as_text() {
            check_text(text, limits)?;
        }
    }
    Ok(queries)
}

/// Converts vectors from the request into query views.
fn views(Vectors { views, lane, text }: Vectors) -> Result<Query, Refusal> {
    // each view is searched: time and memory grow with their number
    if views.len() > VIEWS {
        return Err(Refusal::bad(format!("a query has more than {VIEWS} views")));
    }
    let dim = views.first().map_or(0, |view| view.len());
    if dim > VALUES {
        return Err(Refusal::bad(format!("a view has more than {VALUES} values")));
    }
    if dim == 0 || views.iter().any(|view| view.len() != dim) {
        return Err(Refusal::bad("`views` needs one or more views, all of the same length"));
    }
    let count = views.len();
    let token = |at: usize| Token { id: 0, text: format!("#{at}"), bytes: None };
    let usual = if lane.is_some() { UsualLane::Soft } else { UsualLane::All };
    let views = QueryViews {
        tokens: (0..count).map(token).collect(),
        views: TokenMatrix::new(dim, views.iter().flat_map(|view| view.iter().copied()).collect()),
        alpha: vec![1.0 / count as f32; count],
        lane_views: None,
        soft_lane: lane.unwrap_or_default().0,
        usual,
        cut: 0,
    };
    Ok(Query::Views { views: Arc::new(views), text })
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
        assert_eq!(refused(ragged), "`views` needs one or more views, all of the same length");
        assert!(refused(r#"{"query":"a","filter":"a ="}"#).starts_with("`filter`: "));
        let long = format!("{{\"query\":\"{}\"}}", "a".repeat(20_000));
        assert_eq!(refused(&long), "a query has 20000 bytes, wanted at most 16384");
        let filter = format!("{{\"query\":\"a\",\"filter\":\"a = {}\"}}", "1".repeat(5000));
        assert_eq!(refused(&filter), "a filter has 5004 bytes, wanted at most 4096");
        let many = format!("{{\"vectors\":[{{\"views\":[{}[1.0]]}}]}}", "[1.0],".repeat(512));
        assert_eq!(refused(&many), "a query has more than 512 views");
        let wordless = r#"{"vectors":[{"views":[[1.0]]}],"hybrid":"ranks"}"#;
        assert!(refused(wordless).starts_with("`hybrid` needs a `text`"));
        let both = r#"{"vectors":[{"views":[[1.0]],"lane":[1.0]}],"lanes":2}"#;
        assert!(refused(both).starts_with("`lane` and `lanes` exclude"));
    }

    #[test]
    fn defect_s1_a_filter_of_many_comparisons_is_refused() {
        let body = |count: usize| {
            format!(r#"{{"query":"a","filter":"{}"}}"#, vec!["n>0"; count].join(" or "))
        };
        let wanted = "a filter has 65 comparisons, wanted at most 64: `in (...)` counts as one";
        assert_eq!(refused(&body(65)), wanted);
        let body: SearchBody = serde_json::from_str(&body(64)).unwrap();
        assert!(how(&body, &Limits::default()).is_ok());
    }

    #[test]
    fn defect_c1_queries_that_ask_for_too_many_documents_are_refused() {
        let limits = Limits::default();
        assert!(check_hits(256, 39, &limits).is_ok() && check_hits(10, 1000, &limits).is_ok());
        let error = check_hits(256, 1000, &limits).unwrap_err().message;
        assert_eq!(
            error,
            "256 queries ask for 1000 documents each, 256000 together, wanted at most 10000: send \
             fewer queries at once, or a smaller `k`"
        );
    }

    #[test]
    fn defect_s6_queries_that_are_too_many_are_not_kept() {
        let many = format!(r#"{{"queries":[{}"a"]}}"#, r#""a","#.repeat(100_000));
        let body: SearchBody = serde_json::from_str(&many).unwrap();
        assert_eq!(body.queries.as_ref().map(|it| it.len()), Some(QUERIES + 1));
        assert_eq!(refused(&many), "there are more than 256 queries");
        let empty = r#"{"vectors":[{"views":[VIEWS[]]}]}"#.replace("VIEWS", &"[],".repeat(100_000));
        let body: SearchBody = serde_json::from_str(&empty).unwrap();
        assert_eq!(body.vectors.unwrap()[0].views.len(), VIEWS + 1);
    }
}
