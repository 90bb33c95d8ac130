//! Drivers by name, their settings and what they say of themselves: mistakes are explained, and
//! nothing is announced that the vocabulary does not have.

use std::collections::BTreeSet;

use rooms_drivers::vocabulary::{self, Kind};
use rooms_drivers::{BuildError, Command, DialString, Io, Reason, Ticket, build, drivers};

/// Settings without which a driver can't be built.
fn required(name: &str) -> &'static str {
    match name {
        "itach-relay" => "relays = { down = \"1:1\", up = \"1:2\" }",
        "itach-serial" => "lines = { 1 = \"9600 8N1\" }",
        "lutron" => "outputs = { table = 2 }",
        _ => "",
    }
}

fn wrong(name: &str, settings: &str) -> String {
    let settings = settings.parse().expect("TOML");
    build(name, &settings).expect_err("the settings are wrong").to_string()
}

#[test]
fn a_misspelt_driver_or_setting_gets_the_nearest_one_named() {
    assert_eq!(wrong("pjlnk", ""), "there is no driver \"pjlnk\"; did you mean \"pjlink\"?");
    assert!(wrong("fridge", "").starts_with("there is no driver \"fridge\"; there are pjlink, "));
    assert_eq!(
        wrong("pjlink", "pasword = \"x\""),
        "pasword: is not a setting of this driver; did you mean password?"
    );
    assert_eq!(
        wrong("polycom-group", "zzz = 1"),
        "zzz: is not a setting of this driver; this driver takes password, speed, content, auto_answer"
    );
}

