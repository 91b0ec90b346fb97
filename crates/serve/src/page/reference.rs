//! The API reference, from the OpenAPI description.

use maud::{Markup, html};
use serde_json::Value;

use super::format::ticked;

/// How filters are written.
const FILTERS: [(&str, &str); 6] = [
    ("lang = en", "metadata `lang` is `en`; quote what has blanks: `\"New York\"`"),
    ("year > 2020", "numbers, dates and texts compare with `<`, `<=`, `>`, `>=`, `!=`"),
    ("author.name = Ada", "a path walks into objects; any element of a list may match"),
    ("lang in (en, de)", "one of several"),
    ("exists doi", "the field is present"),
    ("lang = en and not (year < 2000 or draft = true)", "joined by `and`, `or`, `not`"),
];

pub(super) fn inside(api: &Value) -> Markup {
    let paths = api["paths"].as_object().into_iter().flatten();
    html! {
        h1 { "API" }
        p.lead {
            "Everything is JSON. The description for programs is at " a href="/openapi.json" { "/openapi.json" }
            ". Where there are keys, one is sent as " code { "Authorization: Bearer KEY" } "."
        }
        @for (path, methods) in paths {
            @for (method, it) in methods.as_object().into_iter().flatten() {
                (operation(api, path, method, it))
            }
        }
        h2 #filters { "Filters" }
        table.stats {
            thead { tr { th scope="col" { "Filter" } th scope="col" { "Meaning" } } }
            tbody {
                @for (filter, means) in FILTERS {
                    tr { th scope="row" { code { (filter) } } td { (ticked(means)) } }
                }
            }
        }
        h2 #errors { "Errors" }
        p {
            "An answer with a status of 400 or more is "
            code { "{\"error\": {\"code\": …, \"message\": …}}" }
            ". Codes are stable; messages are for people. 429 says with "
            code { "Retry-After" } " when to retry. Every answer has an " code { "x-request-id" }
            ", which the log has too."
        }
    }
}

/// One operation.
fn operation(api: &Value, path: &str, method: &str, it: &Value) -> Markup {
    let content = &it["requestBody"]["content"];
    let body = content.as_object().and_then(|kinds| kinds.values().next());
    let fields = body.map(|body| fields(api, &body["schema"])).unwrap_or_default();
    let answers = it["responses"].as_object().into_iter().flatten();
    html! {
        h2 { code { (method.to_uppercase()) " " (path) } }
        p { (it["summary"].as_str().unwrap_or_default()) }
        @if !fields.is_empty() {
            table.stats {
                thead { tr { th scope="col" { "Field" } th scope="col" { "Meaning" } } }
                tbody {
                    @for (name, needed, means) in fields {
                        tr {
                            th scope="row" { code { (name) } @if needed { " (needed)" } }
                            td { (ticked(&means)) }
                        }
                    }
                }
            }
        }
        ul.out {
            @for (status, answer) in answers {
                li { (status) ": " (answer["description"].as_str().unwrap_or_default()) ";" }
            }
        }
    }
}

/// The fields of a body: names, whether they must be there, and what they mean.
fn fields(api: &Value, schema: &Value) -> Vec<(String, bool, String)> {
    let named = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    let schema = named.and_then(|path| api.pointer(path)).unwrap_or(schema);
    let needed = |name: &str| {
        schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name))
    };
    let means = |field: &Value| field["description"].as_str().unwrap_or_default().to_owned();
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.map(|(name, field)| (name.clone(), needed(name), means(field))).collect()
}
