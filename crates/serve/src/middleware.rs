//! Middleware for every request: id, time limit, authorisation, log line, metrics.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::error::{Detail, Refusal};
use crate::keys::Scope;
use crate::peer::Peer;
use crate::state::State;

const REQUEST_ID: &str = "x-request-id";

/// Assigns the id of a request, and logs it.
pub(crate) async fn watch(
    Shared(state): Shared<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = id_of(&request).unwrap_or_else(|| state.next_request());
    let (method, path) = (named(request.method()), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let limited = tokio::time::timeout(state.limits.request, next.run(request)).await;
    let mut response = limited.unwrap_or_else(|_| {
        let message = "the request timed out, or its body did not arrive";
        Refusal::new(StatusCode::REQUEST_TIMEOUT, "timed_out", message).into_response()
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    let (status, time) = (response.status().as_u16(), began.elapsed());
    state.metrics.record_request(method, route.as_deref().unwrap_or("other"), status, time);
    let mut line = json!({
        "time": now(),
        "request": id,
        "method": method,
        "path": path,
        "status": status,
        "milliseconds": time.as_secs_f64() * 1e3,
    });
    if let Some(Detail(detail)) = response.extensions().get() {
        line["error"] = json!(detail);
    }
    (state.log)(&line.to_string());
    response
}

/// The label of a method; unknown methods share one, so that the number of series is bounded.
fn named(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The id that the client sent, if it is safe in a log.
fn id_of(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (!id.is_empty() && id.len() <= 80 && id.bytes().all(plain)).then(|| id.to_owned())
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| (since.as_secs_f64() * 1e3).round() / 1e3)
}

/// Checks the key and its scope, and refuses requests during shutdown.
pub(crate) async fn guard(
    Shared(state): Shared<Arc<State>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if state.stopping.load(Ordering::Relaxed) {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Refusal::new(status, "stopping", "the service is shutting down"));
    }
    if is_foreign(&request, state.keys.is_some()) {
        let message = "the request comes from a page of another site: send it from a page of \
                       this service, or without a browser";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "foreign_site", message));
    }
    if let Some(keys) = &state.keys {
        let key = key_of(&request);
        let found = key.as_deref().and_then(|key| keys.find(key));
        let Some((name, scope)) = found else {
            let message = "a key is required: send it as `Authorization: Bearer KEY`";
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "unauthorised", message));
        };
        if scope < needed(&request) {
            let message = "this key has the scope read, and changes need write";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "forbidden", message));
        }
        request.extensions_mut().insert(Peer::Key(name.into()));
    }
    Ok(next.run(request).await)
}

/// Whether a browser sends the request for a page of another site. Such a page can send requests to
/// this machine with the key that the browser stores (CSRF). If the host name of the page resolves
/// to this machine (DNS rebinding), it can also read the responses; only the name in `Host` shows
/// this. Otherwise it cannot read the response to a `GET`, but each one may cost a search, so only
/// a person who follows a link is allowed.
fn is_foreign(request: &Request, keys: bool) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = header(header::HOST);
    if !keys && host.is_some_and(|host| !is_this_machine(host)) {
        return true;
    }
    let fetch = |name| header(HeaderName::from_static(name));
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match (fetch("sec-fetch-site"), header(header::ORIGIN)) {
        (Some("same-origin" | "none"), _) => false,
        (Some(_), _) if reads => {
            // a person opened it in a tab or a window, not in a frame
            (fetch("sec-fetch-mode"), fetch("sec-fetch-dest"), fetch("sec-fetch-user"))
                != (Some("navigate"), Some("document"), Some("?1"))
        }
        (Some(_), _) => true,
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) != host,
        (None, None) => false,
    }
}

/// Whether a host name, with or without a port, can only be this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The scope that a request needs: changes of documents need write.
fn needed(request: &Request) -> Scope {
    let route = request.extensions().get::<MatchedPath>();
    scope(request.method(), route.map_or("/documents", MatchedPath::as_str))
}

fn scope(method: &Method, route: &str) -> Scope {
    let changes = route.contains("/documents");
    match *method {
        Method::GET | Method::HEAD => Scope::Read,
        _ if changes => Scope::Write,
        Method::POST => Scope::Read,
        _ => Scope::Write,
    }
}

