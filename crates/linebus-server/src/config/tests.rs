//! The documented file is the default; mistakes are explained.

use super::*;

#[test]
fn the_documented_file_parses_to_the_defaults() {
    assert_eq!(Config::parse(TEXT), Ok(Config::default()));
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

#[test]
fn a_tls_table_is_whole_or_explained() {
    check(
        "[tls]\nlisten = [\"127.0.0.1:0\"]",
        &[
            "line 2: tls.listen: TLS needs a certificate; name its PEM file in tls.certificate, and its key in tls.key",
        ],
    );
    check(
        "tls.certificate = \"a\"\ntls.client_certificate_required = true",
        &[
            "line 1: tls.certificate: a certificate needs its private key; name its PEM file in tls.key",
            "line 2: tls.client_certificate_required: name the PEM file of who signs clients' certificates in tls.client_ca",
        ],
    );
    check(
        "tls.key = \"a\"\ntls.client_ca = \"b\"",
        &[
            "line 1: tls.key: a key needs its certificate; name its PEM file in tls.certificate",
            "line 2: tls.client_ca: clients' certificates need a server's; name its PEM file in tls.certificate",
        ],
    );
}

#[test]
fn a_record_is_described_right_or_explained() {
    let config = Config::parse("[record]\nfolder = \"rec\"\ntopics = [\"a.>\"]").expect("right");
    assert_eq!(config.record.folder, Some(PathBuf::from("rec")));
    assert_eq!(config.record.topics, [Box::from("a.>")]);
    check(
        "[record]\nfile = \"%x\"\ntopics = []\nkeep_bytes = 5\nsync_ms = 0\nrotate_byte = 1",
        &[
            "line 2: record.file: \"%x\": after % one of Y, m, d, H, M, S (the date and time, UTC) or another % is wanted",
            "line 3: record.topics: a pattern is wanted, such as \">\"; to record nothing, leave folder empty",
            "line 4: record.keep_bytes: at least twice rotate_bytes is wanted, 536870912; or 0 to keep everything",
            "line 5: record.sync_ms: a whole number from 1 to 3600000 is wanted",
            "line 6: record.rotate_byte: there is no such key; did you mean `record.rotate_bytes`?",
        ],
    );
}

#[test]
fn paths_begin_at_the_configuration() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("linebus.toml");
    std::fs::write(&file, "unix = \"bus\"").expect("it can be written");
    let config = Config::read(&file).expect("it is right");
    assert_eq!(config.unix, Some(folder.path().join("bus")));
    std::fs::write(&file, "unix = \"/run/bus\"").expect("it can be written");
    let config = Config::read(&file).expect("it is right");
    assert_eq!(config.unix, Some(PathBuf::from("/run/bus")));
    let error = Config::read(&folder.path().join("none")).expect_err("there is none");
    assert!(error.to_string().starts_with("can't read the configuration /"), "{error}");
}

#[test]
fn the_documented_file_names_every_key() {
    let Err(problems) = Config::parse("nothing_like_it = 1") else { panic!("it is unknown") };
    assert_eq!(problems.len(), 1);
    for key in [
        "listen",
        "unix",
        "open_to_the_network",
        "threads",
        "also_loopback",
        "log",
        "log_format",
        "log_file",
        "certificate",
        "key",
        "client_ca",
        "client_certificate_required",
        "folder",
        "topics",
        "file",
        "rotate_bytes",
        "rotate_hours",
        "compress",
        "sync_ms",
        "keep_days",
        "keep_bytes",
        "queue_bytes",
    ] {
        assert!(TEXT.contains(&format!("\n{key} = ")), "{key}");
    }
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let problems = Config::parse(text).expect_err("there is a mistake");
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

#[test]
fn each_mistake_has_its_line_its_key_and_its_remedy() {
    check(
        "listen = \"127.0.0.1:1\"\n\nthraeds = 2\n[limits]\njoin_max = 1\ndrain_ms = -1\n",
        &[
            "line 1: listen: a list of addresses with ports is wanted, such as [\"127.0.0.1:5463\", \"[::1]:5463\"]",
            "line 3: thraeds: there is no such key; did you mean `threads`?",
            "line 5: limits.join_max: there is no such key; did you mean `limits.joins_max`?",
            "line 6: limits.drain_ms: a whole number from 0 to 60000 is wanted",
        ],
    );
    check(
        "joins_max = 1",
        &["line 1: joins_max: there is no such key; did you mean `limits.joins_max`?"],
    );
    check("log_format = \"xml\"", &["line 1: log_format: \"text\" or \"json\" is wanted"]);
    check("log = true", &["line 1: log: a text in quotes is wanted"]);
    check(
        "open_to_the_network = \"no\"",
        &["line 1: open_to_the_network: true or false is wanted, without quotes"],
    );
    check(
        "[colours]\nblue = 1",
        &["line 1: colours: there is no such key; linebus.toml lists all of them"],
    );
}

#[test]
fn marks_must_rise() {
    check(
        "[limits]\noutbox_hard_bytes = 8388608",
        &[
            "line 2: limits.outbox_hard_bytes: a whole number from 8388609 to 1099511627776 is wanted",
        ],
    );
    check(
        "[limits]\nsessions_bytes_max = 1000000",
        &[
            "line 2: limits.sessions_bytes_max: a whole number from 67108864 to 1125899906842624 is wanted",
        ],
    );
}

#[test]
fn what_is_no_toml_is_said_by_line() {
    let problems = Config::parse("threads = 1\nlisten = [\n").expect_err("it is not closed");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].line >= 2 && !problems[0].text.is_empty(), "{problems:?}");
}
