//! A service for a test, and what asks it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastlane::{Collection, Document, Model, Settings};
use fastlane_serve::{Config, Limits, Service, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

/// A service on a port of its own, stopped when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(crate) fn make(place: &Path) {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
    let model = Model::open(&model, &Settings::default()).unwrap();
    let collection = Collection::options().encoder(Arc::new(model)).create(place).unwrap();
    let mut writer = collection.writer().unwrap();
    let document = |id: &str, text: &str| Document {
        id: id.to_owned(),
        text: text.to_owned(),
        ..Document::default()
    };
    let all = [document("a", "light house"), document("b", "nine ships seen")];
    writer.add(all).unwrap();
    writer.commit().unwrap();
}

pub(crate) fn config(place: &Path) -> Config {
    Config {
        indexes: vec![("notes".to_owned(), place.to_owned())],
        model: None,
        journals: None,
        keys: None,
        threads: NonZero::new(2).unwrap(),
        limits: Limits { body: 1 << 20, request: Duration::from_secs(2), ..Limits::default() },
        log: Arc::new(|_| {}),
    }
}

pub(crate) fn start(config: Config) -> Running {
    let service = Service::open(config).unwrap();
    let (stop, stopped) = oneshot::channel();
    let (give, take) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let address = (SocketAddr::from(([127, 0, 0, 1], 0)), None);
        let ready = |address| give.send(address).unwrap();
        let stopped = async { stopped.await.unwrap() };
        runtime.block_on(serve(service, address, ready, stopped)).unwrap();
    });
    let address = take.recv().unwrap();
    Running { address, stop: Some(stop), thread: Some(thread) }
}

impl Running {
    /// Asks whether it lives, from another address of this machine, and gives up after some seconds.
    pub(crate) fn health_from(&self, address: [u8; 4]) -> Option<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ask = async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((address, 0)))?;
            let mut stream = socket.connect(self.address).await?;
            let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let limited = async { tokio::time::timeout(Duration::from_secs(5), ask).await };
        runtime.block_on(limited).ok()?.ok()
    }

    /// Sends bytes and reads until the service closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // it may have answered, and closed, before all was sent
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> (u16, String) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        let answer = self.raw(&[head.as_bytes(), body].concat());
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (
            status.unwrap_or_else(|| panic!("no answer to {method} {path}: {answer:?}")),
            body.to_owned(),
        )
    }

    pub(crate) fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.ask(method, path, "", body.to_string().as_bytes());
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}")))
    }

    /// Changes documents and waits until it is done.
    pub(crate) fn change(&self, method: &str, body: &Value) {
        let (status, accepted) = self.json(method, "/indexes/notes/documents", body);
        assert_eq!(status, 202, "{accepted}");
        let job = self.ended(accepted["job"].as_u64().unwrap());
        assert_eq!(job["state"], "done", "{job}");
    }

    pub(crate) fn job(&self, number: u64) -> Value {
        self.json("GET", &format!("/indexes/notes/jobs/{number}"), &json!(null)).1
    }

    /// Waits until a change is made, or cannot be.
    pub(crate) fn ended(&self, number: u64) -> Value {
        let began = Instant::now();
        loop {
            let job = self.job(number);
            if job["state"] != "waiting" {
                return job;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{number} is not made");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub(crate) fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_else(|| panic!("no error: {answer}"))
}
