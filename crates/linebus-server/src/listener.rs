//! Where connections come from: TCP addresses, plain and for TLS, and a Unix socket.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linebus_record::{Recorder, StartError};
use rustix::net::sockopt;
use thiserror::Error;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::accounts::Users;
use crate::config::{Config, Problem};
use crate::files::Files;
use crate::http::HttpListener;
use crate::link::{Peer, Socket, is_elsewhere};
use crate::recording::recorder;
use crate::reload::exposed;
use crate::tls::Tls;

/// Why the server can't listen. The text says what to do.
#[derive(Debug, Error)]
pub enum BindError {
    /// Nothing is configured.
    #[error(
        "there is nothing to listen on: give --listen, --unix or `listen` in the configuration"
    )]
    Nothing,
    /// Without accounts, everybody who can connect may do everything.
    #[error(
        "{0} can be reached from the network, and everyone who gets there may do everything on the \
         bus; give the bus accounts (`users` in the configuration), listen on a loopback address, or \
         say --open-to-the-network if that is what you want"
    )]
    Open(SocketAddr),
    /// Something is wrong with the files that the configuration names.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Files(Vec<Problem>),
    /// Metrics would be shown to a network.
    #[error(
        "{0} can be reached from the network; show metrics on a loopback address, or say \
         metrics_open_to_the_network = true if that is what you want"
    )]
    OpenMetrics(SocketAddr),
    /// Nothing can be recorded where that is wanted.
    #[error(transparent)]
    Record(#[from] StartError),
    /// The address is taken, not this machine's, or not allowed.
    #[error("can't listen on {address}: {source}{}", hint(.source))]
    Refused {
        /// What was asked for.
        address: String,
        /// What the system says.
        source: io::Error,
    },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another server runs there, or choose port 0 for a free one",
        io::ErrorKind::PermissionDenied => "; choose another place, or one that this user may use",
        _ => "",
    }
}

/// The sockets on which a server accepts connections, and what it serves them with.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) lines: Vec<Listener>,
    /// What is spoken on those for TLS, if there are any.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Those who may log in, if there are accounts.
    pub(crate) users: Option<Users>,
    /// For metrics and health.
    pub(crate) http: Option<HttpListener>,
    /// Where everything is recorded.
    pub(crate) recorder: Option<Recorder>,
}

#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(AsyncFd<TcpListener>, SocketAddr),
    Unix(AsyncFd<UnixListener>, UnixPath),
    Tls(AsyncFd<TcpListener>, SocketAddr, Arc<Tls>),
}

/// A socket's place in the file system, which is cleared at the end.
#[derive(Debug)]
pub(crate) struct UnixPath(PathBuf);

impl Drop for UnixPath {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to clear.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listeners {
    /// Reads the files that `config` names, binds its addresses and opens its record, or does
    /// nothing. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// [`BindError`] says which address and what to do.
    pub fn bind(config: &Config) -> Result<Self, BindError> {
        let tls = &config.tls;
        if config.listen.is_empty() && config.unix.is_none() && tls.listen.is_empty() {
            return Err(BindError::Nothing);
        }
        if let Some(address) = exposed(config, config) {
            return Err(BindError::Open(address));
        }
        let files = Files::load(config).map_err(BindError::Files)?;
        let mut listeners = Vec::new();
        for address in &config.listen {
            let (listener, address) =
                bind_tcp(*address, config.keepalive_s).map_err(refused(address))?;
            listeners.push(Listener::Tcp(listener, address));
        }
        let served = files.tls.filter(|_| !tls.listen.is_empty());
        let served = served.map(|settings| Arc::new(Tls::new(settings)));
        if let Some(served) = &served {
            for address in &tls.listen {
                let (listener, address) =
                    bind_tcp(*address, config.keepalive_s).map_err(refused(address))?;
                listeners.push(Listener::Tls(listener, address, Arc::clone(served)));
            }
        }
        if let Some(path) = &config.unix {
            listeners.push(bind_unix(path).map_err(refused(path.display()))?);
        }
        let http = config.metrics.map(|address| {
            if !config.metrics_open_to_the_network && is_elsewhere(address) {
                return Err(BindError::OpenMetrics(address));
            }
            HttpListener::bind(address).map_err(refused(address))
        });
        let http = http.transpose()?;
        let recording = &config.record;
        let record = recording.folder.as_deref();
        let recorder = record.map(|folder| recorder(folder, &recording.options)).transpose()?;
        Ok(Self { lines: listeners, tls: served, users: files.users, http, recorder })
    }

