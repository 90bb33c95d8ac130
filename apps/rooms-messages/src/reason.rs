//! Why a wish was not fulfilled, why a connection ended, why a device is not there.

use crate::choice::choice;

choice! {
    /// Why a wish is refused or failed, or a connection ended. A `text` beside it is for people.
    pub Reason {
        /// It ended because somebody wished so.
        Normal = "normal",
        /// A room is in another call.
        Busy = "busy",
        /// Nobody answered.
        NoAnswer = "no-answer",
        /// The other side declined.
        Rejected = "rejected",
        /// No such number, or no way to it.
        Unreachable = "unreachable",
        /// The codec of the room that asks is not there.
        OfflineNear = "offline-near",
        /// The codec of the other room is not there.
        OfflineFar = "offline-far",
        /// Something did not happen in time.
        Timeout = "timeout",
        /// One side lost the call.
        Dropped = "dropped",
        /// Somebody changed their mind while it was being made.
        Cancelled = "cancelled",
        /// Who wished it may not.
        NotPermitted = "not-permitted",
        /// A room is being repaired.
        Maintenance = "maintenance",
        /// The rooms' state is not known yet; ask again in a moment.
        Starting = "starting",
        /// A device refused or answered nonsense.
        DeviceError = "device-error",
        /// Both rooms called each other at once.
        Glare = "glare",
        /// The line is no wish; `text` says what would be.
        BadWish = "bad-wish",
        /// There is no such room.
        UnknownRoom = "unknown-room",
        /// The room has no such device.
        UnknownDevice = "unknown-device",
        /// The device is there, but can't do that.
        Unsupported = "unsupported",
        /// The device, or what reaches it, is offline.
        Offline = "offline",
        /// Nobody has asked for help there.
        NotRequested = "not-requested",
        /// It came later than its `expires`.
        Expired = "expired",
    }
}

choice! {
    /// Why a device is offline.
    pub OfflineReason {
        /// Its address does not answer at all.
        Unreachable = "unreachable",
        /// Its address answers, but refuses the connection.
        Refused = "refused",
        /// Connected, but it does not answer.
        NoResponse = "no-response",
        /// It does not take the password; nothing is tried again until that is changed.
        AuthFailed = "auth-failed",
        /// The serial bridge it hangs on is not there.
        Bridge = "bridge",
        /// Its part of the room file can't be right.
        Config = "config",
        /// Somebody else uses its only line.
        SomeoneElse = "someone-else",
        /// It sleeps, and wakes when it is needed: no alarm.
        Asleep = "asleep",
    }
}