/// The key of a request: a bearer token, or the password that a browser asks for.
fn key_of(request: &Request) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (way, rest) = value.split_once(' ')?;
    match way {
        way if way.eq_ignore_ascii_case("bearer") => Some(rest.trim().to_owned()),
        way if way.eq_ignore_ascii_case("basic") => {
            let text = String::from_utf8(base64(rest.trim())?).ok()?;
            text.split_once(':').map(|(_, key)| key.to_owned())
        }
        _ => None,
    }
}

/// Reads base64 (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(digit(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_by_hand() {
        let pairs =
            [("", ""), ("M", "TQ=="), ("Ma", "TWE="), ("Man", "TWFu"), ("Man?", "TWFuPw==")];
        for (plain, coded) in pairs {
            assert_eq!(base64(coded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(base64("a b"), None);
    }

    #[test]
    fn changes_need_a_key_that_may_write() {
        assert_eq!(scope(&Method::POST, "/indexes/{name}/search"), Scope::Read);
        assert_eq!(scope(&Method::GET, "/indexes/{name}/documents/{id}"), Scope::Read);
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            assert_eq!(scope(&method, "/indexes/{name}/documents"), Scope::Write);
        }
    }

    #[test]
    fn names_of_this_machine() {
        for name in ["localhost", "LOCALHOST:80", "127.0.0.1:7878", "127.9.9.9", "[::1]:7878"] {
            assert!(is_this_machine(name), "{name}");
        }
        for name in
            ["", "evil.example", "localhost.evil.example:80", "10.0.0.1", "127.0.0.1.x", "[::2]"]
        {
            assert!(!is_this_machine(name), "{name}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_foreign() {
        let foreign = |method: &str, keys: bool, headers: &[(&str, &str)]| {
            let all =
                headers.iter().fold(Request::builder().method(method), |request, (name, value)| {
                    request.header(*name, *value)
                });
            is_foreign(&all.body(axum::body::Body::empty()).unwrap(), keys)
        };
        let host = ("host", "localhost:7878");
        assert!(!foreign("POST", false, &[host]));
        assert!(!foreign("POST", false, &[host, ("origin", "http://localhost:7878")]));
        assert!(!foreign(
            "POST",
            false,
            &[host, ("sec-fetch-site", "same-origin"), ("origin", "x")]
        ));
        for header in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            assert!(foreign("POST", true, &[host, header]), "{header:?}");
        }
        assert!(foreign("GET", false, &[("host", "evil.example:7878")]));
        assert!(!foreign("GET", true, &[("host", "search.example")]));
    }

    #[test]
    fn defect_s2_pages_of_other_sites_ask_nothing_unless_a_person_followed_a_link() {
        let foreign = |headers: &[(&str, &str)]| {
            let request = Request::builder().header("host", "localhost:7878");
            let all = headers.iter().fold(request, |all, (name, value)| all.header(*name, *value));
            is_foreign(&all.body(axum::body::Body::empty()).unwrap(), true)
        };
        let [mode, dest, user] = ["sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"];
        for site in ["cross-site", "same-site"] {
            let site = ("sec-fetch-site", site);
            let link = [site, (mode, "navigate"), (dest, "document"), (user, "?1")];
            assert!(!foreign(&link));
            assert!(foreign(&link[..3]), "a script moved the window");
            assert!(foreign(&[site, (mode, "navigate"), (dest, "iframe"), (user, "?1")]));
            assert!(foreign(&[site, (mode, "no-cors"), (dest, "image")]));
            assert!(foreign(&[
                site,
                (mode, "cors"),
                (dest, "empty"),
                ("origin", "https://a.example")
            ]));
            assert!(foreign(&[site]));
        }
        for site in ["same-origin", "none"] {
            assert!(!foreign(&[("sec-fetch-site", site), (mode, "cors")]), "{site}");
        }
        assert!(foreign(&[("origin", "https://evil.example")]), "a browser without these headers");
        assert!(!foreign(&[]), "no browser");
    }
}
