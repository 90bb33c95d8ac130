//! Clients, their pipes and their moods. What happens in a step depends on the seed, the number of
//! the step and the state, so that steps can be left out and the others stay what they were.

use std::sync::Weak;
use std::time::Duration;

use fastrand::Rng;
use linebus_broker::{Limits, Session};
use linebus_protocol::ByeReason;

use super::pair::Pair;
use super::pipe::Pipe;
use super::record::Record;
use super::script::{self, Script};
use super::shell::{Shell, Turned};
use crate::ledger::Verdict;

/// More turns than this after the last step, and the bus does not come to rest.
const TURNS_MAX: usize = 1_000_000;
/// A client says no more while this much is on its way to the bus.
const WIRE_BYTES_MAX: usize = 300_000;

/// One simulated world.
pub struct World {
    /// The bus.
    pub pair: Pair,
    seed: u64,
    script: Script,
    room_bytes_max: usize,
    limits: Limits,
    has_accounts: bool,
    seats: Vec<Seat>,
    serial: u64,
    /// Those who have gone, of whom nothing may be left in the end.
    past: Vec<Weak<Session<Pipe>>>,
}

/// A place at the bus that one client after the other takes.
#[derive(Default)]
struct Seat {
    taken: usize,
    client: Option<Client>,
}

struct Client {
    name: String,
    shell: Shell,
    /// What it has said and has not arrived.
    wire: Vec<u8>,
    /// It does not read.
    stalled: bool,
    /// It closes when all it said has arrived.
    closes: bool,
}

/// Mixes a seed with a number.
fn mix(seed: u64, number: u64) -> u64 {
    Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).u64(..)
}

/// Limits that may change while the bus is in use, drawn anew; lines have at most so many bytes.
fn other_limits(rng: &mut Rng, limits: &Limits, line_bytes_max: usize) -> Limits {
    Limits {
        line_bytes_max: rng.usize(line_bytes_max / 2..=line_bytes_max),
        joins_max: rng.usize(2..8),
        drain_ms: rng.u64(5..200),
        login_line_bytes_max: rng.usize(20..80),
        login_lines_max: rng.u32(3..12),
        login_failures_max: rng.u32(1..4),
        user_lines_per_second: if rng.u32(..4) == 0 { rng.u64(50..2_000) } else { 0 },
        user_burst_ms: rng.u64(10..1_000),
        ..limits.clone()
    }
}

impl World {
    /// The world of this seed.
    #[must_use]
    pub fn new(seed: u64, record: Record) -> Self {
        let rng = &mut Rng::with_seed(mix(seed, u64::MAX));
        // Most worlds are tiny, some roomy, few large enough for more than a chunk.
        let (scale, run_lines_max) = match rng.u32(..16) {
            0..10 => (1, 12),
            10..14 => (8, 40),
            _ => (128, 80),
        };
        let line_bytes_max = rng.usize(40..120) * if scale > 1 { 10 } else { 1 };
        let outbox_soft_bytes = rng.usize(100..1_000) * scale;
        let outbox_hard_bytes = outbox_soft_bytes * rng.usize(2..6);
        let limits = Limits {
            outbox_soft_bytes,
            outbox_hard_bytes,
            sessions_bytes_max: outbox_hard_bytes + rng.usize(..3 * outbox_hard_bytes),
            ..Limits::default()
        };
        let limits = other_limits(rng, &limits, line_bytes_max);
        let script =
            Script { message_bytes_max: line_bytes_max / 2, run_lines_max, line_bytes_max };
        Self {
            pair: Pair::new(&limits, record),
            seed,
            script,
            room_bytes_max: outbox_soft_bytes,
            limits,
            has_accounts: rng.bool(),
            seats: (0..rng.usize(2..7)).map(|_| Seat::default()).collect(),
            serial: 0,
            past: Vec::new(),
        }
    }

    /// Plays some steps, then everything that must follow.
    ///
    /// # Errors
    /// What must not be.
    pub fn play(&mut self, steps: &[u64]) -> Verdict {
        if self.has_accounts {
            let accounts = script::accounts(&mut Rng::with_seed(self.seed));
            self.pair.set_accounts(accounts)?;
        }
        for step in steps {
            self.step(*step)?;
        }
        self.finish()
    }

