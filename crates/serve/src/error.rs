//! Errors at the start of the service, and refusals of requests.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fastlane::{CollectionError, Hint};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An index cannot be opened.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// Two indexes have the same name.
    #[error("two indexes are named `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// A name that cannot be part of a URL.
    #[error("`{name}` is not an index name, wanted letters, digits, `.`, `-` and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// The address is not loopback, and there are no keys.
    #[error("`{address}` is open to other machines, and there are no keys")]
    Open {
        /// Where it should listen.
        address: SocketAddr,
    },
    /// The address is in use, or does not belong to this machine.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A line of the key file is not a key.
    #[error("line {line} of `{}` is not a key, wanted `name:read:` or `name:write:` and a hash", path.display())]
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
    /// Another service has the index open, or this one has it twice.
    #[error("`{}` is already served", path.display())]
    Taken {
        /// The collection.
        path: PathBuf,
    },
    /// Accepted changes are in another journal.
    #[error(
        "`{}` has {count} accepted changes in the journal `{}`, which another journal would leave",
        path.display(), directory.display()
    )]
    JournalLeft {
        /// The collection.
        path: PathBuf,
        /// The directory of the journal.
        directory: PathBuf,
        /// How many changes it has.
        count: usize,
    },
    /// The system refused to start threads.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
}

impl ServeError {
    /// The hint, if there is one.
    pub fn hint(&self) -> Option<Hint> {
        let own = match self {
            Self::Collection(error) => return error.hint(),
            Self::SameName { .. } | Self::Name { .. } => "rename it: `NAME=INDEX`",
            Self::Open { .. } => {
                "make a key with `fastlane key` and pass `--keys FILE`; or listen on 127.0.0.1"
            }
            Self::Taken { .. } => "stop the other service, or list each index once",
            Self::JournalLeft { .. } => {
                "start once without `--journals`, or with that one: the changes are applied first"
            }
            Self::Listen { .. } => "choose another with `--listen ADDRESS:PORT`",
            _ => return None,
        };
        Some(Hint::Other(own))
    }
}

/// A refusal: the error response to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// A stable code.
    pub(crate) code: &'static str,
    /// A message for people.
    pub(crate) message: String,
    /// Details for the log only.
    pub(crate) detail: Option<String>,
}

/// The body of an error response.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// The error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// A stable code.
    code: &'static str,
    /// A message for people.
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

    /// Changes cannot be stored at the moment; the log has the reason.
    pub(crate) fn storage(detail: impl Into<String>) -> Self {
        let message = "changes cannot be stored at the moment: nothing was accepted";
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", message);
        Self { detail: Some(detail.into()), ..refusal }
    }

    pub(crate) fn overloaded(what: &str) -> Self {
        let message = format!("too many {what} at the moment: retry in a second");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", message)
    }

    /// An internal error: details go to the log, not to the client.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        let message = "internal error: the log of the service has the details";
        let refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        Self { detail: Some(detail.into()), ..refusal }
    }
}

/// An internal error, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Detail(pub(crate) String);

impl From<CollectionError> for Refusal {
    fn from(error: CollectionError) -> Self {
        match error {
            error if error.is_stopped() => {
                let message = "the search exceeded its time limit: send a smaller request";
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

/// Whether the views of the client do not match the index; other errors are damage.
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
