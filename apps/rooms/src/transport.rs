//! The ways to a device: TCP, UDP, a serial line here or behind a bridge. Bytes in, bytes out, and
//! why it is over.
//!
//! What the bytes mean is a driver's business. A bridge that refuses in words (`Port already in
//! use`) is heard by whoever reads first: the negotiation of RFC 2217 here, elsewhere the drivers.

mod address;
mod rfc2217;
mod serial;

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

pub use address::{Address, Bridged};
use rfc2217::Rfc2217;
use serial::SerialLine;

/// A device or bridge that has not taken a connection by then takes none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A bridge that has not confirmed a line's settings by then does not speak RFC 2217.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(5);
/// A device that takes nothing for so long is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// A peer that vanished is noticed: first asked after so long, then so often.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(30), 3);
const READ_BYTES: usize = 4096;

/// An open way to a device.
#[derive(Debug)]
pub struct Transport {
    kind: Kind,
    buffer: Box<[u8]>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Rfc2217(TcpStream, Rfc2217),
    Serial(SerialLine),
}

/// Why there is no way, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Nothing answers at the address.
    Unreachable(String),
    /// The address answers, and takes no connection.
    Refused(String),
    /// The other end has closed it.
    Ended,
    /// It broke.
    Broken(String),
    /// The bridge says no, in these words.
    Bridge(String),
    /// Somebody else has the line.
    SomeoneElse,
    /// It can't be as the settings say.
    Config(String),
}

impl Transport {
    /// Opens the way to a device. A bridge has confirmed the line's settings when this returns.
    ///
    /// # Errors
    /// Says why not, at the latest after 10 s.
    pub async fn connect(to: &Address) -> Result<Transport, Closed> {
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        let kind = match to {
            Address::Tcp { host, port } => Kind::Tcp(tcp(host, *port).await?),
            Address::Udp { host, port } => Kind::Udp(udp(host, *port).await?),
            Address::Bridge { host, port, bridged: Bridged::Raw } => {
                Kind::Tcp(tcp(host, *port).await?)
            }
            Address::Bridge { host, port, bridged: Bridged::Rfc2217(line) } => {
                let mut stream = tcp(host, *port).await?;
                let mut telnet = Rfc2217::new(*line);
                timeout(NEGOTIATION_TIMEOUT, telnet.negotiate(&mut stream))
                    .await
                    .unwrap_or_else(|_| Err(Closed::Bridge(rfc2217::SILENT.to_owned())))?;
                Kind::Rfc2217(stream, telnet)
            }
            Address::Serial { path, line } => Kind::Serial(SerialLine::open(path, *line)?),
        };
        Ok(Transport { kind, buffer })
    }

    /// What the device sends next, at least a byte. Cancelling it loses nothing.
    ///
    /// # Errors
    /// It is over.
    pub async fn read(&mut self) -> Result<Vec<u8>, Closed> {
        let buffer = &mut self.buffer[..];
        let count = match &mut self.kind {
            Kind::Tcp(stream) => stream.read(buffer).await,
            Kind::Udp(socket) => return datagram(socket, buffer).await,
            Kind::Rfc2217(stream, telnet) => return telnet.read(stream, buffer).await,
            Kind::Serial(line) => line.read(buffer).await,
        };
        match count {
            Ok(0) => Err(Closed::Ended),
            Ok(count) => Ok(buffer[..count].to_vec()),
            Err(error) => Err(Closed::broken(&error)),
        }
    }

    /// Sends bytes to the device; over UDP, one datagram.
    ///
    /// # Errors
    /// It is over; the device may have got a part.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        let write = async {
            match &mut self.kind {
                Kind::Tcp(stream) => stream.write_all(bytes).await,
                Kind::Udp(socket) => socket.send(bytes).await.map(drop),
                Kind::Rfc2217(stream, telnet) => telnet.write(stream, bytes).await,
                Kind::Serial(line) => line.write_all(bytes).await,
            }
        };
        match timeout(WRITE_TIMEOUT, write).await {
            Ok(result) => result.map_err(|error| Closed::broken(&error)),
            Err(_) => Err(Closed::Broken("it takes nothing any more".to_owned())),
        }
    }
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, Closed> {
    let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await {
        Ok(connected) => connected.map_err(|error| Closed::not_opened(&error))?,
        Err(_) => return Err(Closed::Unreachable("no answer in 5 s".to_owned())),
    };
    let (idle, every, count) = KEEPALIVE;
    // Without these it works, too, only that a vanished peer is noticed later.
    let _ = stream.set_nodelay(true);
    let _ = sockopt::set_socket_keepalive(&stream, true);
    let _ = sockopt::set_tcp_keepidle(&stream, idle);
    let _ = sockopt::set_tcp_keepintvl(&stream, every);
    let _ = sockopt::set_tcp_keepcnt(&stream, count);
    Ok(stream)
}

async fn udp(host: &str, port: u16) -> Result<UdpSocket, Closed> {
    let open = async {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in tokio::net::lookup_host((host, port)).await? {
            let here = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(here).await?;
            match socket.connect(address).await {
                Ok(()) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    match timeout(CONNECT_TIMEOUT, open).await {
        Ok(opened) => opened.map_err(|error: io::Error| Closed::not_opened(&error)),
        Err(_) => Err(Closed::Unreachable("its name is not found".to_owned())),
    }
}

/// The next datagram that is not empty.
async fn datagram(socket: &UdpSocket, buffer: &mut [u8]) -> Result<Vec<u8>, Closed> {
    loop {
        match socket.recv(buffer).await {
            Ok(0) => {}
            Ok(count) => return Ok(buffer[..count].to_vec()),
            Err(error) => return Err(Closed::broken(&error)),
        }
    }
}

impl Closed {
    fn not_opened(error: &io::Error) -> Closed {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Closed::Refused("connection refused".to_owned()),
            _ => Closed::Unreachable(error.to_string()),
        }
    }

    fn broken(error: &io::Error) -> Closed {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Closed::Refused("connection refused".to_owned()),
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => Closed::Ended,
            _ => Closed::Broken(error.to_string()),
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::Unreachable(why) => write!(f, "it can't be reached: {why}"),
            Closed::Refused(why) => write!(f, "it takes no connection: {why}"),
            Closed::Ended => f.write_str("it closed the connection"),
            Closed::Broken(why) => write!(f, "the connection broke: {why}"),
            Closed::Bridge(why) => write!(f, "the serial bridge says: {why}"),
            Closed::SomeoneElse => f.write_str("somebody else uses this line"),
            Closed::Config(why) => write!(f, "its settings can't be: {why}"),
        }
    }
}

impl std::error::Error for Closed {}
