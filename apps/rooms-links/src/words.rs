//! The words of this crate: names, reasons, phases. The program around it turns them into lines.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A room's name, such as `room-a`; copying it is cheap.
    Room
}
name! {
    /// What the sender of a wish calls it, to know its answers again.
    WishId
}
name! {
    /// Who wished: a user or a panel; `device` for a call that was made at the codec itself.
    By
}

/// A codec's own number of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// Why something was refused, failed, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// One of the rooms is in another call.
    Busy,
    /// It rang, and nobody answered.
    NoAnswer,
    /// The far side declined.
    Rejected,
    /// The network found no way there; the only reason to dial again.
    Unreachable,
    /// The codec of the room that wished is not under control.
    OfflineNear,
    /// The codec of the other room is not under control.
    OfflineFar,
    /// A device did not do in time what it was told.
    Timeout,
    /// The call ended at one side without a wish.
    Dropped,
    /// Somebody disconnected before it was connected.
    Cancelled,
    /// It is not allowed.
    NotPermitted,
    /// The room is under maintenance.
    Maintenance,
    /// The calls that there are have not all been read yet.
    Starting,
    /// A device refused.
    DeviceError,
    /// Both rooms dialled each other.
    Glare,
}

impl Reason {
    /// The word for a line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Rejected => "rejected",
            Self::Unreachable => "unreachable",
            Self::OfflineNear => "offline-near",
            Self::OfflineFar => "offline-far",
            Self::Timeout => "timeout",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
            Self::NotPermitted => "not-permitted",
            Self::Maintenance => "maintenance",
            Self::Starting => "starting",
            Self::DeviceError => "device-error",
            Self::Glare => "glare",
        }
    }

    /// Whether dialling again may help. A busy room stays busy, and who declined has decided.
    pub(crate) fn is_network(self) -> bool {
        self == Self::Unreachable
    }
}

/// How far a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Both rooms wake up and get ready.
    Preparing,
    /// The call is being made, or made again.
    Dialing,
    /// Both codecs say that they are connected to each other.
    Connected,
    /// A codec can't be asked, and the call is perhaps alive.
    Recovering,
    /// No longer wanted; the calls are being hung up.
    Disconnecting,
    /// It is over.
    Idle,
}

impl Phase {
    /// The word for a line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Dialing => "dialing",
            Self::Connected => "connected",
            Self::Recovering => "recovering",
            Self::Disconnecting => "disconnecting",
            Self::Idle => "idle",
        }
    }
}
