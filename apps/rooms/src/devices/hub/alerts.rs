//! What somebody should look at: devices that stay away, parts that report a fault, steps that
//! failed. A bridge that is gone is one alert, not one for each device behind it.

use std::collections::BTreeMap;
use std::time::Duration;

use rooms_messages::{
    AlertLevel, AlertState, DeviceName, Fact, OfflineReason, RoomName, Text, Word,
};
use tokio::time::Instant;

use super::Hub;

/// Who is back sooner is not worth an alert.
const AWAY_FOR: Duration = Duration::from_secs(10);
const OFFLINE: &str = "offline";

/// The devices and bridges that are away.
#[derive(Debug, Default)]
pub(super) struct Alerts(BTreeMap<(RoomName, DeviceName), Away>);

#[derive(Debug)]
struct Away {
    at: Instant,
    reason: OfflineReason,
    text: String,
    raised: bool,
    /// Its bridge's alert says it.
    hidden: bool,
}

impl Alerts {
    pub(super) fn online(&mut self, room: &RoomName, device: &DeviceName) {
        if let Some(away) = self.0.get_mut(&(room.clone(), device.clone())) {
            // Kept until the alert is cleared.
            away.reason = OfflineReason::Asleep;
        }
    }

    pub(super) fn offline(
        &mut self,
        room: &RoomName,
        device: &DeviceName,
        reason: OfflineReason,
        text: &str,
        now: Instant,
    ) {
        let away = self.0.entry((room.clone(), device.clone())).or_insert_with(|| Away {
            at: now + AWAY_FOR,
            reason,
            text: text.to_owned(),
            raised: false,
            hidden: false,
        });
        if is_for_people(reason) {
            away.at = now;
        }
        away.reason = reason;
        text.clone_into(&mut away.text);
    }

    /// When the next one is to be raised.
    pub(super) fn due(&self) -> Option<Instant> {
        let waiting = self.0.values().filter(|away| !away.raised && !away.hidden);
        waiting.map(|away| away.at).min()
    }
}

/// Nothing will change by itself: said at once.
fn is_for_people(reason: OfflineReason) -> bool {
    matches!(reason, OfflineReason::AuthFailed | OfflineReason::Config | OfflineReason::SomeoneElse)
}

/// What somebody can do about it.
fn what_helps(reason: OfflineReason) -> &'static str {
    match reason {
        OfflineReason::NoResponse => "; is it switched on, and are its address and driver right?",
        OfflineReason::Unreachable => "; is it in the network, and is its address right?",
        OfflineReason::Refused => "; is control over the network allowed in its settings?",
        OfflineReason::AuthFailed => {
            "; write the right one into its password_file, then `reload`: it is not tried again before"
        }
        OfflineReason::SomeoneElse => "; let only one program use it",
        OfflineReason::Bridge => "; see the bridge's cable and settings",
        OfflineReason::Config => "; mend the room file, then `reload`",
        OfflineReason::Asleep => "",
    }
}

impl Hub {
    /// Raises and clears what is due.
    pub(super) fn raise_alerts(&mut self, now: Instant) {
        if self.alerts.due().is_some_and(|due| due <= now) {
            self.check_alerts(|_| true, now);
        }
    }

    /// The same for one room, whatever is due.
    pub(super) fn check_alerts_of(&mut self, room: &RoomName, now: Instant) {
        self.check_alerts(|of| of == room, now);
    }

    fn check_alerts(&mut self, wanted: impl Fn(&RoomName) -> bool, now: Instant) {
        let mut alerts = std::mem::take(&mut self.alerts);
        let is_away = |alerts: &Alerts, room: &RoomName, bridge: &DeviceName| {
            let away = alerts.0.get(&(room.clone(), bridge.clone()));
            away.is_some_and(|away| away.reason != OfflineReason::Asleep)
        };
        let mut over = Vec::new();
        let keys: Vec<_> = alerts.0.keys().filter(|(room, _)| wanted(room)).cloned().collect();
        for key in keys {
            let (room, device) = &key;
            let bridge = self.devices.get(&key).and_then(|device| device.bridge.as_ref());
            let bridge_is_away = bridge.is_some_and(|bridge| is_away(&alerts, room, bridge));
            let Some(away) = alerts.0.get_mut(&key) else { continue };
            let is_back = away.reason == OfflineReason::Asleep;
            let was_hidden = away.hidden;
            away.hidden = away.reason == OfflineReason::Bridge && bridge_is_away;
            if was_hidden && !away.hidden {
                // Its bridge is back: it has the usual time to come back, too.
                away.at = now + AWAY_FOR;
            }
            if is_back || away.hidden {
                if std::mem::take(&mut away.raised) {
                    self.alert(room, device, OFFLINE, None);
                }
                if is_back {
                    over.push(key);
                }
            } else if !away.raised && away.at <= now {
                away.raised = true;
                let text = format!("{}: {}{}", away.reason, away.text, what_helps(away.reason));
                self.alert(room, device, OFFLINE, Some((AlertLevel::Error, &text)));
            }
        }
        over.into_iter().for_each(|key| drop(alerts.0.remove(&key)));
        self.alerts = alerts;
    }

    /// What a device says of its parts.
    pub(super) fn health(&mut self, room: &RoomName, device: &DeviceName, key: &str, value: &str) {
        let Some(part) = key.strip_prefix("health.") else { return };
        let level = match value {
            "error" => Some(AlertLevel::Error),
            "warning" => Some(AlertLevel::Warning),
            _ => None,
        };
        let text = format!("the device reports: {part} {value}");
        self.alert(room, device, part, level.map(|level| (level, text.as_str())));
    }

    /// Raises an alert, or clears it.
    pub(super) fn alert(
        &mut self,
        room: &RoomName,
        device: &DeviceName,
        code: &str,
        raised: Option<(AlertLevel, &str)>,
    ) {
        let Ok(code) = Word::new(code) else { return };
        let state = match raised {
            Some((level, text)) => AlertState::Raised { level, text: Some(Text::clean(text)) },
            None => AlertState::Clear,
        };
        self.board.say(Fact::Alert { room: room.clone(), device: device.clone(), code, state });
    }

    /// A device is no more.
    pub(super) fn forget_alerts(&mut self, room: &RoomName, device: &DeviceName) {
        self.alerts.0.remove(&(room.clone(), device.clone()));
    }
}
