//! A browser without a screen: pages, forms, cookies and the stream of what changes.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use linebus_testkit::http::exchange;

/// Longer than anything that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who looks at pages.
#[derive(Clone, Default)]
pub(super) struct Browser {
    /// Name, path and value.
    pub(super) cookies: Vec<(String, String, String)>,
    /// What a proxy says of where it is.
    pub(super) forwarded: String,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) text: String,
}

impl Browser {
    pub(super) fn get(&mut self, address: SocketAddr, path: &str) -> Answer {
        self.ask(address, "GET", path, "")
    }

    /// Sends a form.
    pub(super) fn post(
        &mut self,
        address: SocketAddr,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let encode = |text: &str| {
            text.bytes().fold(String::new(), |mut all, byte| {
                use std::fmt::Write as _;
                if byte.is_ascii_alphanumeric() {
                    all.push(char::from(byte));
                } else {
                    write!(all, "%{byte:02X}").expect("a string takes it");
                }
                all
            })
        };
        let form = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let form = form.collect::<Vec<_>>().join("&");
        self.ask(address, "POST", path, &form)
    }

    /// What a page's forms carry.
    pub(super) fn csrf(&mut self, address: SocketAddr, path: &str) -> String {
        let page = self.get(address, path);
        let (_, rest) =
            page.text.split_once("name=\"csrf\" value=\"").expect("the page has a form");
        rest.split('"').next().expect("it ends").to_owned()
    }

    /// Hears a panel's stream until it has all of these words; gives the screen that has.
    #[track_caller]
    pub(super) fn until(&self, address: SocketAddr, path: &str, words: &[&str]) -> String {
        let mut screen = String::new();
        for line in self.stream(address, path) {
            let line = line.unwrap_or_else(|error| panic!("{words:?}: {error} after {screen}"));
            match line.strip_prefix("data: ") {
                Some(data) => screen = screen + data + "\n",
                None if line.is_empty() && words.iter().all(|word| screen.contains(word)) => {
                    return screen;
                }
                None if line.is_empty() => screen.clear(),
                None => {}
            }
        }
        panic!("the stream ended before {words:?}")
    }

    /// Looks at a page of the administration, and again whenever its stream says that something has
    /// changed, until it has these words or has them no more.
    #[track_caller]
    pub(super) fn until_it_says(
        &mut self,
        address: SocketAddr,
        path: &str,
        words: &str,
        says: bool,
    ) {
        let mut changes = self.stream(address, "/admin/events");
        while self.get(address, path).text.contains(words) != says {
            let change = changes.by_ref().map(|line| line.expect("in time"));
            assert!(change.into_iter().any(|line| line == "event: changed"), "the stream ended");
        }
    }

    fn stream(
        &self,
        address: SocketAddr,
        path: &str,
    ) -> impl Iterator<Item = std::io::Result<String>> + use<> {
        let mut socket = TcpStream::connect(address).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        let cookies = self.cookies_for(path);
        let request =
            format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nCookie: {cookies}\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("it is taken");
        let begun = Instant::now();
        let in_time = move |_: &_| assert!(begun.elapsed() < PATIENCE, "it has not come");
        BufReader::new(socket).lines().inspect(in_time)
    }

    fn ask(&mut self, address: SocketAddr, method: &str, path: &str, form: &str) -> Answer {
        let (length, cookies) = (form.len(), self.cookies_for(path));
        let forwarded = match self.forwarded.as_str() {
            "" => String::new(),
            from => format!("X-Forwarded-For: {from}\r\n"),
        };
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nCookie: {cookies}\r\nX-Live: 1\r\n{forwarded}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        );
        let (status, head, text) = exchange(address, request.as_bytes()).expect("it answers");
        for line in head.lines() {
            let Some(cookie) =
                line.to_ascii_lowercase().starts_with("set-cookie: ").then(|| &line[12..])
            else {
                continue;
            };
            let mut parts = cookie.split("; ");
            let (name, value) =
                parts.next().and_then(|part| part.split_once('=')).expect("a cookie");
            let path = parts.find_map(|part| part.strip_prefix("Path=")).unwrap_or("/").to_owned();
            self.cookies.retain(|(known, at, _)| (known.as_str(), at) != (name, &path));
            self.cookies.push((name.to_owned(), path, value.to_owned()));
        }
        Answer { status, head, text }
    }

    fn cookies_for(&self, path: &str) -> String {
        let fitting = self.cookies.iter().filter(|(_, at, _)| path.starts_with(at.as_str()));
        fitting.map(|(name, _, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}