    /// Plays one step.
    ///
    /// # Errors
    /// What must not be.
    pub fn step(&mut self, step: u64) -> Verdict {
        let rng = &mut Rng::with_seed(mix(self.seed, step));
        let seat = rng.usize(..self.seats.len());
        match &mut self.seats[seat].client {
            None => self.take(seat, rng)?,
            Some(client) => match rng.u32(..1_000) {
                0..350 if !client.closes && client.wire.len() < WIRE_BYTES_MAX => {
                    let (serial, wire) = (&mut self.serial, &mut client.wire);
                    match self.pair.session(client.shell.id).is_inside() {
                        true => self.script.lines_inside(rng, serial, wire),
                        false => self.script.lines(rng, serial, wire),
                    }
                    client.arrive(rng);
                }
                350..550 => client.arrive(rng),
                550..850 if !client.stalled => client.read(rng),
                850..900 => client.mood(rng, self.room_bytes_max, &mut self.pair.record),
                900..910 => client.leave(rng, &mut self.pair.record),
                910..960 => {
                    let ms = rng.u64(..=self.limits.drain_ms);
                    self.pair.record.remark(|| format!("+{ms} ms"));
                    self.pair.advance(Duration::from_millis(ms));
                }
                960..962 => self.pair.note_all("restart", "soon")?,
                962 if rng.u32(..10) == 0 => {
                    self.pair.close_all(ByeReason::Shutdown, "the bus stops")?;
                    if rng.bool() {
                        self.pair.close_inside(ByeReason::Shutdown, "the bus stops")?;
                    }
                }
                963..968 if self.has_accounts => self.pair.set_accounts(script::accounts(rng))?,
                968..970 => {
                    self.limits = other_limits(rng, &self.limits, self.script.line_bytes_max);
                    self.pair.set_limits(&self.limits);
                }
                970..990 => {
                    self.pair.finish_login(client.shell.id)?;
                    client.shell.wake();
                }
                _ => {}
            },
        }
        for _ in 0..rng.usize(..4) {
            let ready = self.ready();
            if !ready.is_empty() {
                self.turn(ready[rng.usize(..ready.len())])?;
            }
        }
        Ok(())
    }

    fn take(&mut self, seat: usize, rng: &mut Rng) -> Verdict {
        let letter = char::from(b'A' + u8::try_from(seat).expect("few seats"));
        let taken = &mut self.seats[seat].taken;
        *taken += 1;
        let name = match *taken {
            1 => letter.to_string(),
            taken => format!("{letter}{taken}"),
        };
        let room = rng.usize(..=self.room_bytes_max);
        let inside = rng.u32(..8) == 0;
        let mut wire = Vec::new();
        if !inside && self.has_accounts && rng.u32(..4) > 0 {
            self.script.log_in(rng, &mut self.serial, &mut wire);
        }
        let whence = if inside { " from inside" } else { "" };
        self.pair.record.remark(|| format!("{name} comes{whence}, with room for {room} bytes"));
        let (id, pipe) = match inside {
            true => self.pair.connect_inside(&name, room)?,
            false => self.pair.connect(&name, room)?,
        };
        let shell = Shell::new(id, pipe);
        let client = Client { name, shell, wire, stalled: false, closes: false };
        self.seats[seat].client = Some(client);
        Ok(())
    }

    /// The seats whose tasks have a reason to act.
    fn ready(&self) -> Vec<usize> {
        let now = self.pair.elapsed();
        let ready = |seat: &Seat| seat.client.as_ref().is_some_and(|c| c.shell.is_ready(now));
        (0..self.seats.len()).filter(|seat| ready(&self.seats[*seat])).collect()
    }

    fn turn(&mut self, seat: usize) -> Verdict {
        let Some(client) = &mut self.seats[seat].client else { return Ok(()) };
        let session = std::sync::Arc::downgrade(&self.pair.session(client.shell.id));
        if client.shell.turn(&mut self.pair)? == Turned::Ended {
            self.pair.record.remark(|| format!("{} is gone", client.name));
            self.past.push(session);
            self.seats[seat].client = None;
        }
        Ok(())
    }

    /// Everybody reads and everything arrives, without any time passing; in the end everybody goes.
    fn finish(&mut self) -> Verdict {
        self.pair.record.remark(|| "from here on all goes well".to_owned());
        self.clients().for_each(|client| client.shell.pipe.limit(usize::MAX, usize::MAX));
        self.pair.set_limits(&Limits { user_lines_per_second: 0, ..self.limits.clone() });
        self.clients().for_each(|client| client.shell.wake());
        self.rest()?;
        for client in self.clients().filter(|client| !client.closes) {
            client.wire.extend_from_slice(b"\nping end\n");
        }
        self.rest()?;
        self.clients().for_each(|client| client.closes = true);
        self.rest()?;
        self.leave_nothing()
    }

