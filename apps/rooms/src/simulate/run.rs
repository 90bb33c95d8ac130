//! `rooms simulate`: the played devices, their lines, the bus and the clock, put together.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use linebus_client::{Builder, Client, Event, Events};
use rooms_files::{BridgeKind, Connect, Room, Rooms};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::lines::{Happened, Line, LineEvent, Pty, TcpKind};
use super::script::Script;
use super::world::{Frame, LineOrder, World};
use crate::ports::{Ports, ports};

/// The topic of orders and their answers.
pub const TOPIC: &str = "simulator";
/// So many events of lines wait; then the lines do.
const EVENTS_MAX: usize = 1024;
/// So often free ports are looked for.
const TRIES: u32 = 100;

/// What to play, and how.
#[derive(Debug)]
pub struct Options {
    /// The bus with the topic of orders.
    pub bus: Builder,
    /// The first device's port; 0 looks for ports that are free.
    pub base_port: u16,
    /// How many times faster than the world time passes.
    pub speed: f64,
    /// The same seed makes the same numbers.
    pub seed: u64,
    /// Serial devices are on pseudo-terminals in this folder.
    pub pty: Option<PathBuf>,
    /// Orders and their times.
    pub script: Option<PathBuf>,
    /// Where every frame is written.
    pub transcript: Option<PathBuf>,
}

/// Plays until SIGINT or SIGTERM. Says on standard output where each device is, then `ready`.
///
/// # Errors
/// It can't begin, or the bus does not want it any more.
pub async fn run(options: Options, rooms: &Rooms) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let script = options.script.as_deref().map(read_script).transpose()?.unwrap_or_default();
    let create = |file: &Path| File::create(file).with_context(|| file.display().to_string());
    let transcript = options.transcript.as_deref().map(create).transpose()?;
    let (ports, lines) = bind(rooms, &options).await?;
    let world =
        World::new(rooms, &ports, options.seed, options.speed).map_err(anyhow::Error::msg)?;
    let (client, mut events) = options.bus.connect().await.context("the bus")?;
    client.recv(TOPIC).await?;
    for ((room, device), line) in ports.keys().zip(&lines) {
        println!("{room} {device} {}", line.shown());
    }
    println!("ready");
    io::stdout().flush()?;
    let (told, mut tells) = mpsc::channel(EVENTS_MAX);
    let orders = lines.into_iter().enumerate().map(|(device, line)| {
        let (order, orders) = mpsc::unbounded_channel();
        tokio::spawn(line.carry(device, told.clone(), orders));
        order
    });
    let mut stage = Stage {
        orders: orders.collect(),
        world,
        script,
        client,
        transcript: transcript.map(BufWriter::new),
        begun: Instant::now(),
        speed: options.speed,
    };
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        ended = stage.play(&mut tells, &mut events) => ended,
    }
}

fn read_script(file: &Path) -> anyhow::Result<Script> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Script::parse(&text).map_err(|wrong| {
        let of_file = |wrong: &String| format!("{}: {wrong}", file.display());
        anyhow!(wrong.iter().map(of_file).collect::<Vec<_>>().join("\nrooms: "))
    })
}

struct Stage {
    world: World,
    script: Script,
    orders: Vec<mpsc::UnboundedSender<LineOrder>>,
    client: Client,
    transcript: Option<BufWriter<File>>,
    begun: Instant,
    speed: f64,
}

impl Stage {
    async fn play(
        &mut self,
        tells: &mut mpsc::Receiver<LineEvent>,
        events: &mut Events,
    ) -> anyhow::Result<()> {
        loop {
            let due = self.world.due().into_iter().chain(self.script.due()).min();
            tokio::select! {
                Some(event) = tells.recv() => self.happened(event),
                event = events.next() => match event {
                    Some(Event::Message(message)) => self.hear(&message.text),
                    Some(_) => {}
                    None => bail!("the bus does not take us any more"),
                },
                () = self.until(due) => {}
            }
            let now = self.now();
            self.world.tick(now);
            while let Some(order) = self.script.next(now) {
                self.world.order(&order, now);
            }
            self.carry_out()?;
        }
    }

