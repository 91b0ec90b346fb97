//! Link targets.

use super::{Frame, PageParams};

/// The start page of the same index.
pub(super) fn home(frame: &Frame<'_>) -> String {
    if frame.indexes.len() > 1 { format!("/{}", index(frame)) } else { "/".to_owned() }
}

/// `?index=NAME`, or nothing where there is none.
pub(super) fn index(frame: &Frame<'_>) -> String {
    let name = &frame.params.index;
    if name.is_empty() { String::new() } else { format!("?index={}", encoded(name)) }
}

/// The statistics page of an index.
pub(super) fn statistics(index: &str) -> String {
    format!("/stats?index={}", encoded(index))
}

/// The URL of a search; empty values are left out, as in the form.
pub(super) fn search(params: &PageParams) -> String {
    let lanes = lanes(params.lanes);
    let (rerank, hybrid) = (params.rerank.to_string(), u8::from(params.hybrid).to_string());
    let fields = [
        ("q", &params.q),
        ("index", &params.index),
        ("lanes", &lanes),
        ("rerank", &rerank),
        ("hybrid", &hybrid),
        ("filter", &params.filter),
    ];
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let given: Vec<String> =
        given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("/?{}", given.join("&"))
}

/// A number of lanes as the form spells it.
pub(super) fn lanes(lanes: Option<usize>) -> String {
    match lanes {
        None => "auto".to_owned(),
        Some(usize::MAX) => "all".to_owned(),
        Some(number) => number.to_string(),
    }
}

/// A value of a query string, as forms encode it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_spelled_as_the_form_spells_it() {
        let params = PageParams {
            q: "a+b & \"ß\"?".to_owned(),
            index: "notes".to_owned(),
            lanes: Some(usize::MAX),
            rerank: 100,
            ..PageParams::default()
        };
        let wanted = "/?q=a%2Bb+%26+%22%C3%9F%22%3F&index=notes&lanes=all&rerank=100&hybrid=0";
        assert_eq!(search(&params), wanted);
    }
}
