//! A connection as the task that reads it sees it: the unfinished line, its joins, and whom it
//! waits for. Other threads know only its [`Session`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use linebus_protocol::scan::scan;
use linebus_protocol::telnet::Telnet;
use linebus_protocol::text::unify_line_ends;
use memchr::memchr;

use crate::batch::SameWay;
use crate::broker::{Broker, Now};
use crate::delivery::Outgoing;
use crate::fact::Fact;
use crate::login::Login;
use crate::rate::Bucket;
use crate::session::{Link, Session};

/// How much is read at once, in bytes: what makes a batch. Smaller reads cost more of what a read
/// costs besides its bytes; larger ones gain little and leave the processor's cache.
pub const READ_BYTES: usize = 256 << 10;
/// The same for a client that has yet to log in: what is read may have to be kept meanwhile.
const LOGIN_READ_BYTES: usize = 8 << 10;
/// The least that is read at once from a user whose rate is limited, in bytes.
const LEAST_READ_BYTES: usize = 512;

/// One client's connection.
pub struct Connection<L> {
    pub(crate) session: Arc<Session<L>>,
    pub(crate) input: Input,
    pub(crate) login: Login,
    /// How much its user has sent lately, where that is limited.
    pub(crate) bucket: Option<Arc<Bucket>>,
    /// Receivers above their soft mark that this connection waits for.
    pub(crate) waits: Vec<Arc<Session<L>>>,
}

/// What was read and not yet understood.
#[derive(Default)]
pub(crate) struct Input {
    /// An unfinished line, at most a line's limit; more only while `held`.
    carry: Vec<u8>,
    /// Complete lines were left unread until the client reads its answers.
    held: bool,
    /// The last read was not plain, which concerns the line or the telnet command it began.
    unplain: bool,
    /// The line that is too long is being thrown away.
    pub(crate) discarding: bool,
    /// A line was read: what comes first was checked.
    pub(crate) begun: bool,
    telnet: Telnet,
    /// Lines so far, while a login must come first.
    pub(crate) lines_before_login: u32,
}

/// Memory for reading and delivering, one per thread: idle connections own no buffers.
pub struct Work<L> {
    pub(crate) buf: Vec<u8>,
    /// Where the lines end that are being received.
    pub(crate) ends: Vec<u32>,
    pub(crate) alike: SameWay<L>,
    pub(crate) replies: Vec<u8>,
    pub(crate) outgoing: Outgoing<L>,
}

impl<L> Default for Work<L> {
    fn default() -> Self {
        Self {
            buf: Vec::new(),
            ends: Vec::new(),
            alike: SameWay::default(),
            replies: Vec::new(),
            outgoing: Outgoing::default(),
        }
    }
}

impl<L: Link> Work<L> {
    /// Where to put what is read next from `connection`: at most [`READ_BYTES`] of space, of which
    /// one may use less. Tell [`Broker::receive`] how much it was.
    pub fn space(&mut self, connection: &Connection<L>, broker: &Broker<L>, now: Now) -> &mut [u8] {
        let carry = &connection.input.carry;
        let len = carry.len() + connection.room_bytes(broker, now);
        if self.buf.len() < len {
            self.buf.resize(len, 0);
        }
        self.buf[..carry.len()].copy_from_slice(carry);
        &mut self.buf[carry.len()..len]
    }

    /// What happened since this was asked last.
    pub fn facts(&mut self) -> std::vec::Drain<'_, Fact> {
        self.outgoing.facts.drain(..)
    }
}

impl<L: Link> Connection<L> {
    pub(crate) fn new(session: Arc<Session<L>>, bucket: Option<Arc<Bucket>>) -> Self {
        Self {
            session,
            input: Input::default(),
            login: Login::default(),
            bucket,
            waits: Vec::new(),
        }
    }

    /// How much to read at once: little of those who have yet to log in, for it may have to be
    /// kept while a password is checked, and of those whose rate is limited.
    fn room_bytes(&self, broker: &Broker<L>, now: Now) -> usize {
        if self.session.must_log_in() {
            return LOGIN_READ_BYTES;
        }
        self.bucket.as_ref().map_or(READ_BYTES, |bucket| {
            let room = bucket.room_bytes(&broker.limits(), now.elapsed);
            room.clamp(LEAST_READ_BYTES, READ_BYTES)
        })
    }