    fn now(&self) -> Duration {
        self.begun.elapsed().mul_f64(self.speed)
    }

    async fn until(&self, due: Option<Duration>) {
        match due {
            Some(due) => tokio::time::sleep_until(self.begun + due.div_f64(self.speed)).await,
            None => std::future::pending().await,
        }
    }

    fn happened(&mut self, LineEvent { device, session, what }: LineEvent) {
        let now = self.now();
        match what {
            Happened::Opened => self.world.opened(device, session, now),
            Happened::Received(bytes) => self.world.received(device, session, &bytes, now),
            Happened::Closed => self.world.closed(device, session),
        }
    }

    /// An order. Answers of another simulator on the same bus are none.
    fn hear(&mut self, line: &str) {
        let is_answer = ["ok ", "error "].iter().any(|begin| line.starts_with(begin));
        if !is_answer && !line.trim().is_empty() {
            self.world.order(line, self.now());
        }
    }

    fn carry_out(&mut self) -> anyhow::Result<()> {
        for frame in self.world.frames() {
            self.write(&frame).context("the transcript")?;
        }
        for (device, order) in self.world.take() {
            // A line ends with the simulator, not before.
            let _ = self.orders[device].send(order);
        }
        for mut answer in self.world.answers() {
            answer.truncate(answer.floor_char_boundary(1000));
            // While the bus is away nobody waits for answers.
            let _ = self.client.try_send(TOPIC, &answer);
        }
        Ok(())
    }

    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let Some(transcript) = &mut self.transcript else { return Ok(()) };
        let (room, device) = self.world.name(frame.device);
        let sign = if frame.from_controller { '<' } else { '>' };
        let (at, bytes) = (frame.at.as_secs_f64(), frame.bytes.escape_ascii());
        writeln!(transcript, "{at:.3} {room} {device} {sign} {bytes}")?;
        // So that what a test or a person reads is whole.
        transcript.flush()
    }
}

/// The lines of all devices, in the order of their ports.
async fn bind(rooms: &Rooms, options: &Options) -> anyhow::Result<(Ports, Vec<Line>)> {
    if options.base_port > 0 {
        let ports = ports(rooms, options.base_port)?;
        let lines = bind_at(rooms, &ports, options).await?;
        return Ok((ports, lines));
    }
    let mut tries = 0;
    loop {
        // Below those that the system gives to connections.
        let ports = ports(rooms, fastrand::u16(10_000..30_000))?;
        match bind_at(rooms, &ports, options).await {
            Ok(lines) => return Ok((ports, lines)),
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

async fn bind_at(rooms: &Rooms, ports: &Ports, options: &Options) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for ((room, device), port) in ports {
        let room_of = rooms.get(room).context("ports are of rooms")?;
        let at_port = || format!("{room} {device}, port {port}; --base-port chooses others");
        lines.push(match (&options.pty, way(room_of, device)) {
            (Some(folder), Way::Tcp(TcpKind::Raw | TcpKind::Rfc2217(_))) => {
                let pty = Pty::open(folder, &format!("{room}-{device}"));
                let folder = folder.display();
                Line::Pty(pty.with_context(|| format!("{room} {device} in the folder {folder}"))?)
            }
            (_, Way::Tcp(kind)) => Line::tcp(*port, kind).await.with_context(at_port)?,
            (_, Way::Udp) => Line::udp(*port).await.with_context(at_port)?,
        });
    }
    Ok(lines)
}

enum Way {
    Tcp(TcpKind),
    Udp,
}

fn way(room: &Room, name: &rooms_messages::DeviceName) -> Way {
    let Some(device) = room.devices.get(name) else { return Way::Tcp(TcpKind::Device) };
    match &device.connect {
        Connect::Tcp { .. } => Way::Tcp(TcpKind::Device),
        Connect::Udp { .. } => Way::Udp,
        Connect::Serial { .. } => Way::Tcp(TcpKind::Raw),
        Connect::Bridge { name, .. } => match room.bridges.get(name).map(|bridge| bridge.kind) {
            Some(BridgeKind::Rfc2217) => Way::Tcp(TcpKind::Rfc2217(device.line)),
            _ => Way::Tcp(TcpKind::Raw),
        },
    }
}
