//! The files behind TLS, the handshake, and the two halves, without a bus around them.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use linebus_broker::{Gone, Link};
use linebus_testkit::certificates::{Authority, Identity};
use linebus_testkit::tls::{TlsStream, client, client_of, connect};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use super::*;
use crate::Config;
use crate::config::{Problem, TlsConfig};
use crate::tls::stream::UNWRITTEN_BYTES_MAX;

/// A configuration in a folder of its own.
fn written(folder: &Path, server: &Identity, client_ca: Option<&str>) -> TlsConfig {
    let (certificate, key) = server.write(folder, "bus");
    let client_ca = client_ca.map(|pem| {
        let path = folder.join("clients.pem");
        std::fs::write(&path, pem).expect("the folder can be written");
        path.into()
    });
    TlsConfig {
        certificate: Some(certificate.into()),
        key: Some(key.into()),
        client_ca,
        ..TlsConfig::default()
    }
}

fn load(config: &TlsConfig) -> Result<Tls, Vec<Problem>> {
    Settings::load(config).map(Tls::new)
}

fn reload(tls: &Tls, config: &TlsConfig) -> Result<(), Vec<Problem>> {
    Settings::load(config).map(|settings| tls.replace(settings))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

type Shaken = Result<(TlsReader, TlsLink, Option<Box<str>>), HandshakeError>;

/// One connection: what the server makes of it, and what the client does.
async fn meet<T: Send + 'static>(
    tls: &Tls,
    client: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> (Shaken, T) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there are ports");
    let address = listener.local_addr().expect("it is bound");
    let client = spawn_blocking(move || client(address));
    let (socket, _) = listener.accept().await.expect("somebody connects");
    let shaken = handshake(socket, tls.server()).await;
    (shaken, client.await.expect("the client does not panic"))
}

/// The name that a client proves with its certificate, or why it is refused.
async fn certified(
    tls: &Tls,
    authority: &Authority,
    identity: Option<Identity>,
) -> Result<Option<Box<str>>, String> {
    let config = client(&authority.pem(), identity.as_ref());
    let (shaken, _) = meet(tls, |address| drop(connect(address, "localhost", config))).await;
    shaken.map(|(_, _, certified)| certified).map_err(|error| error.to_string())
}

async fn trusts(tls: &Tls, authority: &Authority) -> bool {
    let config = client(&authority.pem(), None);
    meet(tls, |address| connect(address, "localhost", config).is_ok()).await.1
}

#[tokio::test]
async fn a_reload_changes_everything_together_or_nothing() {
    let folder = folder();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let config = written(folder.path(), &old.server(&["localhost"]), Some(&old.pem()));
    let tls = load(&config).expect("it is right");
    let file = |name: &str| folder.path().join(name);
    let before = ["bus.pem", "bus.key", "clients.pem"].map(|name| {
        let text = std::fs::read(file(name)).expect("it was written");
        (name, text)
    });
    let another = old.server(&["localhost"]);
    for (name, text, key) in [
        ("bus.pem", "garbage", "tls.certificate"),
        ("bus.pem", another.certificate.as_str(), "tls.key"),
        ("bus.key", another.key.as_str(), "tls.key"),
        ("bus.key", another.certificate.as_str(), "tls.key"),
        ("clients.pem", "garbage", "tls.client_ca"),
        (
            "clients.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "tls.client_ca",
        ),
    ] {
        std::fs::write(file(name), text).expect("it can be written");
        let problems = reload(&tls, &config).expect_err("it is wrong");
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, [key], "{name}: {problems:?}");
        assert!(trusts(&tls, &old).await, "{name}");
        let bob = certified(&tls, &old, Some(old.client("bob"))).await;
        assert_eq!(bob, Ok(Some("bob".into())), "{name}");
        for (name, text) in &before {
            std::fs::write(file(name), text).expect("it can be written");
        }
    }
    written(folder.path(), &new.server(&["localhost"]), Some(&new.pem()));
    reload(&tls, &config).expect("it is right");
    assert!(trusts(&tls, &new).await && !trusts(&tls, &old).await);
    assert!(certified(&tls, &new, Some(old.client("bob"))).await.is_err(), "revoked with it");
    assert_eq!(certified(&tls, &new, Some(new.client("bob"))).await, Ok(Some("bob".into())));
}

