//! Browsers without a screen: what a page takes to come, and the stream of what changes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rooms_panel::doors::Token;

/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser with its cookie.
pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    /// Name and token.
    pub(crate) cookie: (&'static str, Token),
}

impl Browser {
    /// Loads a page; how long that took.
    pub(crate) fn load(&self, path: &str) -> anyhow::Result<(Duration, String)> {
        let began = Instant::now();
        let mut answer = String::new();
        self.ask("GET", path, "")?.read_to_string(&mut answer)?;
        let took = began.elapsed();
        ensure!(
            answer.starts_with("HTTP/1.0 200"),
            "{path}: {}",
            answer.lines().next().unwrap_or("")
        );
        Ok((took, answer))
    }

    /// Touches a button.
    pub(crate) fn press(&self, path: &str, wish: &str) -> anyhow::Result<()> {
        let form = format!("csrf={}&wish={}", self.cookie.1.csrf(), wish.replace(' ', "+"));
        let mut answer = String::new();
        self.ask("POST", path, &form)?.read_to_string(&mut answer)?;
        ensure!(
            answer.starts_with("HTTP/1.0 204"),
            "{wish}: {}",
            answer.lines().next().unwrap_or("")
        );
        Ok(())
    }

    /// Hears a panel's stream in a thread of its own, until it ends: when each screen came, and what
    /// its pill says.
    pub(crate) fn hear(&self, path: &str, tell: Sender<(Instant, String)>) -> anyhow::Result<()> {
        let mut lines = BufReader::new(self.ask("GET", path, "")?).lines();
        let first = lines.next().context("it answers")??;
        ensure!(first.starts_with("HTTP/1.0 200"), "{path}: {first}");
        std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
            let mut pill = None;
            for line in lines {
                let Ok(line) = line else { return };
                if let Some((_, rest)) = line.split_once("class=\"pill\"") {
                    let word = rest.split("<span>").nth(1).and_then(|rest| rest.split('<').next());
                    pill = word.map(str::to_owned);
                } else if line.is_empty()
                    && let Some(pill) = pill.take()
                    && tell.send((Instant::now(), pill)).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, form: &str) -> anyhow::Result<TcpStream> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let (name, token) = (self.cookie.0, self.cookie.1.as_str());
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nCookie: {name}={token}\r\nX-Live: 1\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.address,
            form.len()
        );
        socket.write_all(request.as_bytes())?;
        Ok(socket)
    }
}
