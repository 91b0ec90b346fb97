//! The contract of an encoder, as a check that every implementation runs in its tests.

use super::{DocumentViews, Encoder, QueryViews, Token};
use crate::TokenMatrix;

/// Checks that an encoder keeps the contract of [`Encoder`] on some texts, and on an empty one.
///
/// For tests: a new encoder runs this in its own tests. Each text is encoded several times.
///
/// # Errors
///
/// A sentence that names the first promise that is broken, and the text.
pub fn check_encoder(encoder: &dyn Encoder, texts: &[&str]) -> Result<(), String> {
    let texts: Vec<&str> = texts.iter().copied().chain([""]).collect();
    ensure(!encoder.fingerprint().is_empty(), "the fingerprint is empty")?;
    ensure(encoder.fingerprint() == encoder.fingerprint(), "the fingerprint changes")?;
    let same = encoder.compare(&encoder.fingerprint()).map_err(|error| error.to_string())?;
    ensure(same == super::FingerprintMatch::Same, "`compare` does not know the own fingerprint")?;
    for text in &texts {
        query(encoder, text).map_err(|what| format!("query `{text}`: {what}"))?;
    }
    let together = encoder.encode_queries(&texts);
    ensure(together.len() == texts.len(), "`encode_queries` gives another number of queries")?;
    for (text, views) in texts.iter().zip(together) {
        let alone = encoder.encode_query(text).map_err(message)?;
        ensure(views.map_err(message)? == alone, "a query has other views beside others")?;
    }
    documents(encoder, &texts)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind `map_err`")]
fn message(error: super::EncodeError) -> String {
    error.to_string()
}

fn ensure(holds: bool, broken: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken.to_owned()) }
}

fn query(encoder: &dyn Encoder, text: &str) -> Result<(), String> {
    let views = encoder.encode_query(text).map_err(message)?;
    ensure(
        encoder.encode_query(text).map_err(message)? == views,
        "it has other views the second time",
    )?;
    ensure(
        encoder.encode_query_timed(text).map_err(message)?.0 == views,
        "it has other views timed",
    )?;
    let QueryViews { tokens, views: matrix, alpha, lane_views, soft_lane, cut, .. } = &views;
    ensure(!tokens.is_empty(), "it has no tokens")?;
    ensure(matrix.len() == tokens.len(), "views are not as many as tokens")?;
    ensure(alpha.len() == tokens.len(), "alpha is not as long as the tokens")?;
    let sum: f32 = alpha.iter().sum();
    ensure((sum - 1.0).abs() < 1e-3, "alpha does not add up to 1")?;
    ensure(alpha.iter().all(|share| *share >= 0.0), "a share of alpha is negative")?;
    let dims = encoder.dims();
    let scored = dims.tokens.unwrap_or(dims.searched);
    ensure(matrix.dim() == scored, "views are not as long as the token views of documents")?;
    let searched = lane_views.as_ref().unwrap_or(matrix);
    ensure(searched.dim() == dims.searched, "lane views are not as long as what is searched")?;
    ensure(searched.len() == tokens.len(), "lane views are not as many as tokens")?;
    ensure(soft_lane.len() == dims.searched, "the soft lane is not as long as what is searched")?;
    ensure(*cut <= text.len(), "more is cut off than there is")?;
    finite(matrix)?;
    finite(searched)?;
    places(tokens, text)
}

fn documents(encoder: &dyn Encoder, texts: &[&str]) -> Result<(), String> {
    let encode = |texts: &[&str]| -> Result<Vec<DocumentViews>, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        encoder
            .encode_documents(Box::new(texts.into_iter()))
            .map(|it| it.map_err(message))
            .collect()
    };
    let together = encode(texts)?;
    ensure(together.len() == texts.len(), "there are not as many documents as texts")?;
    for (text, views) in texts.iter().zip(&together) {
        let check = || {
            let alone = encode(&[text])?;
            ensure(alone.len() == 1 && alone[0] == *views, "it has other views beside others")?;
            document(encoder, text, views)
        };
        check().map_err(|what: String| format!("document `{text}`: {what}"))?;
    }
    Ok(())
}

fn document(encoder: &dyn Encoder, text: &str, views: &DocumentViews) -> Result<(), String> {
    let dims = encoder.dims();
    let (searched, tokens) = views.searched();
    ensure(!searched.is_empty(), "it has no views")?;
    ensure(searched.dim() == dims.searched, "views are not as long as `dims` says")?;
    ensure(tokens.map(TokenMatrix::dim) == dims.tokens, "token views are not as `dims` says")?;
    ensure(views.views.len() == views.tokens.len(), "views are not as many as tokens")?;
    ensure(views.cut <= text.len(), "more is cut off than there is")?;
    let named = encoder.document_tokens(text).map_err(message)?;
    ensure(named == views.tokens, "`document_tokens` gives other tokens")?;
    finite(searched)?;
    finite(&views.views)?;
    places(&views.tokens, text)
}

fn finite(views: &TokenMatrix) -> Result<(), String> {
    ensure(views.values().iter().all(|value| value.is_finite()), "a view is not finite")
}

fn places(tokens: &[Token], text: &str) -> Result<(), String> {
    let ranges = tokens.iter().filter_map(|token| token.bytes.clone());
    ensure(ranges.into_iter().all(|it| text.get(it).is_some()), "a token lies beyond its text")
}