#[tokio::test]
async fn a_certificate_names_a_user_and_one_of_another_authority_is_refused() {
    let folder = folder();
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let server = authority.server(&["localhost"]);
    let mut config = written(folder.path(), &server, Some(&authority.pem()));
    let tls = load(&config).expect("it is right");
    let name = async |identity| certified(&tls, &authority, identity).await;
    assert_eq!(name(Some(authority.client("alice"))).await, Ok(Some("alice".into())));
    for no_user in ["Alice Smith", "$bus", "", "zoë", "alice\n"] {
        assert_eq!(name(Some(authority.client(no_user))).await, Ok(None), "{no_user}");
    }
    assert_eq!(name(None).await, Ok(None), "nobody must");
    let refused = name(Some(stranger.client("alice"))).await.expect_err("nobody knows it");
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    let refused = name(Some(authority.server(&["alice"]))).await;
    assert!(refused.is_err(), "a server's certificate is no client's");

    config.client_certificate_required = true;
    reload(&tls, &config).expect("it is right");
    let refused = name(None).await.expect_err("one must");
    assert!(refused.contains("no certificates"), "{refused}");
    assert_eq!(name(Some(authority.client("alice"))).await, Ok(Some("alice".into())));

    // Not asked for, it is not looked at.
    config.client_certificate_required = false;
    config.client_ca = None;
    reload(&tls, &config).expect("it is right");
    assert_eq!(name(Some(stranger.client("alice"))).await, Ok(None));
}

#[test]
fn every_mistake_has_its_line_its_key_and_its_remedy() {
    let folder = folder();
    let authority = Authority::new("ours");
    authority.server(&["localhost"]).write(folder.path(), "bus");
    authority.server(&["localhost"]).write(folder.path(), "other");
    std::fs::write(folder.path().join("empty.pem"), "").expect("it can be written");
    let file = folder.path().join("linebus.toml");
    let read = |text: &str| {
        std::fs::write(&file, format!("[tls]\n{text}")).expect("it can be written");
        Config::read(&file).map_err(|error| {
            error.to_string().replace(&format!("{}/", folder.path().display()), "")
        })
    };
    let good = read("certificate = \"bus.pem\"\nkey = \"bus.key\"").expect("it is right");
    assert_eq!(good.tls.key.map(|key| key.line), Some(3));
    for (text, expected) in [
        (
            "certificate = \"bus.pem\"\nkey = \"other.key\"",
            "linebus.toml: line 3: tls.key: other.key: it is not the key of the first certificate in tls.certificate; take the pair that was made together, the server's own certificate first",
        ),
        (
            "certificate = \"empty.pem\"\nkey = \"bus.pem\"\nclient_ca = \"empty.pem\"",
            "linebus.toml: line 2: tls.certificate: empty.pem: there is no certificate in it; PEM text with BEGIN CERTIFICATE is wanted\nlinebus.toml: line 4: tls.client_ca: empty.pem: there is no certificate in it; PEM text with BEGIN CERTIFICATE is wanted",
        ),
        (
            "key = \"bus.pem\"\ncertificate = \"bus.pem\"",
            "linebus.toml: line 2: tls.key: bus.pem: there is no private key in it; PEM text with BEGIN PRIVATE KEY (or RSA, or EC) is wanted, not encrypted",
        ),
        (
            "key = \"bus.key\"\ncertificate = \"none.pem\"",
            "linebus.toml: line 3: tls.certificate: none.pem: No such file or directory (os error 2); a PEM file that this user may read is wanted",
        ),
    ] {
        assert_eq!(read(text).expect_err("it is wrong"), expected);
    }
}

