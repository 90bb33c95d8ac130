//! The keeper on the bus: a listener that keeps what owners send, in its store.

use std::future::Future;
use std::time::Duration;

use linebus_client::Builder;
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

/// Keeps, until `stop`.
///
/// # Errors
/// There is no bus, it ended the connection for good, or its lines are too short.
pub async fn keep(
    bus: Builder,
    store: SqliteStore,
    limits: KeeperLimits,
    mut tell: impl FnMut(News),
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut wire = Wire::connect(bus).await?;
    let mut keeper = Keeper::new(store, limits);
    keeper.connected(wire.part_bytes()?);
    let mut forget_at = wire.now() + FORGET_OLD_EVERY;
    tell(News::Ready);
    tokio::pin!(stop);
    loop {
        keeper.take_told().into_iter().for_each(|told| tell(News::Told(told)));
        wire.say(keeper.take_lines()).await?;
        let deadline = keeper.deadline().map_or(forget_at, |due| due.min(forget_at));
        let heard = tokio::select! {
            heard = wire.next(Some(deadline)) => heard?,
            () = &mut stop => return wire.logoff().await,
        };
        match heard {
            Heard::Line(line) => keeper.receive(&line, wire.now()),
            Heard::Connected => keeper.connected(wire.part_bytes()?),
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