    /// `tcp ADDRESS`, `tls ADDRESS`, `unix PATH` or `http ADDRESS` of each, with the ports that the
    /// system chose.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        let http = self.http.iter().map(|http| format!("http {}", http.address()));
        self.lines.iter().map(ToString::to_string).chain(http)
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(_, address) => write!(f, "tcp {address}"),
            Self::Tls(_, address, _) => write!(f, "tls {address}"),
            Self::Unix(_, path) => write!(f, "unix {}", path.0.display()),
        }
    }
}

/// Why `address` can't be listened on.
fn refused(address: impl ToString) -> impl FnOnce(io::Error) -> BindError {
    move |source| BindError::Refused { address: address.to_string(), source }
}

/// How often a machine is asked, at most, whether it is still there before the connection is over.
const KEEPALIVE_PROBES_MAX: u32 = 6;

fn bind_tcp(
    address: SocketAddr,
    keepalive_s: u32,
) -> io::Result<(AsyncFd<TcpListener>, SocketAddr)> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    // A restart need not wait for old connections to time out.
    socket.set_reuseaddr(true)?;
    if keepalive_s > 0 {
        // What is accepted inherits all of it (tcp(7)). A limit for what was sent and is not
        // acknowledged (TCP_USER_TIMEOUT) would also end those who do not read for a while.
        let probes = keepalive_s.min(KEEPALIVE_PROBES_MAX);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        socket.set_keepalive(true)?;
        sockopt::set_tcp_keepidle(&socket, seconds(keepalive_s))?;
        sockopt::set_tcp_keepintvl(&socket, seconds(keepalive_s / probes))?;
        sockopt::set_tcp_keepcnt(&socket, probes)?;
    }
    socket.bind(address)?;
    // As many as the kernel allows: a burst of clients after a restart is normal.
    let listener = socket.listen(4096)?.into_std()?;
    let address = listener.local_addr()?;
    Ok((watch(listener)?, address))
}

fn bind_unix(path: &Path) -> io::Result<Listener> {
    let bound = match UnixListener::bind(path) {
        // A socket on which nobody listens was left behind by a server that was killed.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    };
    let listener = bound?;
    listener.set_nonblocking(true)?;
    Ok(Listener::Unix(watch(listener)?, UnixPath(path.to_owned())))
}

/// Has the entered runtime say when there is somebody to accept. (tokio's own listeners would tie
/// what they accept to this runtime, which costs 200 bytes a connection to undo.)
#[expect(deprecated, reason = "the replacement is unsafe; an owned listener keeps its descriptor")]
fn watch<T: AsRawFd>(listener: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(listener, Interest::READABLE)
}

fn is_abandoned(path: &Path) -> bool {
    let connected = std::os::unix::net::UnixStream::connect(path);
    connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

impl Listener {
    /// The next connection, and who is there. It is not yet known to any runtime: the one that
    /// accepts is not the one that serves.
    pub(crate) async fn accept(&self) -> io::Result<(Socket, Peer)> {
        let (socket, address) = match self {
            Self::Tcp(listener, _) => {
                let (socket, address) = accept_tcp(listener).await?;
                (Socket::Tcp(socket), Some(address))
            }
            Self::Tls(listener, _, tls) => {
                let (socket, address) = accept_tcp(listener).await?;
                (Socket::Tls(socket, tls.server()), Some(address))
            }
            Self::Unix(listener, _) => {
                let accept = |listener: &UnixListener| listener.accept();
                let (socket, _) = listener.async_io(Interest::READABLE, accept).await?;
                socket.set_nonblocking(true)?;
                (Socket::Unix(socket), None)
            }
        };
        let encrypted = matches!(socket, Socket::Tls(..));
        Ok((socket, Peer { address, encrypted, certified: None, inside: None }))
    }
}

async fn accept_tcp(listener: &AsyncFd<TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    let accept = |listener: &TcpListener| listener.accept();
    let (socket, address) = listener.async_io(Interest::READABLE, accept).await?;
    socket.set_nonblocking(true)?;
    // A line goes out when it is written, not when the last one was acknowledged.
    socket.set_nodelay(true)?;
    Ok((socket, address))
}
