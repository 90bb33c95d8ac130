//! `rooms panel`: the rooms' panels and their administration, in a browser.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use rooms_messages::RoomName;
use rooms_panel::run::{self, Options, Ready};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use super::bus::{Bus, block_on};

/// Show each room's panel and the administration in a browser.
///
/// It knows the rooms over the bus only. Standard output says `listening http ADDR`, then `ready`; the
/// first start makes the administrator `admin` and says a password for one use. Plain HTTP: on a
/// network, let a proxy end TLS before it, and say --https. SIGTERM and SIGINT end it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where people, panels, permissions and the history are kept: postgres://USER:PASSWORD@HOST/DATABASE
    /// or sqlite:FILE, which is made if it is not there.
    #[arg(
        long,
        value_name = "URL",
        env = "ROOMS_DATABASE",
        hide_env_values = true,
        default_value = "sqlite:rooms.db"
    )]
    database: String,
    /// Where browsers connect; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Browsers come over TLS, which a proxy before this process ends: cookies are for TLS only.
    #[arg(long)]
    https: bool,
    /// The folder of room files, if it is on this machine: administrators may change them then.
    #[arg(long, value_name = "DIR")]
    rooms: Option<PathBuf>,
    /// These two rooms stand side by side on the page /demo, for everybody who opens it.
    #[arg(long, value_name = "ROOM,ROOM", hide = true, value_parser = two_rooms)]
    demo: Option<[RoomName; 2]>,
    /// How much to say on standard error: error, warn, info or debug.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
    #[command(flatten)]
    bus: Bus,
}

fn two_rooms(text: &str) -> Result<[RoomName; 2], String> {
    let (one, other) = text.split_once(',').ok_or("two rooms are wanted, such as vienna,lisbon")?;
    let room = |text: &str| RoomName::new(text).map_err(|error| error.to_string());
    Ok([room(one)?, room(other)?])
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false);
    log.with_max_level(args.log).init();
    if !args.https && !args.listen.ip().is_loopback() {
        tracing::warn!(
            "passwords travel in the clear: let a proxy end TLS before this, and say --https"
        );
    }
    let options = Options {
        bus: args.bus.builder()?,
        database: args.database,
        listen: args.listen,
        is_https: args.https,
        rooms: args.rooms,
        demo: args.demo,
    };
    block_on(async {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let end = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        run::run(options, say, end).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Nobody may be reading, which is no reason not to serve.
fn say(ready: &Ready) {
    let mut out = std::io::stdout().lock();
    if let Some(password) = &ready.one_time_password {
        let _ = writeln!(out, "administrator admin, password for one use: {password}");
    }
    let _ = writeln!(out, "listening http {}\nready", ready.address);
}
