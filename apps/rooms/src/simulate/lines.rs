//! The devices' lines: sockets and pseudo-terminals that carry bytes to and from the played
//! devices. Each line is a task of its own and has one session at a time.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rooms_files::LineSettings;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::rfc2217::{self, Bridge};
use super::world::LineOrder;
use crate::telnet::doubled;

const READ_BYTES: usize = 4096;
/// A controller that takes nothing for so long is let go.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// As ser2net says it.
const IN_USE: &[u8] = b"Port already in use\r\n";

/// What happens at a line.
#[derive(Debug)]
pub(super) struct LineEvent {
    pub(super) device: usize,
    pub(super) session: u32,
    pub(super) what: Happened,
}

#[derive(Debug)]
pub(super) enum Happened {
    Opened,
    Received(Vec<u8>),
    Closed,
}

/// A way to a device, bound.
#[derive(Debug)]
pub(super) enum Line {
    Tcp { listener: TcpListener, kind: TcpKind },
    Udp(UdpSocket),
    Pty(Pty),
}

/// What stands at a TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TcpKind {
    /// The device itself.
    Device,
    /// A bridge that passes bytes.
    Raw,
    /// A bridge that takes the line's settings, and how the device's line is set.
    Rfc2217(Option<LineSettings>),
}

impl Line {
    pub(super) async fn tcp(port: u16, kind: TcpKind) -> io::Result<Line> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Line::Tcp { listener, kind })
    }

    pub(super) async fn udp(port: u16) -> io::Result<Line> {
        Ok(Line::Udp(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await?))
    }

    /// Where it is, for the port map.
    pub(super) fn shown(&self) -> String {
        let shown = |address: io::Result<SocketAddr>| {
            address.map_or_else(|error| error.to_string(), |address| address.to_string())
        };
        match self {
            Line::Tcp { listener, kind } => {
                let address = shown(listener.local_addr());
                match kind {
                    TcpKind::Device => format!("tcp {address}"),
                    TcpKind::Raw => format!("raw-tcp {address}"),
                    TcpKind::Rfc2217(_) => format!("rfc2217 {address}"),
                }
            }
            Line::Udp(socket) => format!("udp {}", shown(socket.local_addr())),
            Line::Pty(pty) => format!("pty {}", pty.link.display()),
        }
    }

    /// Carries until nobody gives orders any more.
    pub(super) async fn carry(
        self,
        device: usize,
        events: Sender<LineEvent>,
        orders: UnboundedReceiver<LineOrder>,
    ) {
        let carrier = Carrier { device, session: 0, events, orders };
        match self {
            Line::Tcp { listener, kind } => carrier.tcp(listener, kind).await,
            Line::Udp(socket) => carrier.udp(socket).await,
            Line::Pty(pty) => carrier.pty(pty).await,
        }
    }
}

struct Carrier {
    device: usize,
    session: u32,
    events: Sender<LineEvent>,
    orders: UnboundedReceiver<LineOrder>,
}

impl Carrier {
    async fn tell(&self, what: Happened) {
        let event = LineEvent { device: self.device, session: self.session, what };
        // Nobody hears it while the simulator ends.
        let _ = self.events.send(event).await;
    }

    async fn opened(&mut self) {
        self.session = self.session.wrapping_add(1);
        self.tell(Happened::Opened).await;
    }

    async fn tcp(mut self, listener: TcpListener, kind: TcpKind) {
        let Ok(address) = listener.local_addr() else { return };
        let mut listener = Some(listener);
        let mut stream: Option<TcpStream> = None;
        let mut bridge = Bridge::default();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    None => return,
                    Some(LineOrder::Send(session, bytes)) if session == self.session => {
                        if let Some(open) = &mut stream
                            && !write(open, &kind.say(&bytes, &bridge)).await
                        {
                            stream = None;
                            self.tell(Happened::Closed).await;
                        }
                    }
                    Some(LineOrder::Close(session)) if session == self.session => stream = None,
                    Some(LineOrder::Down) => (stream, listener) = (None, None),
                    Some(LineOrder::Up) => listener = listen_again(address).await,
                    Some(_) => {}
                },
                read = read(&mut stream, &mut buffer) => match read {
                    0 => {
                        stream = None;
                        self.tell(Happened::Closed).await;
                    }
                    count => {
                        let (device, controller) = kind.hear(&buffer[..count], &mut bridge);
                        if let Some(open) = &mut stream && !controller.is_empty() {
                            // If it can't be written, the next read says so.
                            write(open, &controller).await;
                        }
                        if !device.is_empty() {
                            self.tell(Happened::Received(device)).await;
                        }
                    }
                },
                mut new = accept(listener.as_ref()) => {
                    let _ = new.set_nodelay(true);
                    if stream.is_some() {
                        if kind != TcpKind::Device {
                            write(&mut new, IN_USE).await;
                        }
                        continue;
                    }
                    if matches!(kind, TcpKind::Rfc2217(_)) {
                        bridge.opened();
                        write(&mut new, &rfc2217::GREETING).await;
                    }
                    stream = Some(new);
                    self.opened().await;
                }
            }
        }
    }

    async fn udp(mut self, socket: UdpSocket) {
        let Ok(address) = socket.local_addr() else { return };
        let mut socket = Some(socket);
        let mut peer: Option<SocketAddr> = None;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    None => return,
                    Some(LineOrder::Send(session, bytes)) if session == self.session => {
                        if let (Some(socket), Some(peer)) = (&socket, peer) {
                            // A datagram may get lost, here as well.
                            let _ = socket.send_to(&bytes, peer).await;
                        }
                    }
                    Some(LineOrder::Close(session)) if session == self.session => peer = None,
                    Some(LineOrder::Down) => (peer, socket) = (None, None),
                    Some(LineOrder::Up) => socket = bind_again(address).await,
                    Some(_) => {}
                },
                Some((count, from)) = receive(socket.as_ref(), &mut buffer) => {
                    if peer != Some(from) {
                        if peer.is_some() {
                            self.tell(Happened::Closed).await;
                        }
                        peer = Some(from);
                        self.opened().await;
                    }
                    self.tell(Happened::Received(buffer[..count].to_vec())).await;
                }
            }
        }
    }

    async fn pty(mut self, pty: Pty) {
        self.opened().await;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    None => return,
                    // Nobody notices at a serial line that its other end is gone: it is silent.
                    Some(LineOrder::Up) => self.opened().await,
                    Some(LineOrder::Close(_)) => self.opened().await,
                    Some(LineOrder::Send(session, bytes)) if session == self.session => {
                        // What nobody reads gets lost, as on a serial line.
                        let _ = pty.write(&bytes);
                    }
                    Some(_) => {}
                },
                Ok(count) = pty.read(&mut buffer) => {
                    self.tell(Happened::Received(buffer[..count].to_vec())).await;
                }
            }
        }
    }
}

