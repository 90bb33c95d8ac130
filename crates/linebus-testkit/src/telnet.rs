//! A person with telnet: says lines, expects lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long to wait for what must come: far longer than it ever takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection that has heard `hello`.
pub struct Telnet<S = TcpStream> {
    /// The socket, for what lines can't do.
    pub socket: BufReader<S>,
}

impl Telnet {
    /// Connects and hears the greeting.
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("the server listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
        socket.set_write_timeout(Some(PATIENCE)).expect("a socket has timeouts");
        socket.set_nodelay(true).expect("a TCP socket has the option");
        Self::greeted(BufReader::new(socket))
    }
}

impl<S: Read + Write> Telnet<S> {
    /// Hears the greeting on a connection that was just made.
    #[must_use]
    pub fn greeted(socket: BufReader<S>) -> Self {
        let mut telnet = Self { socket };
        let hello = telnet.hear().expect("the server says hello");
        assert!(hello.starts_with("hello linebus 1 "), "{hello}");
        telnet
    }

    /// Sends a line.
    pub fn say(&mut self, line: &str) {
        self.say_bytes(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are.
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).expect("the server takes it");
        self.socket.get_mut().flush().expect("the server takes it");
    }

    /// The next line; none when the server has closed.
    pub fn hear(&mut self) -> Option<String> {
        let mut line = Vec::new();
        match self.socket.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => {
                assert_eq!(line.pop(), Some(b'\n'), "a line is whole");
                Some(String::from_utf8(line).expect("lines are UTF-8"))
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    /// Hears exactly this line.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        assert_eq!(self.hear().as_deref(), Some(line));
    }

    /// Says something and hears exactly this answer.
    #[track_caller]
    pub fn ask(&mut self, line: &str, answer: &str) {
        self.say(line);
        self.expect(answer);
    }

    /// Everything before the pong of a ping sent now.
    pub fn barrier(&mut self) -> Vec<String> {
        self.say("ping barrier");
        let mut lines = Vec::new();
        loop {
            let line = self.hear().expect("the server answers a ping");
            if line == "pong barrier" {
                return lines;
            }
            lines.push(line);
        }
    }
}
