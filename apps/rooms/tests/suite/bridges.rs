//! The ways to a device against bridges that nobody here wrote: Debian's ser2net, with
//! pseudo-terminals by socat for its serial lines.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rooms::transport::{Address, Bridged, Closed, Transport};
use rooms_files::LineSettings;
use rustix::fs::{Mode, OFlags};
use rustix::termios::tcgetattr;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// A process that ends with the value that stands for it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Ended {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ended(quiet.spawn().expect("`cargo xtask setup` installs ser2net and socat"))
}

/// A serial line with a device at its far end, which is a socket of the test.
struct Line {
    folder: TempDir,
    device: TcpStream,
    cable: Ended,
}

impl Line {
    async fn lay() -> Line {
        let folder = TempDir::new().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let cable = start(
            Command::new("socat")
                .arg(format!("PTY,link={},raw,echo=0", folder.path().join("tty").display()))
                .arg(format!("TCP:127.0.0.1:{port}")),
        );
        // It connects when the terminal is there.
        let (device, _) = listener.accept().await.expect("socat connects");
        Line { folder, device, cable }
    }

    fn tty(&self) -> PathBuf {
        self.folder.path().join("tty")
    }

    /// ser2net on this line, and its port.
    async fn bridge(&self, accepter: &str, kick: bool) -> (Ended, u16) {
        let port = free_port().await;
        let file = self.folder.path().join("ser2net.yaml");
        let text = format!(
            "%YAML 1.1\n---\nconnection: &line\n    accepter: {accepter}tcp,127.0.0.1,{port}\n    \
             connector: serialdev,{},9600n81,local\n    options:\n        kickolduser: {kick}\n",
            self.tty().display()
        );
        std::fs::write(&file, text).expect("it can be written");
        let bridge = start(Command::new("ser2net").args(["-n", "-c"]).arg(&file));
        until(|| is_listening(port)).await;
        (bridge, port)
    }

    async fn device_hears(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.device.read_exact(&mut bytes).await.expect("they come");
        bytes
    }
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("it has one").port()
}

/// Whether somebody listens there (proc_pid_net(5); 0A is LISTEN).
fn is_listening(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let entry = format!("0100007F:{port:04X} 00000000:0000 0A");
    table.lines().any(|line| line.contains(&entry))
}

async fn until(is_so: impl Fn() -> bool) {
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    while !is_so() {
        pace.tick().await;
    }
}

fn bridge(port: u16, bridged: Bridged) -> Address {
    Address::Bridge { host: "127.0.0.1".to_owned(), port, bridged }
}

fn settings(text: &str) -> LineSettings {
    text.parse().expect("they are right")
}

async fn read(transport: &mut Transport, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        bytes.extend(transport.read().await.expect("it goes on"));
    }
    bytes
}

fn speed(tty: &Path) -> u32 {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
    let fd: OwnedFd = rustix::fs::open(tty, flags, Mode::empty()).expect("it is there");
    tcgetattr(&fd).expect("it is a terminal").output_speed()
}

/// Every byte there is, both ways.
async fn check_bytes(line: &mut Line, transport: &mut Transport) {
    let all: Vec<u8> = (0..=255).collect();
    transport.write(&all).await.expect("it goes on");
    assert_eq!(line.device_hears(256).await, all);
    line.device.write_all(&all).await.expect("it goes on");
    assert_eq!(read(transport, 256).await, all);
}

#[tokio::test]
async fn a_raw_bridge_hands_on_every_byte() {
    let mut line = Line::lay().await;
    let (_ser2net, port) = line.bridge("", true).await;
    let mut transport = Transport::connect(&bridge(port, Bridged::Raw)).await.expect("it is free");
    check_bytes(&mut line, &mut transport).await;
}

#[tokio::test]
async fn rfc_2217_sets_the_line_and_hands_on_every_byte() {
    let mut line = Line::lay().await;
    let (_ser2net, port) = line.bridge("telnet(rfc2217),", true).await;
    let address = bridge(port, Bridged::Rfc2217(settings("19200 8N1")));
    let mut transport = Transport::connect(&address).await.expect("it is free");
    assert_eq!(speed(&line.tty()), 19_200);
    check_bytes(&mut line, &mut transport).await;
}

