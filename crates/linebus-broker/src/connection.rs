//! A connection as the task that reads it sees it: the unfinished line, its joins, and whom it
//! waits for. Other threads know only its [`Session`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use linebus_protocol::telnet::Telnet;
use linebus_protocol::text::{is_plain, unify_line_ends};
use memchr::memchr;

use crate::broker::{Broker, Now};
use crate::delivery::Outgoing;
use crate::fact::Fact;
use crate::session::{Link, Session};

/// How much is read at once, in bytes: what makes a batch. Larger reads gain nothing and leave
/// the processor's cache.
pub const READ_BYTES: usize = 128 << 10;

/// One client's connection.
pub struct Connection<L> {
    pub(crate) session: Arc<Session<L>>,
    pub(crate) input: Input,
    pub(crate) joins: Joins,
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
}

/// What a connection has joined.
#[derive(Default)]
pub(crate) struct Joins {
    pub(crate) patterns: Vec<Box<str>>,
    /// `recv` and `watch` counted apart.
    pub(crate) count: usize,
}

/// Memory for reading and delivering, one per thread: idle connections own no buffers.
pub struct Work<L> {
    pub(crate) buf: Vec<u8>,
    pub(crate) replies: Vec<u8>,
    pub(crate) outgoing: Outgoing<L>,
}

impl<L> Default for Work<L> {
    fn default() -> Self {
        Self { buf: Vec::new(), replies: Vec::new(), outgoing: Outgoing::default() }
    }
}

impl<L: Link> Work<L> {
    /// Where to put what is read next from `connection`: [`READ_BYTES`] of space, or as much as
    /// one wants of it. Tell [`Broker::receive`] how much it was.
    pub fn space(&mut self, connection: &Connection<L>) -> &mut [u8] {
        let carry = &connection.input.carry;
        let len = carry.len() + READ_BYTES;
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
    pub(crate) fn new(session: Arc<Session<L>>) -> Self {
        Self { session, input: Input::default(), joins: Joins::default(), waits: Vec::new() }
    }

    /// What others know of it.
    #[must_use]
    pub fn session(&self) -> &Arc<Session<L>> {
        &self.session
    }

    pub(crate) fn joins_mut(&mut self) -> &mut Joins {
        &mut self.joins
    }

    /// Until when nothing should be read from this connection, unless its session is woken
    /// earlier, because receivers of its lines are above their soft mark.
    pub fn paused_until(&mut self, broker: &Broker<L>, now: Now) -> Option<Duration> {
        if self.waits.is_empty() {
            return None;
        }
        let drain = Duration::from_millis(broker.limits().drain_ms);
        let session = &self.session;
        let mut latest = None;
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
    /// limit; more only while it [holds lines](Self::holds_lines).
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
    /// other line ends, the rest of a line that is too long.
    pub(crate) fn prepare(&mut self, buf: &mut [u8], answers: &mut Vec<u8>) -> Prepared {
        let carried = self.carry.len();
        let mut len = buf.len();
        let plain = !self.unplain && is_plain(&buf[carried..]);
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
