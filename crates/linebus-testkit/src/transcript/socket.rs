//! A stage of real sockets: the server in this process, its clients over TCP, TLS or a Unix
//! socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use linebus_server::{Config, Listeners};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Client, Setting, Stage};
use crate::certificates::Authority;
use crate::tls::{self, TlsStream};
use crate::users;

/// How long a client waits for what must come: far longer than it ever takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How clients reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Loopback.
    Tcp,
    /// A socket in a temporary folder.
    Unix,
    /// Loopback, encrypted.
    Tls,
}

/// A server that ends with this value.
pub struct Sockets {
    place: Place,
    _runtime: Runtime,
    _folder: TempDir,
}

enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
    /// With the authority that clients trust, as PEM.
    Tls(SocketAddr, String),
}

impl Sockets {
    /// Starts a server like this on a free port or a new path.
    #[must_use]
    pub fn new(transport: Transport, setting: &Setting) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let path = folder.path().join("bus");
        let mut config =
            Config { limits: setting.limits.clone(), listen: Vec::new(), ..Config::default() };
        if !setting.users.is_empty() {
            config.users = Some(users::write(folder.path(), &setting.users).into());
        }
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let authority = Authority::new("the authority");
        match transport {
            Transport::Tcp => config.listen.push(loopback),
            Transport::Unix => config.unix = Some(path.clone()),
            Transport::Tls => {
                let (certificate, key) =
                    authority.server(&["localhost"]).write(folder.path(), "bus");
                config.tls.listen.push(loopback);
                config.tls.certificate = Some(certificate.into());
                config.tls.key = Some(key.into());
            }
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        let guard = runtime.enter();
        let listeners = Listeners::bind(&config).expect("a free port can be bound");
        let address = listeners.addresses().next().expect("one was bound");
        let place = match address.split_once(' ').expect("a kind and an address") {
            ("tcp", address) => Place::Tcp(address.parse().expect("the server prints an address")),
            ("tls", address) => {
                Place::Tls(address.parse().expect("the server prints an address"), authority.pem())
            }
            _ => Place::Unix(path),
        };
        runtime.spawn(async move {
            linebus_server::run(listeners, &config, linebus_server::Controls::none())
                .await
                .expect("threads");
        });
        drop(guard);
        Self { place, _runtime: runtime, _folder: folder }
    }
}

impl Stage for Sockets {
    fn connect(&mut self) -> Box<dyn Client> {
        match &self.place {
            Place::Tcp(address) => {
                let socket = TcpStream::connect(address).expect("the server listens");
                socket.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
                socket.set_nodelay(true).expect("a TCP socket has the option");
                let shut = |socket: &mut TcpStream| {
                    socket.shutdown(std::net::Shutdown::Write).expect("it is connected");
                };
                Box::new(SocketClient { socket: BufReader::new(socket), shut })
            }
            Place::Unix(path) => {
                let socket = UnixStream::connect(path).expect("the server listens");
                socket.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
                let shut = |socket: &mut UnixStream| {
                    socket.shutdown(std::net::Shutdown::Write).expect("it is connected");
                };
                Box::new(SocketClient { socket: BufReader::new(socket), shut })
            }
            Place::Tls(address, authority) => {
                let config = tls::client(authority, None);
                let socket = tls::connect(*address, "localhost", config).expect("it is trusted");
                let shut = |socket: &mut TlsStream| tls::close(socket);
                Box::new(SocketClient { socket: BufReader::new(socket), shut })
            }
        }
    }
}

struct SocketClient<S> {
    socket: BufReader<S>,
    shut: fn(&mut S),
}

impl<S: Read + Write> Client for SocketClient<S> {
    fn send(&mut self, bytes: &[u8]) {
        // The server may have closed already; what it said before is still to be read.
        let _ = self.socket.get_mut().write_all(bytes);
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        match self.socket.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.strip_suffix(b"\n").unwrap_or(&line).to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    fn close(&mut self) {
        (self.shut)(self.socket.get_mut());
        while self.line().is_some() {}
    }
}
