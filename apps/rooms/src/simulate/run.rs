//! `rooms simulate`: the played devices, their lines, the bus and the clock, put together.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use linebus_client::{Client, Event, Events};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::lines::{Happened, Line, LineEvent, Pty, TcpKind};
use super::script::Script;
use super::world::{Frame, LineOrder, World};
use crate::ports::{Ports, ports};
use crate::room_file::{self, BridgeKind, Connect, Room, Rooms};

/// The topic of orders and their answers.
pub const TOPIC: &str = "simulator";
/// So many events of lines wait; then the lines do.
const EVENTS_MAX: usize = 1024;
/// So often free ports are looked for.
const TRIES: u32 = 100;

/// Play every device of every room: a test bench, a demonstration, a place to practise.
///
/// Orders come on the topic `simulator` and are answered there: `show ROOM DEVICE`, `fault ROOM
/// DEVICE no-reply|garbage|close|slow=MS|wrong-password|erst=DIGITS|off`, `drop call ROOM ROOM
/// [side=ROOM]`, `reboot ROOM DEVICE`, `cut ROOM BRIDGE [seconds=N]`, `ring ROOM [from="NUMBER"]`,
/// `press ROOM DEVICE BUTTON`, `expect ROOM DEVICE "PATTERN" [within=5s]`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder of room files
    #[arg(long, value_name = "DIR")]
    rooms: PathBuf,
    /// The bus, such as linebus://127.0.0.1:5463
    #[arg(long, value_name = "URL", env = "LINEBUS_URL")]
    bus: String,
    /// The first device's port, on 127.0.0.1; 0 looks for ports that are free
    #[arg(long, value_name = "N", default_value_t = 24_000)]
    base_port: u16,
    /// How many times faster than the world time passes; only how long a device waits for a silent
    /// controller stays as it is
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// The same seed makes the same numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Put serial devices on pseudo-terminals DIR/ROOM-DEVICE instead of ports
    #[arg(long, value_name = "DIR")]
    pty: Option<PathBuf>,
    /// Give the orders of this file: a time such as 2.5s and an order a line
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Write every frame into this file
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: Option<f64> = text.parse().ok();
    speed.filter(|speed| (0.01..=1000.0).contains(speed)).ok_or("from 0.01 to 1000".to_owned())
}

/// Plays until SIGINT or SIGTERM.
///
/// # Errors
/// It can't begin; says why, a line per mistake.
pub fn run(options: &Options) -> Result<(), Vec<String>> {
    let (rooms, warnings) = room_file::read(&options.rooms)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    warnings.iter().for_each(|warning| eprintln!("rooms: {warning}"));
    let script = match &options.script {
        Some(file) => read_script(file)?,
        None => Script::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| vec![error.to_string()])?;
    runtime.block_on(play(options, &rooms, script)).map_err(|error| vec![error])
}

fn read_script(file: &Path) -> Result<Script, Vec<String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| vec![format!("{}: {error}", file.display())])?;
    Script::parse(&text).map_err(|wrong| {
        wrong.into_iter().map(|wrong| format!("{}: {wrong}", file.display())).collect()
    })
}

async fn play(options: &Options, rooms: &Rooms, script: Script) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let signals = [SignalKind::interrupt(), SignalKind::terminate()];
    let [interrupt, terminate] = signals.map(signal);
    let transcript = options
        .transcript
        .as_deref()
        .map(|file| File::create(file).map_err(|error| format!("{}: {error}", file.display())));
    let (ports, lines) = bind(rooms, options).await?;
    let world = World::new(rooms, &ports, options.seed, options.speed)?;
    let (client, events) = Client::connect(&options.bus)
        .await
        .map_err(|error| format!("the bus {}: {error}", options.bus))?;
    client.recv(TOPIC).await.map_err(|error| format!("topic {TOPIC}: {error}"))?;
    for ((room, device), line) in ports.keys().zip(&lines) {
        println!("{room} {device} {}", line.shown());
    }
    println!("ready");
    io::stdout().flush().map_err(text)?;
    let (told, tells) = mpsc::channel(EVENTS_MAX);
    let orders = lines.into_iter().enumerate().map(|(device, line)| {
        let (order, orders) = mpsc::unbounded_channel();
        tokio::spawn(line.carry(device, told.clone(), orders));
        order
    });
    let stage = Stage {
        orders: orders.collect(),
        world,
        script,
        client,
        transcript: transcript.transpose()?.map(BufWriter::new),
        begun: Instant::now(),
        speed: options.speed,
    };
    stage.play(tells, events, interrupt.map_err(text)?, terminate.map_err(text)?).await
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
        mut self,
        mut tells: mpsc::Receiver<LineEvent>,
        mut events: Events,
        mut interrupt: Signal,
        mut terminate: Signal,
    ) -> Result<(), String> {
        loop {
            let due = self.world.due().into_iter().chain(self.script.due()).min();
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                Some(event) = tells.recv() => self.happened(event),
                event = events.next() => match event {
                    Some(Event::Message(message)) => self.hear(&message.text),
                    Some(_) => {}
                    None => return Err("the bus does not take us any more".to_owned()),
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

    fn carry_out(&mut self) -> Result<(), String> {
        for frame in self.world.frames() {
            self.write(&frame).map_err(|error| format!("the transcript: {error}"))?;
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
async fn bind(rooms: &Rooms, options: &Options) -> Result<(Ports, Vec<Line>), String> {
    if options.base_port > 0 {
        let ports = ports(rooms, options.base_port).map_err(|error| error.to_string())?;
        let lines = bind_at(rooms, &ports, options).await.map_err(|error| error.to_string())?;
        return Ok((ports, lines));
    }
    let mut last = "no ports".to_owned();
    for _ in 0..TRIES {
        // Below those that the system gives to connections.
        let ports =
            ports(rooms, fastrand::u16(10_000..30_000)).map_err(|error| error.to_string())?;
        match bind_at(rooms, &ports, options).await {
            Ok(lines) => return Ok((ports, lines)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn bind_at(rooms: &Rooms, ports: &Ports, options: &Options) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let places: BTreeMap<_, _> = rooms.iter().map(|room| (&room.id, room)).collect();
    for ((room, device), port) in ports {
        let way = way(places[room], device);
        let bound = match (&options.pty, way) {
            (Some(folder), Way::Tcp(TcpKind::Raw | TcpKind::Rfc2217(_))) => {
                Pty::open(folder, &format!("{room}-{device}")).map(Line::Pty)
            }
            (_, Way::Tcp(kind)) => Line::tcp(*port, kind).await,
            (_, Way::Udp) => Line::udp(*port).await,
        };
        lines.push(bound.map_err(|error| format!("{room} {device}, port {port}: {error}"))?);
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