    fn clients(&mut self) -> impl Iterator<Item = &mut Client> {
        self.seats.iter_mut().filter_map(|seat| seat.client.as_mut())
    }

    /// Lets everybody act until nobody has a reason to; then nothing may wait.
    fn rest(&mut self) -> Verdict {
        for _ in 0..TURNS_MAX {
            for client in self.clients() {
                let _ = client.shell.pipe.drain(usize::MAX);
                client.push(usize::MAX);
            }
            match self.ready().first() {
                Some(seat) => self.turn(*seat)?,
                None if self.finish_login()? => {}
                None => return self.check_rest(),
            }
        }
        Err("the bus does not come to rest".to_owned())
    }

    /// Checks a login that is to be checked; false if there is none.
    fn finish_login(&mut self) -> Result<bool, String> {
        let ids: Vec<_> = self.clients().map(|client| client.shell.id).collect();
        let Some(id) = ids.into_iter().find(|id| self.pair.is_logging_in(*id)) else {
            return Ok(false);
        };
        self.pair.finish_login(id)?;
        self.clients().filter(|client| client.shell.id == id).for_each(|c| c.shell.wake());
        Ok(true)
    }

    fn check_rest(&mut self) -> Verdict {
        for client in self.clients() {
            let (name, shell) = (&client.name, &client.shell);
            if let Some(timer) = shell.timer() {
                return Err(format!("{name} acts at {timer:?}, when nothing is to wait for"));
            }
            if !shell.arrived.is_empty() {
                return Err(format!("{name} said something that is not read"));
            }
        }
        match self.pair.broker().queued() {
            0 => Ok(()),
            queued => Err(format!("{queued} bytes wait, and nobody writes them")),
        }
    }

    /// Nobody is there: no session, no join, no route, no byte is left.
    fn leave_nothing(&mut self) -> Verdict {
        if let Some(client) = self.clients().next() {
            return Err(format!("{} never goes", client.name));
        }
        let broker = self.pair.broker();
        let (sessions, queued) = (broker.sessions(), broker.queued());
        if (sessions, queued) != (0, 0) {
            return Err(format!("{sessions} sessions and {queued} bytes are left"));
        }
        if self.past.iter().any(|session| session.upgrade().is_some()) {
            return Err("somebody who has gone is still known to somebody".to_owned());
        }
        self.pair.set_accounts(None)?;
        let (id, _) = self.pair.connect("Z", usize::MAX)?;
        self.pair.receive(id, b"who\ntopics\n")?;
        self.pair.disconnect(id)
    }
}

impl Client {
    /// Some of what it said arrives.
    fn arrive(&mut self, rng: &mut Rng) {
        self.push(match rng.u32(..6) {
            0 => 1,
            1 => rng.usize(1..40),
            _ => usize::MAX,
        });
    }

    fn push(&mut self, count: usize) {
        let count = count.min(self.wire.len());
        self.shell.arrived.extend(self.wire.drain(..count));
        self.shell.closed |= self.closes && self.wire.is_empty();
    }

    fn read(&mut self, rng: &mut Rng) {
        let count = match rng.u32(..4) {
            0 => 1,
            1 => rng.usize(1..100),
            _ => usize::MAX,
        };
        let _ = self.shell.pipe.drain(count);
    }

    fn mood(&mut self, rng: &mut Rng, room_bytes_max: usize, record: &mut Record) {
        if rng.u32(..3) > 0 {
            self.stalled = !self.stalled;
            let does = if self.stalled { "stops reading" } else { "reads on" };
            return record.remark(|| format!("{} {does}", self.name));
        }
        let room = rng.usize(1..=room_bytes_max);
        let bite = if rng.bool() { usize::MAX } else { rng.usize(1..30) };
        self.shell.pipe.limit(room, bite);
        record.remark(|| format!("{} has room for {room} bytes", self.name));
    }

    /// It closes its half, or the connection breaks.
    fn leave(&mut self, rng: &mut Rng, record: &mut Record) {
        self.closes = true;
        if rng.bool() {
            return record.remark(|| format!("{} closes after what it said", self.name));
        }
        self.wire.clear();
        self.shell.pipe.break_off();
        self.shell.closed = true;
        record.remark(|| format!("{}'s connection breaks", self.name));
    }
}
