//! Facts as lines.

use super::{AlertState, DeviceState, Everything, Fact, Mark, Online};
use crate::line::Writer;

impl Fact {
    pub(crate) fn write(&self) -> Writer {
        let mut w = Writer::new(self.verb());
        match self {
            Self::Accepted { already, id } => {
                if *already {
                    w.word("already");
                }
                w.optional("id", id.as_ref())
            }
            Self::Refused { id, reason, with, text } => w
                .optional("id", id.as_ref())
                .pair("reason", reason)
                .optional("with", with.as_ref())
                .optional("text", text.as_ref()),
            Self::Done { id } => w.optional("id", id.as_ref()),
            Self::Failed { id, reason, text } => {
                w.optional("id", id.as_ref()).pair("reason", reason).optional("text", text.as_ref())
            }
            Self::Link { near, far, phase, by, since, asking, reason, side } => w
                .word(near)
                .word(far)
                .word(phase)
                .optional("by", by.as_ref())
                .optional("since", since.as_ref())
                .optional("asking", asking.as_ref())
                .optional("reason", reason.as_ref())
                .optional("side", side.as_ref()),
            Self::Connect { near, far } => w.word(near).word(far),
            Self::Disconnect { near, far, reason, side } => w
                .word(near)
                .word(far)
                .optional("reason", reason.as_ref())
                .optional("side", side.as_ref()),
            Self::Room { room, state, with, other, city, title, since, until, stops } => w
                .word(room)
                .word(state)
                .optional("with", with.as_ref())
                .optional("other", other.as_ref())
                .optional("city", city.as_ref())
                .optional("title", title.as_ref())
                .optional("since", since.as_ref())
                .optional("until", until.as_ref())
                .optional("stops", stops.as_ref()),
            Self::Device { room, device, state, role } => {
                w.word(room).word(device);
                match state {
                    DeviceState::Online => w.word(Online::Online),
                    DeviceState::Offline { reason, since } => w
                        .word(Online::Offline)
                        .pair("reason", reason)
                        .optional("since", since.as_ref()),
                };
                w.optional("role", role.as_ref())
            }
            Self::Offers { room, device, offers } => offers.write(w.word(room).word(device)),
            Self::State { room, device, keys } => {
                w.word(room).word(device);
                keys.iter().fold(&mut w, |w, (key, value)| w.pair(key, value))
            }
            Self::Alert { room, device, code, state } => {
                w.word(room).word(device);
                match state {
                    AlertState::Clear => w.word("clear").pair("code", code),
                    AlertState::Raised { level, text } => {
                        w.pair("level", level).pair("code", code).optional("text", text.as_ref())
                    }
                }
            }
            Self::Help { room, state, by, text, since } => w
                .word(room)
                .word(state)
                .optional("by", by.as_ref())
                .optional("text", text.as_ref())
                .optional("since", since.as_ref()),
            Self::Alive => &mut w,
            Self::Everything(Everything::Begin) => w.word(Mark::Begin),
            Self::Everything(Everything::End { lines }) => w.word(Mark::End).pair("lines", lines),
        };
        w
    }
}
