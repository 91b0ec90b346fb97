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
    wanted(!encoder.fingerprint().is_empty(), "the fingerprint is empty")?;
    wanted(encoder.fingerprint() == encoder.fingerprint(), "the fingerprint changes")?;
    let same = encoder.compare(&encoder.fingerprint()).map_err(|error| error.to_string())?;
    wanted(same == super::FingerprintMatch::Same, "`compare` does not know the own fingerprint")?;
    for text in &texts {
        query(encoder, text).map_err(|what| format!("query `{text}`: {what}"))?;
    }
    let together = encoder.encode_queries(&texts);
    wanted(together.len() == texts.len(), "`encode_queries` gives another number of queries")?;
    for (text, views) in texts.iter().zip(together) {
        let alone = encoder.encode_query(text).map_err(told)?;
        wanted(views.map_err(told)? == alone, "a query has other views beside others")?;
    }
    documents(encoder, &texts)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind `map_err`")]
fn told(error: super::EncodeError) -> String {
    error.to_string()
}

fn wanted(kept: bool, broken: &str) -> Result<(), String> {
    if kept { Ok(()) } else { Err(broken.to_owned()) }
}

fn query(encoder: &dyn Encoder, text: &str) -> Result<(), String> {
    let views = encoder.encode_query(text).map_err(told)?;
    wanted(
        encoder.encode_query(text).map_err(told)? == views,
        "it has other views the second time",
    )?;
    wanted(encoder.encode_query_timed(text).map_err(told)?.0 == views, "it has other views timed")?;
    let QueryViews { tokens, views: matrix, alpha, lane_views, soft_lane, cut, .. } = &views;
    wanted(!tokens.is_empty(), "it has no tokens")?;
    wanted(matrix.len() == tokens.len(), "views are not as many as tokens")?;
    wanted(alpha.len() == tokens.len(), "alpha is not as long as the tokens")?;
    let sum: f32 = alpha.iter().sum();
    wanted((sum - 1.0).abs() < 1e-3, "alpha does not add up to 1")?;
    wanted(alpha.iter().all(|share| *share >= 0.0), "a share of alpha is negative")?;
    let dims = encoder.dims();
    let scored = dims.tokens.unwrap_or(dims.searched);
    wanted(matrix.dim() == scored, "views are not as long as the token views of documents")?;
    let searched = lane_views.as_ref().unwrap_or(matrix);
    wanted(searched.dim() == dims.searched, "lane views are not as long as what is searched")?;
    wanted(searched.len() == tokens.len(), "lane views are not as many as tokens")?;
    wanted(soft_lane.len() == dims.searched, "the soft lane is not as long as what is searched")?;
    wanted(*cut <= text.len(), "more is cut off than there is")?;
    finite(matrix)?;
    finite(searched)?;
    places(tokens, text)
}

fn documents(encoder: &dyn Encoder, texts: &[&str]) -> Result<(), String> {
    let encode = |texts: &[&str]| -> Result<Vec<DocumentViews>, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        encoder.encode_documents(Box::new(texts.into_iter())).map(|it| it.map_err(told)).collect()
    };
    let together = encode(texts)?;
    wanted(together.len() == texts.len(), "there are not as many documents as texts")?;
    for (text, views) in texts.iter().zip(&together) {
        let check = || {
            let alone = encode(&[text])?;
            wanted(alone.len() == 1 && alone[0] == *views, "it has other views beside others")?;
            document(encoder, text, views)
        };
        check().map_err(|what: String| format!("document `{text}`: {what}"))?;
    }
    Ok(())
}

fn document(encoder: &dyn Encoder, text: &str, views: &DocumentViews) -> Result<(), String> {
    let dims = encoder.dims();
    let (searched, tokens) = views.searched();
    wanted(!searched.is_empty(), "it has no views")?;
    wanted(searched.dim() == dims.searched, "views are not as long as `dims` says")?;
    wanted(tokens.map(TokenMatrix::dim) == dims.tokens, "token views are not as `dims` says")?;
    wanted(views.views.len() == views.tokens.len(), "views are not as many as tokens")?;
    wanted(views.cut <= text.len(), "more is cut off than there is")?;
    let named = encoder.document_tokens(text).map_err(told)?;
    wanted(named == views.tokens, "`document_tokens` gives other tokens")?;
    finite(searched)?;
    finite(&views.views)?;
    places(&views.tokens, text)
}

fn finite(views: &TokenMatrix) -> Result<(), String> {
    wanted(views.values().iter().all(|value| value.is_finite()), "a view is not finite")
}

fn places(tokens: &[Token], text: &str) -> Result<(), String> {
    let ranges = tokens.iter().filter_map(|token| token.bytes.clone());
    wanted(ranges.into_iter().all(|it| text.get(it).is_some()), "a token lies beyond its text")
}