#[test]
fn a_wrong_value_is_told_what_would_be_right() {
    for (name, settings, expected) in [
        (
            "pjlink",
            "inputs = \"31\"",
            "inputs: must be a table of texts, such as { name = \"31\" }, but is \"31\"",
        ),
        (
            "pjlink",
            "inputs = { hdmi1 = 31 }",
            "inputs.hdmi1: must be a text in quotes, without control characters, but is 31",
        ),
        (
            "pjlink",
            "inputs = { hdmi1 = \"310\" }",
            "inputs.hdmi1: PJLink's inputs are two characters such as \"31\", not \"310\"",
        ),
        (
            "pjlink",
            "inputs = { \"HDMI 1\" = \"31\" }",
            "inputs.HDMI 1: names are of small letters, digits and -, at most 40",
        ),
        (
            "pjlink",
            "login = \"sha1\"",
            "login: must be one of \"md5\", \"sha256\", but is \"sha1\"",
        ),
        (
            "pjlink",
            "password = \"s3cret\\r\"",
            "password: must be a password, without control characters",
        ),
        ("visca-serial", "address = 8", "address: must be a whole number from 1 to 7, but is 8"),
        ("visca-ip", "header = \"no\"", "header: must be true or false, but is \"no\""),
        (
            "itach-relay",
            "",
            "relays: is missing: its contacts by name, as module:port such as \"1:2\"; it is a table of texts, such as { name = \"31\" }",
        ),
        (
            "itach-relay",
            "relays = { up = \"2\" }",
            "relays.up: a contact is module:port such as \"1:2\", not \"2\"",
        ),
        (
            "itach-serial",
            "lines = { a = \"9600 8N1\" }",
            "lines.a: lines are named by their module's number, such as 1",
        ),
        (
            "itach-serial",
            "lines = { 1 = \"9600\" }",
            "lines.1: a line is speed and form, such as 9600 8N1",
        ),
        ("lutron", "", "outputs: is missing: write outputs, or an area"),
        (
            "lutron",
            "outputs = { a = 1 }\nscenes.x = { b = 5 }",
            "scenes.x.b: there is no such zone among the outputs",
        ),
        (
            "lutron",
            "outputs = { a = 1 }\nscenes.x = { a = 101 }",
            "scenes.x.a: must be a whole number from 0 to 100, but is 101",
        ),
        ("lutron", "area_scenes = { a = 1 }", "area: is missing: the area whose scenes these are"),
        (
            "text:lg-display",
            "set_id = 1",
            "set_id: must be a text in quotes, without control characters, but is 1",
        ),
    ] {
        assert_eq!(wrong(name, settings), expected);
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let settings = "address = 9\nzoom_speed = 8\nx = 1".parse().expect("TOML");
    let Err(BuildError::Settings(errors)) = build("visca-serial", &settings) else {
        panic!("the settings are wrong");
    };
    assert_eq!(errors.len(), 3);
}

#[test]
fn a_password_is_not_in_a_drivers_debug_output() {
    for name in ["pjlink", "extron-sis", "polycom-group", "cisco-xapi", "lutron"] {
        let settings = format!("password = \"s3cret\"\n{}", required(name)).parse().expect("TOML");
        let driver = build(name, &settings).expect(name);
        assert!(!format!("{driver:?}").contains("s3cret"), "{name}");
    }
}

#[test]
fn drivers_announce_only_what_the_vocabulary_has() {
    for entry in drivers() {
        let driver = entry.build(&required(&entry.name).parse().expect("TOML"));
        let driver = driver.unwrap_or_else(|errors| panic!("{}: {errors:?}", entry.name));
        let info = driver.info();
        assert_eq!((info.name.as_str(), info.kind), (entry.name.as_str(), entry.kind));
        assert!(!entry.transports.is_empty() && !entry.about.is_empty(), "{}", entry.name);
        for key in &info.keys {
            assert!(vocabulary::keys(info.kind).iter().any(|known| known.name == *key), "{key}");
        }
        for command in &info.commands {
            assert!(vocabulary::commands(info.kind).contains(&command.name), "{command:?}");
        }
        let once: BTreeSet<_> = info.commands.iter().map(|command| command.name).collect();
        assert_eq!(once.len(), info.commands.len(), "{}", entry.name);
    }
    assert!(Kind::ALL.iter().all(|kind| Kind::parse(kind.word()) == Some(*kind)));
}

#[test]
fn what_is_not_announced_is_refused_and_a_closed_driver_takes_nothing() {
    for entry in drivers() {
        let mut driver = entry.build(&required(&entry.name).parse().expect("TOML")).expect("right");
        for text in COMMANDS {
            let command: Command = text.parse().expect(text);
            let mut io = Io::new();
            let refused = driver.command(&command, Ticket(1), &mut io).expect_err("it is closed");
            let known = driver.info().command(command.name()).is_some();
            assert!(
                known || refused.reason == Reason::Unsupported,
                "{}: {text}: {refused}",
                entry.name
            );
            assert!(io.take().is_empty(), "{}: {text}", entry.name);
        }
    }
}

const COMMANDS: [&str; 29] = [
    "power on",
    "power off",
    "input hdmi1",
    "blank on",
    "mute off",
    "share on",
    "volume 100",
    "volume +5",
    "volume -100",
    "move left 1",
    "move down-right 100",
    "move stop",
    "move home",
    "zoom in",
    "zoom out",
    "zoom stop",
    "preset recall 0",
    "preset save 255",
    "scene meeting",
    "level table 0",
    "relay down on",
    "relay down off",
    "relay down pulse",
    "prepare",
    "dial sip:lisbon@example.net",
    "dial 4711",
    "answer",
    "hangup",
    "hangup 45",
];

#[test]
fn a_command_is_written_as_it_is_read() {
    for text in COMMANDS {
        assert_eq!(text.parse::<Command>().expect(text).to_string(), text);
    }
}

#[test]
fn a_command_that_is_not_understood_is_explained() {
    for (text, expected) in [
        ("", "write a command, such as power on"),
        ("fly", "\"fly\" is no command"),
        ("power up", "\"power up\" is not understood; write on or off after it"),
        ("volume 101", "\"volume 101\" is not understood; write volume and 0 to 100, or +5, or -5"),
        (
            "volume -101",
            "\"volume -101\" is not understood; write volume and 0 to 100, or +5, or -5",
        ),
        (
            "preset recall 256",
            "\"preset recall 256\" is not understood; write preset recall or preset save, and a number of 0 to 255",
        ),
        (
            "level table 101",
            "\"level table 101\" is not understood; write level, a zone's name, and 0 to 100",
        ),
    ] {
        assert_eq!(text.parse::<Command>().expect_err(text), expected);
    }
    assert!("move left 0".parse::<Command>().is_err());
    assert!("move left 101".parse::<Command>().is_err());
}

#[test]
fn what_could_end_a_word_or_line_of_a_codec_can_not_be_dialled() {
    for text in
        ["", "sip:", "a b", "a\"b", "a\r\nhangup all", "a|b", "a\\b", "\u{e9}", &"1".repeat(201)]
    {
        let wrong = DialString::parse(text).expect_err(text);
        assert!(wrong.contains("write sip:name@host, h323:name, or a number"), "{wrong}");
    }
    let dial = DialString::parse(&"1".repeat(200)).expect("as long as can be");
    assert_eq!((dial.scheme(), dial.address().len()), (None, 200));
    let dial = DialString::parse("sip:lisbon@example.net:5060").expect("a port is part of it");
    assert_eq!((dial.scheme(), dial.address()), (Some("sip"), "lisbon@example.net:5060"));
}

#[test]
fn more_commands_than_can_wait_are_refused_and_none_is_lost() {
    let mut driver = build("visca-serial", &toml::Table::new()).expect("it needs no settings");
    let mut io = Io::new();
    driver.opened(&mut io);
    let home: Command = "move home".parse().expect("a command");
    let taken = (0..100).map(|ticket| driver.command(&home, Ticket(ticket), &mut io));
    let refused: Vec<_> = taken.filter_map(Result::err).collect();
    assert_eq!(refused.len(), 68);
    assert!(refused.iter().all(|refusal| refusal.reason == Reason::Busy));
    io.take();
    driver.closed(&mut io);
    assert_eq!(io.take().len(), 32, "those that were taken are answered");
}
