//! Connections: accept, timeouts, TLS, and graceful shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower::ServiceExt as _;

use crate::api;
use crate::config::Tls;
use crate::error::ServeError;
use crate::peer::Peer;
use crate::rate::Rate;
use crate::state::{Service, State};
use crate::write_timeout::WriteTimeout;

/// How long running responses may take at shutdown.
const LAST: Duration = Duration::from_secs(30);
/// The divisor of the head time limit when more than half of the connections are in use.
const CROWDED: u32 = 5;

/// Serves on an address until `stop` completes; then applies the accepted changes, and returns how
/// many the system refused: they stay in the journal for the next start.
///
/// `ready` is called with the address, which matters if the system chose the port.
///
/// # Errors
///
/// The address cannot be bound, is not loopback without keys, or the certificate is not valid.
pub async fn serve(
    service: Service,
    (address, tls): (SocketAddr, Option<&Tls>),
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<usize, ServeError> {
    if !address.ip().is_loopback() && !service.has_keys() {
        return Err(ServeError::Open { address });
    }
    let acceptor = tls.map(acceptor).transpose()?;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    ready(listener.local_addr().map_err(listen)?);
    let router = api::router(&service.state);
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, from)) = accepted else {
            // the system is out of file descriptors: some will be free soon
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let peer = Peer::at(from.ip());
        // a client over its share is closed at once, so that it does not keep out others
        let Some(share) = service.state.connections.take(&peer, 1) else { continue };
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(peer, &service.state, router.clone());
        let (watcher, acceptor) = (graceful.watcher(), acceptor.clone());
        tokio::spawn(async move {
            match acceptor {
                None => connection.answer(stream, watcher).await,
                Some(acceptor) => {
                    let encrypted = acceptor.accept(stream);
                    let encrypted = tokio::time::timeout(connection.head, encrypted).await;
                    if let Ok(Ok(stream)) = encrypted {
                        connection.answer(stream, watcher).await;
                    }
                }
            }
            drop(share);
        });
    }
    drop(listener);
    service.state.stopping.store(true, Ordering::Relaxed);
    let _ = tokio::time::timeout(LAST, graceful.shutdown()).await;
    let finished = tokio::task::spawn_blocking(move || service.finish()).await;
    finished.map_err(|error| ServeError::Threads(std::io::Error::other(error)))
}

/// One connection, and how long its client is waited for.
struct Connection {
    peer: Peer,
    router: axum::Router,
    head: Duration,
    rate: Rate,
}

impl Connection {
    fn new(peer: Peer, state: &State, router: axum::Router) -> Self {
        let limits = &state.limits;
        // idle connections must not keep out active ones
        let head = limits.head / if state.connections.is_short() { CROWDED } else { 1 };
        Self { peer, router, head, rate: Rate::new(limits.rate, limits.stall) }
    }

    /// Serves its requests.
    async fn answer(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        watcher: Watcher,
    ) {
        let Self { peer, router, head, rate } = self;
        let service = router.map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            request
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .serve_connection(
                TokioIo::new(WriteTimeout::new(stream, rate)),
                TowerToHyperService::new(service),
            );
        // a broken connection affects only its own client
        let _ = watcher.watch(connection).await;
    }
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, ServeError> {
    let bad = |path: &std::path::Path, what: String| ServeError::Certificate {
        path: path.to_owned(),
        what,
    };
    let certificates = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(&tls.certificate, error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| bad(&tls.key, error.to_string()))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| bad(&tls.certificate, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
