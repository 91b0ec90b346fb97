//! What goes wrong: before the service runs, and while it answers.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fastlane::{CollectionError, Hint};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a service cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An index cannot be opened.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// Two indexes have one name.
    #[error("two indexes are called `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// A name that no address can hold.
    #[error("`{name}` is no name of an index, wanted letters, digits, `.`, `-` and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// Anybody could reach it.
    #[error("`{address}` can be reached from elsewhere, and there are no keys")]
    Open {
        /// Where it should listen.
        address: SocketAddr,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of keys has a line that is none.
    #[error("line {line} of `{}` is no key, wanted `name:read:` or `name:write:` and a hash", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: usize,
    },
    /// A certificate or its key cannot be used.
    #[error("cannot use the certificate in `{}`: {what}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another service takes in changes of the index, or this one has it twice.
    #[error("`{}` is served already", path.display())]
    Taken {
        /// The collection.
        path: PathBuf,
    },
    /// The system gives no threads.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
}

impl ServeError {
    /// The way out, if one is known.
    pub fn hint(&self) -> Option<Hint> {
        let own = match self {
            Self::Collection(error) => return error.hint(),
            Self::SameName { .. } | Self::Name { .. } => "name it: `NAME=INDEX`",
            Self::Open { .. } => {
                "make a key with `fastlane key`, and say `--keys FILE`; or listen on 127.0.0.1"
            }
            Self::Taken { .. } => "stop the other service, or name each index once",
            Self::Listen { .. } => "choose another with `--listen ADDRESS:PORT`",
            _ => return None,
        };
        Some(Hint::Other(own))
    }
}

/// What a client is told when it does not get what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Stays the same for ever.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: String,
    /// For the log alone.
    pub(crate) detail: Option<String>,
}

/// The body of an answer that is an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// Stays the same for ever.
    code: &'static str,
    /// For people.
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(crate) fn absent(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// What should be kept cannot be, at the moment; the log says why.
    pub(crate) fn storage(detail: impl Into<String>) -> Self {
        let message = "changes cannot be kept at the moment: nothing was accepted";
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", message);
        Self { detail: Some(detail.into()), ..refusal }
    }

    pub(crate) fn overloaded(what: &str) -> Self {
        let message = format!("too many {what} at the moment: come back in a second");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", message)
    }

    /// Something of ours: the log says what, the client does not learn it.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        let message = "something went wrong here, and the log of the service says what";
        let refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        Self { detail: Some(detail.into()), ..refusal }
    }
}

/// An error of ours, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Detail(pub(crate) String);

impl From<CollectionError> for Refusal {
    fn from(error: CollectionError) -> Self {
        match error {
            error if error.is_stopped() => {
                let message = "the search took longer than it may: ask for less at once";
                Self::new(StatusCode::REQUEST_TIMEOUT, "timed_out", message)
            }
            CollectionError::EmptyQuery => {
                Self::new(StatusCode::BAD_REQUEST, "empty_query", "the query is empty")
            }
            CollectionError::SearchViews(error) if is_of_client(&error) => {
                Self::bad(error.to_string())
            }
            error => Self::internal(chain(&error)),
        }
    }
}

/// Whether views that were sent do not fit; all else is damage.
fn is_of_client(error: &fastlane::SearchError) -> bool {
    !matches!(error, fastlane::SearchError::Damaged { .. })
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: ErrorDetail { code: self.code, message: self.message } };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let way = HeaderValue::from_static("Basic realm=\"FastLane: any name, and a key\"");
            headers.insert(header::WWW_AUTHENTICATE, way);
        }
        self.detail.map(|detail| response.extensions_mut().insert(Detail(detail)));
        response
    }
}