    /// What others know of it.
    #[must_use]
    pub fn session(&self) -> &Arc<Session<L>> {
        &self.session
    }

    /// Until when nothing should be read from this connection, unless its session is woken
    /// earlier, because receivers of its lines are above their soft mark or its user has sent more
    /// than the rate that is allowed.
    pub fn paused_until(&mut self, broker: &Broker<L>, now: Now) -> Option<Duration> {
        if self.waits.is_empty() && self.bucket.is_none() {
            return None;
        }
        let limits = broker.limits();
        let drain = Duration::from_millis(limits.drain_ms);
        let session = &self.session;
        let bucket = self.bucket.as_ref();
        let mut latest = bucket.and_then(|bucket| bucket.wait_until(&limits, now.elapsed));
        self.waits.retain(|awaited| {
            let end = awaited.pressure_end(session, drain).filter(|end| *end > now.elapsed);
            latest = latest.max(end);
            end.is_some()
        });
        latest
    }

    /// Whether there are lines to be received that were read before.
    #[must_use]
    pub fn holds_lines(&self) -> bool {
        self.input.held
    }

    /// Bytes of text that were read and not carried out yet: an unfinished line, at most a line's
    /// limit; more only while it [holds lines](Self::holds_lines) or [logs in](Self::is_logging_in).
    #[must_use]
    pub fn unread_bytes(&self) -> usize {
        self.input.carried()
    }
}

/// What [`Input::prepare`] makes of a read.
pub(crate) enum Prepared {
    /// Lines, and perhaps the beginning of one. `plain`: ASCII without control characters.
    Text { range: Range<usize>, plain: bool },
    /// The beginning of a TLS handshake.
    Tls,
}

impl Input {
    /// How much of the buffer's beginning was read before.
    pub(crate) fn carried(&self) -> usize {
        self.carry.len()
    }

    /// Cleans what was just read, `buf[carried..]`, of what is not text: telnet's negotiation,
    /// other line ends, the rest of a line that is too long. `ends` becomes where lines end in the
    /// text that is left.
    pub(crate) fn prepare(
        &mut self,
        buf: &mut [u8],
        answers: &mut Vec<u8>,
        ends: &mut Vec<u32>,
    ) -> Prepared {
        let carried = self.carry.len();
        let mut len = buf.len();
        let scanned = if self.held { 0 } else { carried };
        let plain = scan(buf, scanned, ends) && !self.unplain;
        if !plain {
            len = carried + self.telnet.strip(&mut buf[carried..], answers);
            // A CR before may have waited for its partner.
            let from = carried.saturating_sub(1);
            len = from + unify_line_ends(&mut buf[from..len]);
        }
        self.unplain = !plain;
        // A TLS record of type handshake (RFC 8446, 5.1) begins with 22, which no line does.
        if !self.begun && carried == 0 && buf[..len].first() == Some(&22) {
            return Prepared::Tls;
        }
        let mut start = 0;
        if self.discarding {
            start = match memchr(b'\n', &buf[..len]) {
                Some(end) => end + 1,
                None => len - usize::from(buf[..len].ends_with(b"\r")),
            };
            self.discarding = !buf[..start].ends_with(b"\n");
        }
        if start > 0 || len < buf.len() {
            // Bytes were taken out before and between the lines.
            scan(&buf[start..len], 0, ends);
        }
        Prepared::Text { range: start..len, plain }
    }

    /// Keeps what is left of a read: an unfinished line, or lines `held` for later.
    pub(crate) fn keep(&mut self, rest: &[u8], held: bool) {
        self.held = held;
        self.unplain &= !rest.is_empty() || self.telnet != Telnet::Text;
        if rest.is_empty() {
            self.carry = Vec::new();
        } else {
            self.carry.clear();
            self.carry.extend_from_slice(rest);
        }
    }
}