#[tokio::test]
async fn a_line_that_somebody_has_is_said_to_be_taken() {
    let line = Line::lay().await;
    let (_ser2net, port) = line.bridge("telnet(rfc2217),", false).await;
    let address = bridge(port, Bridged::Rfc2217(settings("9600 8N1")));
    let _first = Transport::connect(&address).await.expect("it is free");
    assert_eq!(Transport::connect(&address).await.map(drop), Err(Closed::SomeoneElse));
}

#[tokio::test]
async fn a_bridge_that_kicks_the_old_user_ends_it() {
    let line = Line::lay().await;
    let (_ser2net, port) = line.bridge("", true).await;
    let address = bridge(port, Bridged::Raw);
    let mut first = Transport::connect(&address).await.expect("it is free");
    let _second = Transport::connect(&address).await.expect("it is taken over");
    assert_eq!(first.read().await, Err(Closed::Ended));
}

#[tokio::test]
async fn a_bridge_whose_line_is_gone_says_so_in_its_words() {
    let line = Line::lay().await;
    let (_ser2net, port) = line.bridge("telnet(rfc2217),", true).await;
    let address = bridge(port, Bridged::Rfc2217(settings("9600 8N1")));
    let mut transport = Transport::connect(&address).await.expect("it is free");
    drop(line.cable);
    assert_eq!(transport.read().await, Err(Closed::Ended));
    let Err(Closed::Bridge(words)) = Transport::connect(&address).await else {
        panic!("the bridge can't open its line")
    };
    assert!(words.starts_with("Device open failure"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_port_that_does_not_speak_rfc_2217_is_not_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    let address = bridge(port, Bridged::Rfc2217(settings("9600 8N1")));
    let Err(Closed::Bridge(words)) = Transport::connect(&address).await else {
        panic!("it says nothing")
    };
    assert!(words.contains("does not speak RFC 2217"), "{words}");
}

#[tokio::test]
async fn a_line_of_this_machine_is_set_and_hands_on_every_byte() {
    let mut line = Line::lay().await;
    let address = Address::Serial { path: line.tty(), line: settings("38400 7E2") };
    let mut transport = Transport::connect(&address).await.expect("it is there");
    assert_eq!(speed(&line.tty()), 38_400);
    check_bytes(&mut line, &mut transport).await;
    let gone = Address::Serial { path: "/dev/no-such-line".into(), line: settings("9600 8N1") };
    let refused = Transport::connect(&gone).await.map(drop);
    assert!(matches!(refused, Err(Closed::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn tcp_says_whether_nobody_listens_or_the_other_end_has_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    let address = Address::Tcp { host: "127.0.0.1".to_owned(), port };
    let mut transport = Transport::connect(&address).await.expect("it listens");
    drop(listener.accept().await.expect("it is there"));
    assert_eq!(transport.read().await, Err(Closed::Ended));
    drop(listener);
    let refused = Transport::connect(&address).await.map(drop);
    assert!(matches!(refused, Err(Closed::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn each_write_over_udp_is_a_datagram() {
    let device = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let port = device.local_addr().expect("it has one").port();
    let address = Address::Udp { host: "127.0.0.1".to_owned(), port };
    let mut transport = Transport::connect(&address).await.expect("nobody is asked");
    transport.write(b"one").await.expect("it goes out");
    transport.write(b"two").await.expect("it goes out");
    let mut buffer = [0; 16];
    let (count, from) = device.recv_from(&mut buffer).await.expect("it comes");
    assert_eq!(&buffer[..count], b"one");
    let (count, _) = device.recv_from(&mut buffer).await.expect("it comes");
    assert_eq!(&buffer[..count], b"two");
    device.send_to(b"three", from).await.expect("it goes out");
    assert_eq!(transport.read().await, Ok(b"three".to_vec()));
}
