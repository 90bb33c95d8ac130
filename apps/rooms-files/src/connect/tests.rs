//! Addresses and line settings by example, and each limit with what is beyond it.

use super::*;

#[test]
fn ways_to_a_device_are_read_and_shown_the_same() {
    for way in [
        "tcp:10.1.2.10:24",
        "udp:camera-1.example.net:52381",
        "tcp:[fd00::7]:1",
        "tcp:host_1:65535",
        "bridge:rack1/1",
        "bridge:rack1/front left",
    ] {
        assert_eq!(way.parse::<Connect>().map(|way| way.to_string()).as_deref(), Ok(way));
    }
    let bracketed = "tcp:[fd00::7]:23".parse();
    assert_eq!(bracketed, Ok(Connect::Tcp { host: "fd00::7".to_owned(), port: 23 }));
}

#[test]
fn what_is_no_way_to_a_device_is_explained() {
    for (text, because) in [
        (
            "10.1.2.10",
            "tcp:HOST:PORT, udp:HOST:PORT, bridge:NAME/PORT or serial:/dev/NAME is wanted",
        ),
        ("tpc:10.1.2.10:24", "there is no way called \"tpc\"; did you mean `tcp`?"),
        ("spi:/dev/spi0", "there is no way called \"spi\"; the ways are tcp, udp, bridge, serial"),
        ("tcp:10.1.2.10", "a port is wanted after the host, such as 10.1.2.3:4352"),
        ("tcp:10.1.2.10:0", "the port is a whole number from 1 to 65535"),
        ("tcp:10.1.2.10:65536", "the port is a whole number from 1 to 65535"),
        ("tcp:10.1.2.10:+24", "the port is a whole number from 1 to 65535"),
        (
            "tcp:10.1.2.256:24",
            "\"10.1.2.256\" is no IPv4 address: four numbers from 0 to 255 are wanted",
        ),
        ("tcp::24", "\"\" is no IPv4 address: four numbers from 0 to 255 are wanted"),
        (
            "tcp:a b:24",
            "\"a b\" is no host: a name of letters, digits, - and ., or an address is wanted",
        ),
        ("tcp:fd00::7:24", "an IPv6 address is written in brackets, such as [fd00::7]:23"),
        ("tcp:[room]:24", "[room] is no IPv6 address"),
        ("bridge:rack1", "bridge:NAME/PORT is wanted, such as bridge:rack1/1"),
        ("bridge:rack1/", "bridge:NAME/PORT is wanted, such as bridge:rack1/1"),
    ] {
        let error = text.parse::<Connect>().expect_err("it is none");
        assert!(error.ends_with(because), "{text}: {error}");
    }
    assert!(check_host(&"x".repeat(253)).is_ok());
    assert!(check_host(&"x".repeat(254)).is_err());
}

#[test]
fn line_settings_are_read_and_shown_the_same() {
    for text in ["9600 8N1", "50 5E2", "4000000 7O1"] {
        let line = text.parse::<LineSettings>();
        assert_eq!(line.map(|line| line.to_string()).as_deref(), Ok(text));
    }
    for text in [
        "",
        "9600",
        "9600,8N1",
        "9600 8N",
        "9600 8N11",
        "9600 8X1",
        "9600 9N1",
        "9600 4N1",
        "9600 8N3",
        "9600 8N0",
        "49 8N1",
        "4000001 8N1",
        "+9600 8N1",
        "9600 8n1",
    ] {
        let error = text.parse::<LineSettings>().expect_err("it is none");
        assert!(error.ends_with("are wanted, such as \"9600 8N1\""), "{text}: {error}");
    }
}
