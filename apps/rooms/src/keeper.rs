//! The keeper on the bus: a listener that keeps what owners send, in its store.

use std::future::Future;
use std::time::Duration;

use linebus_client::{Builder, Error as BusError};
use rooms_backup::{Keeper, KeeperLimits, Told};

use crate::backup::{Error, Heard, Wire};
use crate::store::SqliteStore;

/// Old versions are looked for so often.
const FORGET_OLD_EVERY: Duration = Duration::from_secs(3600);

/// Something for the people who look after it.
#[derive(Debug)]
pub enum News {
    /// Owners can reach it now.
    Ready,
    /// What the keeper tells.
    Told(Told),
    /// The bus or the store does not do what it should.
    Trouble(String),
}

/// Keeps, until `stop`. If there is no bus yet, it is waited for.
///
/// # Errors
/// The bus refuses the first connection or ended it for good, or its lines are too short.
pub async fn keep(
    bus: Builder,
    store: SqliteStore,
    limits: KeeperLimits,
    mut tell: impl FnMut(News),
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    tokio::pin!(stop);
    let mut wire = tokio::select! {
        wire = connect(bus, &mut tell) => wire?,
        () = &mut stop => return Ok(()),
    };
    let mut keeper = Keeper::new(store, limits);
    keeper.connected(wire.part_bytes()?);
    tell(News::Ready);
    let mut forget_at = wire.now() + FORGET_OLD_EVERY;
    loop {
        keeper.take_told().into_iter().for_each(|told| tell(News::Told(told)));
        wire.say(keeper.take_lines());
        let deadline = keeper.deadline().map_or(forget_at, |due| due.min(forget_at));
        let heard = tokio::select! {
            heard = wire.next(deadline) => heard?,
            () = &mut stop => {
                wire.logoff().await;
                return Ok(());
            }
        };
        match heard {
            Heard::Line(line) => keeper.receive(&line, wire.now()),
            Heard::Lost(why) => tell(News::Trouble(format!("the bus is lost: {why}"))),
            Heard::Connected => {
                keeper.connected(wire.part_bytes()?);
                tell(News::Ready);
            }
            Heard::Refused(text) => tell(News::Trouble(text)),
            Heard::Elapsed => {}
        }
        keeper.tick(wire.now());
        if forget_at <= wire.now() {
            forget_at = wire.now() + FORGET_OLD_EVERY;
            if let Err(error) = keeper.store().forget_old() {
                tell(News::Trouble(format!("old versions stay for now: {error}")));
            }
        }
    }
}

async fn connect(bus: Builder, tell: &mut impl FnMut(News)) -> Result<Wire, Error> {
    match Wire::connect(bus.clone()).await {
        Err(Error::Bus(error @ (BusError::Connect { .. } | BusError::ConnectTimeout { .. }))) => {
            tell(News::Trouble(format!("{error}; waiting for it")));
            Wire::connect(bus.retry_first_connection(true)).await
        }
        done => done,
    }
}