impl TcpKind {
    /// A line whose two ends are set differently carries noise.
    fn is_set_wrong(self, bridge: &Bridge) -> bool {
        matches!(self, TcpKind::Rfc2217(Some(line)) if line != bridge.line())
    }

    fn say(self, bytes: &[u8], bridge: &Bridge) -> Vec<u8> {
        let heard = if self.is_set_wrong(bridge) { noise(bytes) } else { bytes.to_vec() };
        if let TcpKind::Rfc2217(_) = self { doubled(&heard) } else { heard }
    }

    fn hear(self, bytes: &[u8], bridge: &mut Bridge) -> (Vec<u8>, Vec<u8>) {
        let TcpKind::Rfc2217(_) = self else { return (bytes.to_vec(), Vec::new()) };
        let (device, controller) = bridge.bytes(bytes);
        let device = if self.is_set_wrong(bridge) { noise(&device) } else { device };
        (device, controller)
    }
}

/// What a wrong speed makes of bytes.
fn noise(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| (byte ^ 0x5A) | 0x80).collect()
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    matches!(tokio::time::timeout(WRITE_TIMEOUT, stream.write_all(bytes)).await, Ok(Ok(())))
}

/// 0 when the controller is gone.
async fn read(stream: &mut Option<TcpStream>, buffer: &mut [u8]) -> usize {
    match stream {
        Some(stream) => stream.read(buffer).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => loop {
            match listener.accept().await {
                Ok((stream, _)) => return stream,
                // Out of descriptors, or the controller has changed its mind: others get on.
                Err(_) => tokio::task::yield_now().await,
            }
        },
        None => std::future::pending().await,
    }
}

async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    match socket {
        // An error is what came of an earlier datagram, not of this one.
        Some(socket) => socket.recv_from(buffer).await.ok(),
        None => std::future::pending().await,
    }
}

/// The port is its own, unless somebody has taken it in between: then the device stays away.
async fn listen_again(address: SocketAddr) -> Option<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Some(listener),
        Err(error) => {
            eprintln!("rooms: {address} can't be listened at again: {error}");
            None
        }
    }
}

async fn bind_again(address: SocketAddr) -> Option<UdpSocket> {
    match UdpSocket::bind(address).await {
        Ok(socket) => Some(socket),
        Err(error) => {
            eprintln!("rooms: {address} can't be listened at again: {error}");
            None
        }
    }
}

/// A pseudo-terminal, reached by a link of a name that says whose it is.
#[derive(Debug)]
pub(super) struct Pty {
    controller: AsyncFd<OwnedFd>,
    /// Held open: while nobody has the terminal open, reading from this end would fail.
    _terminal: File,
    link: PathBuf,
}

impl Pty {
    #[expect(deprecated, reason = "what came in its place is unsafe, which is forbidden here")]
    pub(super) fn open(folder: &Path, name: &str) -> io::Result<Pty> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let controller = openpt(flags)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        let path = ptsname(&controller, Vec::new())?;
        let path = PathBuf::from(path.to_string_lossy().into_owned());
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = File::from(rustix::fs::open(&path, flags, rustix::fs::Mode::empty())?);
        let mut settings = tcgetattr(&terminal)?;
        settings.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&controller, true)?;
        let link = folder.join(name);
        match std::fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::os::unix::fs::symlink(&path, &link)?,
        }
        Ok(Pty { controller: AsyncFd::new(controller)?, _terminal: terminal, link })
    }

    async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.controller.readable().await?;
            let read = |fd: &AsyncFd<OwnedFd>| Ok(rustix::io::read(fd.get_ref(), &mut *buffer)?);
            if let Ok(result) = ready.try_io(read) {
                return result;
            }
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.controller.get_ref(), bytes)?)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A link that is gone already is as good.
        let _ = std::fs::remove_file(&self.link);
    }
}
