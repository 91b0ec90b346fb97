//! The library inside an axum service of your own: one handler that searches.
//!
//! ```sh
//! cargo run -p fastlane-serve --example embed_in_axum
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use fastlane::{Collection, Document, Model, Search, SearchResult, Settings};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");

/// A search computes, so it gets a thread that may block. A clone is a handle to the same collection.
async fn search(
    State(notes): State<Collection>,
    query: String,
) -> Result<Json<SearchResult>, (StatusCode, String)> {
    let found = spawn_blocking(move || notes.search(&Search::text(query).k(2))).await;
    let found = found.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    found.map(Json).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let model = Model::open(MODEL, &Settings::default())?;
    let notes = Collection::options().encoder(model).in_memory()?;
    let mut writer = notes.writer()?;
    writer.add([("ships", "nine ships were seen"), ("bread", "baking bread")].map(
        |(id, text)| Document { id: id.to_owned(), text: text.to_owned(), ..Document::default() },
    ))?;
    writer.commit()?;

    let router = Router::new().route("/search", post(search)).with_state(notes);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    // a client, which asks once: the service answers on other threads
    let (query, mut response) = ("nine ships", String::new());
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "POST /search HTTP/1.0\r\nContent-Length: {}\r\n\r\n{query}", query.len())?;
    stream.read_to_string(&mut response)?;
    server.abort();
    let (_, body) = response.split_once("\r\n\r\n").ok_or("a response has a body")?;
    let found: serde_json::Value = serde_json::from_str(body)?;
    println!("{:#}", found["hits"][0]);
    assert_eq!(found["hits"][0]["id"], "ships");
    Ok(())
}
