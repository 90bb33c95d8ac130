//! What a device without a memory is told again when it is back: relays fall open with their box,
//! lights go dark with theirs. Nothing else is, and no call ever.

use std::time::Duration;

use rooms_drivers::vocabulary::switch;
use rooms_drivers::{Command, RelayAction};
use tokio::time::Instant;

/// Lights fade and report on the way; what they say after that is somebody else's doing.
const SETTLES: Duration = Duration::from_secs(70);

/// What is wanted of relays and lights, oldest first.
#[derive(Debug, Default)]
pub(super) struct Restore(Vec<(Command, Instant)>);

impl Restore {
    /// Somebody wants this.
    pub(super) fn wanted(&mut self, command: &Command, now: Instant) {
        let slot = command.slot();
        match command {
            // A scene says how all lights are to be.
            Command::Scene(_) => self.0.clear(),
            Command::Level { .. } | Command::Relay(..) => {
                self.0.retain(|(old, _)| old.slot() != slot);
            }
            _ => return,
        }
        if !matches!(command, Command::Relay(_, RelayAction::Pulse)) {
            self.0.push((command.clone(), now));
        }
    }

    /// The device reports something else by itself: somebody was at the wall.
    pub(super) fn reported(&mut self, key: &str, value: &str, now: Instant) {
        self.0.retain(|(command, since)| {
            let same = match command {
                Command::Scene(scene) => value == scene,
                Command::Level { percent, .. } => value == percent.to_string(),
                Command::Relay(_, action) => value == switch(*action == RelayAction::On),
                _ => true,
            };
            command.slot() != key || same || now < *since + SETTLES
        });
    }

    /// What to say again.
    pub(super) fn again(&self) -> Vec<Command> {
        self.0.iter().map(|(command, _)| command.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commands: &[&str]) -> Restore {
        let mut restore = Restore::default();
        for command in commands {
            restore.wanted(&command.parse().expect("it is one"), Instant::now());
        }
        restore
    }

    fn again(restore: &Restore) -> Vec<String> {
        restore.again().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_last_of_each_relay_and_light_is_said_again() {
        let restore = after(&["relay down on", "relay up on", "relay down off", "power on"]);
        assert_eq!(again(&restore), ["relay up on", "relay down off"]);
        let restore = after(&["level table 10", "scene meeting", "level front 20"]);
        assert_eq!(again(&restore), ["scene meeting", "level front 20"]);
    }

    #[test]
    fn a_pulse_is_never_said_again() {
        assert_eq!(again(&after(&["relay down on", "relay down pulse"])), Vec::<String>::new());
    }

    #[test]
    fn who_was_at_the_wall_is_not_overruled() {
        let mut restore = after(&["level table 10", "level front 20"]);
        let later = Instant::now() + SETTLES;
        restore.reported("level.table", "35", Instant::now());
        restore.reported("level.front", "20", later);
        assert_eq!(again(&restore), ["level table 10", "level front 20"]);
        restore.reported("level.table", "35", later);
        assert_eq!(again(&restore), ["level front 20"]);
    }
}