#[test]
fn when_the_first_certificate_ends_is_known() {
    let folder = folder();
    let authority = Authority::new("ours");
    let mut identity = authority.server_until(&["localhost"], 2100);
    // The chain ends with its first.
    identity.certificate += &authority.server_until(&["between"], 2050).certificate;
    let tls = load(&written(folder.path(), &identity, None)).expect("it is right");
    assert_eq!(tls.expires(), 2_524_608_000, "2050-01-01");
    // One that has ended is served all the same: the operator knows, and clients decide.
    let identity = authority.server_until(&["localhost"], 2000);
    let tls = load(&written(folder.path(), &identity, None)).expect("it is right");
    assert_eq!(tls.expires(), 946_684_800, "2000-01-01");
}

fn served() -> (TempDir, Authority, Tls) {
    let folder = folder();
    let authority = Authority::new("ours");
    let config = written(folder.path(), &authority.server(&["localhost"]), None);
    let tls = load(&config).expect("it is right");
    (folder, authority, tls)
}

/// What a client hears that says these bytes before the server looks.
async fn told(says: &'static [u8]) -> (HandshakeError, Vec<u8>) {
    let (_folder, _, tls) = served();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there are ports");
    let address = listener.local_addr().expect("it is bound");
    let mut client = std::net::TcpStream::connect(address).expect("it listens");
    client.write_all(says).expect("it is connected");
    let (socket, _) = listener.accept().await.expect("somebody connects");
    let error = handshake(socket, tls.server()).await.err().expect("it is no TLS");
    let mut heard = Vec::new();
    // With unread input, the end is a reset.
    let _ = client.read_to_end(&mut heard);
    (error, heard)
}

