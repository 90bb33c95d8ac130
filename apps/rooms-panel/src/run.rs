//! The whole process: bus, database and pages together, until it is told to end.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use linebus_client::Builder;
use rooms_messages::{FACTS, FRAMES, RoomName, WISHES};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::desk::Desk;
use crate::history::{Writer, Writing};
use crate::registry::Registry;
use crate::store::Store;
use crate::web::{self, App, Parts};

/// What to run with.
#[derive(Debug)]
pub struct Options {
    /// The bus.
    pub bus: Builder,
    /// `postgres://…` or `sqlite:FILE`.
    pub database: String,
    /// Where browsers connect.
    pub listen: SocketAddr,
    /// Whether they do so over TLS, which somebody before us ends.
    pub is_https: bool,
    /// Where the room files are, if they are on this machine.
    pub rooms: Option<PathBuf>,
    /// Two rooms to be shown side by side to everybody.
    pub demo: Option<[RoomName; 2]>,
}

/// What there is to say when pages are answered.
#[derive(Debug)]
pub struct Ready {
    /// Where.
    pub address: SocketAddr,
    /// The password of the administrator `admin`, who was just made.
    pub one_time_password: Option<String>,
}

/// Answers pages until `end` is ready. `ready` is told when that begins.
///
/// # Errors
/// The database or the bus can't be used, or the address is taken.
pub async fn run(
    options: Options,
    ready: impl FnOnce(&Ready),
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("can't listen on {}", options.listen))?;
    let address = listener.local_addr()?;
    let store = Store::open(&options.database).await?;
    let open = store.open_records().await?;
    let (registry, one_time_password) = Registry::load(store.clone()).await?;
    let (writer, _task) = Writer::start(store.clone());
    let (client, events) = options.bus.retry_first_connection(true).connect().await?;
    client.recv(FACTS).await?;
    client.recv(FRAMES).await?;
    client.watch(WISHES).await?;
    let desk = Arc::new(Desk::new(client.clone(), writer.clone(), open));
    let hearing = tokio::spawn(desk.clone().run(events));
    let telling = tokio::spawn(tell_whether_written(desk.clone(), writer.status()));
    let app = App::new(Parts {
        desk,
        registry,
        writing: writer.status(),
        rooms: options.rooms,
        is_https: options.is_https,
        demo: options.demo,
    });
    let (pages, _doors) = app.pages();
    ready(&Ready { address, one_time_password });
    web::serve(listener, pages, end).await;
    hearing.abort();
    telling.abort();
    // The bus may be gone already.
    let _ = client.logoff().await;
    let lost = writer.close().await;
    if lost > 0 {
        tracing::error!("{lost} entries of the history could not be written in time and are lost");
    }
    store.close().await;
    Ok(())
}

/// Pages say when the history is not being written, and when it is again.
async fn tell_whether_written(desk: Arc<Desk>, mut writing: watch::Receiver<Writing>) {
    let mut is_behind = false;
    while writing.wait_for(|now| now.behind_since.is_some() != is_behind).await.is_ok() {
        is_behind = !is_behind;
        desk.redraw();
    }
}
