//! Adds tokens to a tokenizer, such as the prefixes `[Q]` and `[D]`.

use serde_json::{Value, json};

/// Adds tokens to the content of a `tokenizer.json`, and returns the id of each.
///
/// They are matched verbatim in any text, whatever the tokenizer does to letters. An existing token
/// keeps its id; a new one gets the next id, for which the embedding table needs a new row.
///
/// # Errors
///
/// The content is not JSON.
pub fn add_tokens(
    tokenizer: &[u8],
    tokens: &[&str],
) -> Result<(Vec<u8>, Vec<u32>), serde_json::Error> {
    let mut content: Value = serde_json::from_slice(tokenizer)?;
    let mut added = match content["added_tokens"].take() {
        Value::Array(added) => added,
        _ => Vec::new(),
    };
    let ids = tokens.iter().map(|token| add(&content["model"]["vocab"], &mut added, token));
    let ids = ids.collect();
    if let Some(content) = content.as_object_mut() {
        content.insert("added_tokens".to_owned(), Value::Array(added));
    }
    Ok((serde_json::to_vec(&content)?, ids))
}

fn add(vocabulary: &Value, added: &mut Vec<Value>, token: &str) -> u32 {
    let known = added.iter().find(|other| other["content"] == token);
    let known = known.map_or(&vocabulary[token], |other| &other["id"]);
    if let Some(id) = known.as_u64().and_then(|id| u32::try_from(id).ok()) {
        return id;
    }
    let plain = vocabulary.as_object().into_iter().flat_map(|words| words.values());
    let special = added.iter().map(|other| &other["id"]);
    let highest = plain
        .chain(special)
        .filter_map(Value::as_u64)
        .filter_map(|id| u32::try_from(id).ok())
        .max();
    let id = highest.map_or(0, |id| id + 1);
    added.push(json!({
        "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
    }));
    id
}