#[tokio::test(start_paused = true)]
async fn who_does_not_speak_tls_is_told_so() {
    for says in [&b"ping\n"[..], b"GET / HTTP/1.1\r\n\r\n", b"\xff\xf1\n", b""] {
        let (error, heard) = told(says).await;
        assert!(matches!(error, HandshakeError::NotTls), "{error}");
        assert!(heard.starts_with(b"bye not-lines this port speaks TLS; "), "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_bounded_in_time_and_bytes() {
    let (error, _) = told(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").await;
    assert!(matches!(error, HandshakeError::TooSlow), "{error}");
    let (error, _) = told(b"\x16 is no TLS, though it begins like it").await;
    assert!(matches!(error, HandshakeError::Tls(_)), "{error}");
    // A client's greeting of 60 000 bytes, in records of 1 000, without an end.
    let mut endless = Vec::new();
    for i in 0..60 {
        endless.extend_from_slice(b"\x16\x03\x01\x03\xe8");
        endless.extend_from_slice(if i == 0 { b"\x01\x00\xea\x60" } else { &[0; 4] });
        endless.extend_from_slice(&[0; 996]);
    }
    let (error, _) = told(endless.leak()).await;
    assert!(matches!(error, HandshakeError::TooLong), "{error}");
}

#[tokio::test]
async fn a_greeting_may_come_byte_by_byte() {
    /// Writes one byte at a time.
    struct Drip(std::net::TcpStream);
    impl Read for Drip {
        fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(space)
        }
    }
    impl Write for Drip {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write(&bytes[..1])
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (_folder, authority, tls) = served();
    let config = client(&authority.pem(), None);
    let (shaken, ()) = meet(&tls, |address| {
        let socket = std::net::TcpStream::connect(address).expect("it listens");
        socket.set_nodelay(true).expect("it has the option");
        let name = "localhost".try_into().expect("a name");
        let mut tls = rustls::ClientConnection::new(Arc::new(config), name).expect("it is right");
        let mut drip = Drip(socket);
        while tls.is_handshaking() {
            tls.complete_io(&mut drip).expect("the server is patient");
        }
    })
    .await;
    assert!(shaken.is_ok());
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Both halves, and their client.
async fn connected(tls: &Tls, config: rustls::ClientConfig) -> (TlsReader, TlsLink, TlsStream) {
    let (shaken, client) =
        meet(tls, |address| connect(address, "localhost", config).expect("it is trusted")).await;
    let (reader, link, _) = shaken.expect("it is trusted");
    (reader, link, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_socket_does_not_take_waits_in_order_for_the_sessions_task() {
    let (_folder, authority, tls) = served();
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let config = client_of(versions, &authority.pem(), None);
        let (reader, mut link, mut client) = connected(&tls, config).await;
        let woken = Arc::new(Count::default());
        reader.register(&Arc::clone(&woken).into());
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        let mut sent = 0;
        while !reader.holds_unwritten() {
            let end = (sent + 1000).min(text.len());
            sent += link.try_write(&text[sent..end]).expect("it is there");
            // More than the socket takes is wanted: begin again.
            sent %= text.len();
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "all was taken, and the task woken");
        assert_eq!(link.try_write(b"more"), Ok(0), "nothing is taken while something waits");
        let reading = spawn_blocking(move || {
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).expect("it ends with close_notify");
            heard
        });
        std::future::poll_fn(|cx| {
            while reader.holds_unwritten() {
                std::task::ready!(reader.poll_write_ready(cx)).expect("it is there");
                reader.flush();
            }
            std::task::Poll::Ready(())
        })
        .await;
        // The rest of it, and the end.
        while sent < text.len() {
            sent += link.try_write(&text[sent..]).expect("it is there");
            std::future::poll_fn(|cx| reader.poll_write_ready(cx)).await.expect("it is there");
            reader.flush();
        }
        std::future::poll_fn(|cx| reader.poll_finish(cx)).await;
        assert_eq!(link.try_write(b"after the end"), Err(Gone));
        drop(link);
        let heard = reading.await.expect("it does not panic");
        assert!(heard.len() > UNWRITTEN_BYTES_MAX && heard.len() % text.len() == 0);
        assert!(heard.chunks(text.len()).all(|part| part == text), "in order, without a hole");
    }
}

#[tokio::test]
async fn keys_may_change_and_streams_may_end_in_two_ways() {
    let (_folder, authority, tls) = served();
    for decent in [true, false] {
        let config = client(&authority.pem(), None);
        let (mut reader, mut link, mut client) = connected(&tls, config).await;
        client.conn.refresh_traffic_keys().expect("it is TLS 1.3");
        client.write_all(b"after the change").expect("the server reads");
        client.flush().expect("the server reads");
        let mut space = vec![0; 128 << 10];
        let received = std::future::poll_fn(|cx| reader.poll_read(cx, &mut space)).await;
        assert_eq!(&space[..received.expect("it is there")], b"after the change");
        assert_eq!(link.try_write(b"answer"), Ok(6));
        let mut heard = [0; 6];
        client.read_exact(&mut heard).expect("with the server's new keys");
        assert_eq!(&heard, b"answer");
        if decent {
            client.conn.send_close_notify();
            client.flush().expect("the server reads");
        } else {
            client.sock.shutdown(std::net::Shutdown::Write).expect("it is connected");
        }
        let received = std::future::poll_fn(|cx| reader.poll_read(cx, &mut space)).await;
        assert_eq!(received.expect("an end is no error"), 0);
        assert_eq!(link.try_write(b"to be read"), Ok(10), "the other half goes on");
    }
}

#[tokio::test]
async fn a_broken_record_ends_the_connection_and_says_why() {
    let (_folder, authority, tls) = served();
    let (mut reader, mut link, mut client) = connected(&tls, client(&authority.pem(), None)).await;
    client.sock.write_all(b"\x17\x03\x03\x00\x1f is not encrypted with the key ").expect("sent");
    let mut space = vec![0; 128 << 10];
    let received = std::future::poll_fn(|cx| reader.poll_read(cx, &mut space)).await;
    assert_eq!(received.expect("the end"), 0);
    assert_eq!(link.try_write(b"x"), Err(Gone));
    drop(link);
    let error = client.read(&mut [0; 10]).expect_err("an alert comes").to_string();
    assert!(error.contains("BadRecordMac"), "{error}");
}

#[tokio::test]
async fn a_panic_inside_ends_only_this_connection() {
    let (_folder, authority, tls) = served();
    let config = client(&authority.pem(), None);
    let (mut reader, mut link, _client) = connected(&tls, config).await;
    link.panic_inside();
    assert_eq!(link.try_write(b"x"), Err(Gone));
    let mut space = [0; 100];
    let read = pin!(std::future::poll_fn(|cx| reader.poll_read(cx, &mut space)));
    assert_eq!(read.await.expect("the end"), 0);
}
