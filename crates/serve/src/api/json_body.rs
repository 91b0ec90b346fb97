//! Request bodies: read with a minimum rate, counted against the memory limit as bytes arrive, and
//! held while their content is in use.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::error::Refusal;
use crate::peer::Peer;
use crate::rate::Rate;
use crate::shares::Share;
use crate::state::State;

/// A larger body is parsed on its own thread, so that it does not block other connections.
const LARGE: usize = 256 << 10;

/// The body of a request, as JSON, and its share of the memory.
pub(crate) struct JsonBody<T>(pub(crate) T, pub(crate) Share);

impl<T: DeserializeOwned + Send + 'static> FromRequest<Arc<State>> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, Refusal> {
        let peer = Peer::of(&request);
        let (bytes, share) = receive(request.into_body(), &peer, state).await?;
        let parsed = match bytes.len() > LARGE {
            false => serde_json::from_slice(&bytes),
            true => tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes))
                .await
                .map_err(|error| Refusal::internal(error.to_string()))?,
        };
        parsed.map(|value| Self(value, share)).map_err(|error| {
            let status = StatusCode::BAD_REQUEST;
            Refusal::new(status, "bad_json", format!("the body is not valid: {error}"))
        })
    }
}

/// Reads a body.
async fn receive(mut body: Body, peer: &Peer, state: &State) -> Result<(Vec<u8>, Share), Refusal> {
    let limits = &state.limits;
    let full = || Refusal::overloaded("bytes of this client");
    let mut share = state.memory.take(peer, 0).ok_or_else(full)?;
    let mut rate = Rate::new(limits.rate, limits.stall);
    let mut bytes = Vec::new();
    loop {
        let began = Instant::now();
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame =
            tokio::time::timeout(rate.left(), frame).await.map_err(|_| slow(limits.rate))?;
        let Some(frame) = frame else { return Ok((bytes, share)) };
        let frame = frame.map_err(|_| Refusal::bad("the body was cut off"))?;
        let Ok(data) = frame.into_data() else { continue };
        rate.moved(data.len(), began.elapsed());
        if bytes.len() + data.len() > limits.body {
            let most = limits.body;
            let message = format!("the body has more than {most} bytes: send it in parts");
            return Err(Refusal::too_large(message));
        }
        if !share.add(data.len()) {
            return Err(full());
        }
        bytes.extend_from_slice(&data);
    }
}

fn slow(least: usize) -> Refusal {
    let message = format!("the body came too slowly, wanted at least {least} bytes per second");
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "timed_out", message)
}
