//! Described devices: what is wrong with a description is said with its place, and what is right
//! plays with itself: driver and simulated device come to the same states.

use std::collections::BTreeMap;

use rooms_drivers::text::{Simulated, TextDevice, devices};
use rooms_drivers::{Command, Effect, Io, Ticket, build};

/// A description that is right.
const RIGHT: &str = r#"
name = "x"
about = "nothing that exists"
kind = "projector"
[frame]
end = "\r"
[read]
until = ["\r"]
[command.volume]
send = "V{volume:03}"
expect = '^V(\d+)'
range = [0, 20]
[[status]]
match = '^V(\d+)'
set.volume = "$1"
range.volume = [0, 20]
[[poll]]
every_s = 5
send = ["V?"]
"#;

#[test]
fn a_right_description_is_read() {
    let device = TextDevice::parse(RIGHT).expect("it is right");
    assert_eq!(device.name, "x");
    assert_eq!(devices().len(), 3);
}

#[test]
fn each_mistake_is_named_with_its_line_and_column() {
    for (right, wrong, expected) in [
        ("kind = \"projector\"", "kind = \"projektor\"", "4:8: the kind is one of projector, "),
        ("name = \"x\"", "name = \"X y\"", "2:8: a name is of small letters"),
        ("name = \"x\"", "nane = \"x\"", "2:1: unknown field `nane`"),
        ("[command.volume]", "[command.volum]", "9:10: a command is one of power_on, "),
        ("[command.volume]", "[command.zoom_in]", "9:10: a projector has no command zoom"),
        ("{volume:03}", "{volume:03", "10:8: a { has no }"),
        ("{volume:03}", "{volume:03q}", "10:8: {volume:03q} is not understood"),
        ("{volume:03}", "{loudness}", "10:8: there is no place {loudness} here; there is volume"),
        ("{volume:03}", "", "10:8: {volume} is missing"),
        ("V{volume:03}", "\u{20AC}{volume}", "10:8: '\u{20AC}' is more than a byte"),
        ("expect = '^V(", "expect = '^V((", "11:10: this pattern is not understood: "),
        ("range = [0, 20]\n[[", "range = [20, 20]\n[[", "12:9: a range is [least, most]"),
        ("set.volume", "set.loudness", "15:5: a projector has no state loudness; it has power, "),
        ("\"$1\"", "\"$2\"", "15:14: the pattern has no such group"),
        ("every_s = 5", "every_s = 0", "18:11: ask every 1 to 86400 seconds"),
        ("send = [", "when = \"power=maybe\"\nsend = [", "19:8: power is one of off, "),
        ("until = [\"\\r\"]", "until = []", "7:1: write until"),
        ("until = [\"\\r\"]", "until = [\"\"]", "8:10: an end is at least one byte"),
        ("[frame]", "reply_ms = 5\n[frame]", "5:12: write 50 to 60000 milliseconds"),
        ("[frame]", "echo = \"keep\"\n[frame]", "5:8: echo is \"skip\""),
        (
            "[[poll]]",
            "[[error]]\nmatch = 'E'\nreason = \"bad\"\n[[poll]]",
            "19:10: the reason is one of",
        ),
        (
            "[frame]",
            "[setting.volume]\ndefault = \"\"\nabout = \"\"\n[frame]",
            "5:10: a setting is of",
        ),
        ("until = [\"\\r\"]", "until = [\"\\r\"]\nmax = 5000", "7:1: max is 1 to 4096 bytes"),
        ("[[poll]]", "[simulate.initial]\nx = \"1\"\n[[poll]]", "18:1: a projector has no state x"),
    ] {
        assert!(RIGHT.contains(right), "{right}");
        let errors = TextDevice::parse(&RIGHT.replacen(right, wrong, 1)).expect_err(wrong);
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|said| said.starts_with(expected)), "{wrong}: {said:#?}");
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let wrong = RIGHT.replace("every_s = 5", "every_s = 0").replace("\"$1\"", "\"$7\"");
    assert_eq!(TextDevice::parse(&wrong).expect_err("two mistakes").len(), 2);
}

#[test]
fn driver_and_simulated_device_come_to_the_same_states() {
    for device in devices() {
        let wishes = ["power on", "input hdmi2", "blank on", "power off"];
        let mut play = Play::new(device);
        for (ticket, wish) in wishes.into_iter().enumerate() {
            let ticket = Ticket(ticket as u64);
            let command: Command = wish.parse().expect("a command");
            let mut io = Io::new();
            play.driver.command(&command, ticket, &mut io).expect(wish);
            play.go_on(io);
            assert_eq!(play.done.pop(), Some(ticket), "{}: {wish}", device.name);
            play.simulated.changed();
            play.ring_polls();
        }
        assert_eq!(play.seen["power"], "off", "{}", device.name);
        assert_eq!(
            play.most_seen,
            ["blank=on", "input=hdmi2", "power=off", "power=on"],
            "{}",
            device.name
        );
    }
}

struct Play {
    driver: Box<dyn rooms_drivers::Driver>,
    simulated: Simulated,
    seen: BTreeMap<String, String>,
    /// Of the states that matter here, each value that was seen.
    most_seen: Vec<String>,
    done: Vec<Ticket>,
    polls: Vec<rooms_drivers::TimerId>,
}

impl Play {
    fn new(device: &TextDevice) -> Play {
        let name = format!("text:{}", device.name);
        let mut play = Play {
            driver: build(&name, &toml::Table::new()).expect("it needs no settings"),
            simulated: Simulated::new(device).expect("it is described how it behaves"),
            seen: BTreeMap::new(),
            most_seen: Vec::new(),
            done: Vec::new(),
            polls: Vec::new(),
        };
        let mut io = Io::new();
        play.driver.opened(&mut io);
        play.go_on(io);
        play
    }

    fn ring_polls(&mut self) {
        for timer in std::mem::take(&mut self.polls) {
            let mut io = Io::new();
            self.driver.timer(timer, &mut io);
            self.go_on(io);
        }
    }

    /// Carries out effects until nothing more comes of them.
    fn go_on(&mut self, mut io: Io) {
        loop {
            let effects = io.take();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Send { bytes, .. } => {
                        let answer = self.simulated.bytes(&bytes);
                        self.driver.bytes(&answer, &mut io);
                    }
                    Effect::Set { key, value } => self.see(key, value),
                    Effect::Done(ticket) => self.done.push(ticket),
                    Effect::Fail(ticket, refusal) => panic!("{ticket:?}: {refusal}"),
                    Effect::Fault(fault) => panic!("{fault}"),
                    Effect::Timer(timer, _) if timer.to_string().starts_with("poll") => {
                        self.polls.retain(|known| *known != timer);
                        self.polls.push(timer);
                    }
                    _ => {}
                }
            }
        }
    }

    fn see(&mut self, key: String, value: String) {
        let seen = format!("{key}={value}");
        let matters = ["blank=on", "input=hdmi2", "power=off", "power=on"];
        if matters.contains(&seen.as_str()) && !self.most_seen.contains(&seen) {
            self.most_seen.push(seen);
            self.most_seen.sort();
        }
        self.seen.insert(key, value);
    }
}
