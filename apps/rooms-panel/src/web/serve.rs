//! Connections of browsers: bounded in number, and none may take for ever to say what it wants.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 4096;
/// A request's head has to come within this.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// After the end is wanted, open connections have so long.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From(pub(crate) SocketAddr);

/// Answers until `end` is ready.
pub async fn serve(listener: TcpListener, pages: Router, end: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut end = std::pin::pin!(end);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.expect("it is never closed"),
            () = &mut end => break,
        };
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors: others will end.
                    tracing::warn!("no connection can be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut end => break,
        };
        // A press is small and should not wait for more.
        let _ = stream.set_nodelay(true);
        let pages = pages.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let pages = pages.clone();
                async move {
                    let mut request: Request = request.map(Body::new);
                    request.extensions_mut().insert(From(address));
                    Ok::<_, Infallible>(
                        pages.oneshot(request).await.unwrap_or_else(|never| match never {}),
                    )
                }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
            // A browser that goes away is no error of ours.
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
    drop(listener);
    // Streams never end by themselves, so what is being answered has a moment.
    let _ = tokio::time::timeout(END_WITHIN, places.acquire_many(CONNECTIONS_MAX as u32)).await;
}
