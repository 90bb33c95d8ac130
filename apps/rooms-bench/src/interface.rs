//! `rooms devices` with many rooms.

use std::collections::HashSet;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::Context;
use linebus_bench::process::{cpu_time, resident_bytes};
use linebus_client::blocking::{Client, Events};
use tempfile::TempDir;

use crate::Args;
use crate::folder;
use crate::page::{Row, Section};
use crate::presses;
use crate::programs::{Program, heard};
use crate::projector;

/// Far longer than any number of rooms takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// After the start, devices are still asked for this and that.
const SETTLED_AFTER: Duration = Duration::from_secs(20);
const ONLINE_AFTER_MAX: Duration = Duration::from_secs(10);
const IDLE_PERCENT_MAX: f64 = 2.0;
const RESIDENT_MAX: u64 = 150 << 20;
const PRESS_P99_MAX: Duration = Duration::from_millis(5);

/// The rooms, and who speaks with them.
pub(crate) struct Rooms {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) events: Events,
    projector: Receiver<Instant>,
    devices: usize,
    online_after: Duration,
    interface: Program,
    _simulator: Program,
    _bus: Program,
    _folder: TempDir,
}

impl Rooms {
    /// Starts everything and waits until every device is online.
    pub(crate) fn start(args: &Args) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        folder::write(folder.path(), args.rooms)?;
        let (bus, url) = bus(args)?;
        let rooms = folder.path().to_str().context("a temporary folder's name is text")?;
        let binary = args.programs.join("rooms");
        let simulate = ["simulate", "--bus", &url, "--rooms", rooms, "--base-port", "0"];
        let simulator = Program::start(&binary, &simulate)?;
        let places: Vec<_> =
            simulator.said.iter().filter_map(|line| line.rsplit_once(':')).collect();
        let base: u16 = places.first().context("there are devices")?.1.parse()?;
        // One more room, after the others, whose projector is ours.
        let projector = projector::play(base + u16::try_from(places.len())?)?;
        folder::write_ours(folder.path())?;
        let (client, mut events) = Client::connect(&url)?;
        client.recv("rooms")?;
        let began = Instant::now();
        let simulated = base.to_string();
        let arguments = ["devices", "--bus", &url, "--rooms", rooms, "--simulated", &simulated];
        let interface = Program::start(&binary, &[&arguments[..], &["--log", "error"]].concat())?;
        let devices = places.len() + 1;
        until_online(&mut events, devices)?;
        let online_after = began.elapsed();
        Ok(Self {
            url,
            client,
            events,
            projector,
            devices,
            online_after,
            interface,
            _simulator: simulator,
            _bus: bus,
            _folder: folder,
        })
    }

    pub(crate) fn measure(&mut self, args: &Args) -> anyhow::Result<Section> {
        drain(&mut self.events, SETTLED_AFTER);
        let (cpu_before, _) = cpu_time(self.interface.id())?;
        let watched = Duration::from_secs(args.idle);
        drain(&mut self.events, watched);
        let idle = cpu_time(self.interface.id())?.0.saturating_sub(cpu_before);
        let resident = resident_bytes(self.interface.id())?;
        let presses =
            presses::measure(&self.client, &mut self.events, &self.projector, args.presses)?;
        let idle = 100.0 * idle.as_secs_f64() / watched.as_secs_f64();
        let online = format!("start until all {} devices are online", self.devices);
        let processor = format!("processor, while nobody wishes anything ({} s)", args.idle);
        Ok(Section {
            title: "The interface process",
            about: format!(
                "`rooms devices` with {} rooms of six devices each, which `rooms simulate` plays at the speed of the world, and one room\n\
                 more whose projector is the clock.",
                args.rooms
            ),
            rows: vec![
                Row::time(online, self.online_after, ONLINE_AFTER_MAX),
                Row::share(processor, idle, IDLE_PERCENT_MAX),
                Row::memory("resident memory", resident, RESIDENT_MAX),
                Row::times(
                    "press on the bus until its bytes are at the device",
                    &presses,
                    PRESS_P99_MAX,
                ),
            ],
        })
    }
}

/// A bus on a free port.
pub(crate) fn bus(args: &Args) -> anyhow::Result<(Program, String)> {
    let bus =
        Program::start(&args.programs.join("linebus"), &["serve", "--listen", "127.0.0.1:0"])?;
    let address = bus.after("listening tcp ")?;
    let url = format!("linebus://{address}");
    Ok((bus, url))
}

/// Waits until every device is said to be online.
fn until_online(events: &mut Events, devices: usize) -> anyhow::Result<()> {
    let mut online = HashSet::new();
    let until = Instant::now() + PATIENCE;
    while online.len() < devices {
        let text = heard(events, until).with_context(|| format!("{} are online", online.len()))?;
        let words: Vec<_> = text.split(' ').collect();
        if let ["device", room, device, state, ..] = words[..]
            && !text.contains(" role=bridge")
        {
            let name = format!("{room} {device}");
            if state == "online" {
                online.insert(name)
            } else {
                online.remove(&name)
            };
        }
    }
    Ok(())
}

/// Listens for so long, as everybody who is on the bus does.
fn drain(events: &mut Events, time: Duration) {
    let until = Instant::now() + time;
    while heard(events, until).is_ok() {}
}
