//! Where a bus is and who one is there: [`BusUrl`], read from what people write.
//!
//! Not a general URL parser: a bus has a place and perhaps a user, no path, query or fragment.
//! Passwords are kept out of everything that is printed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use linebus_protocol::text::check_line;
use linebus_protocol::{NAME_BYTES_MAX, PORT, TLS_PORT, is_name};
use percent_encoding::percent_decode_str;
use thiserror::Error;

/// The address of a bus, and the user to log in as.
///
/// ```
/// use linebus_client::BusUrl;
///
/// let url: BusUrl = "linebus://alice:s%20cret@bus.example".parse()?;
/// assert_eq!(url.user(), Some("alice"));
/// assert_eq!(url.to_string(), "linebus://alice@bus.example:5463");
///
/// for place in ["linebuss://bus.example", "linebus://[::1]:7000", "unix:/run/linebus.sock", "127.0.0.1:5463"] {
///     assert!(place.parse::<BusUrl>().is_ok());
/// }
/// # Ok::<(), linebus_client::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BusUrl {
    pub(crate) place: Place,
    pub(crate) credentials: Option<Credentials>,
}

/// Where a bus listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A host, by name or address (IPv6 without brackets), and its port.
    Tcp { host: String, port: u16 },
    /// The same, encrypted.
    Tls { host: String, port: u16 },
    /// A Unix socket.
    Unix(PathBuf),
    /// A pipe within the test that made it.
    #[cfg(test)]
    Memory(u64),
}

/// What `login` says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Option<String>,
}

/// Why a text is no [`BusUrl`]. The sentence says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Something else stands where `linebus:` or `unix:` should.
    #[error(
        "`{0}:` is not how a bus is reached; write linebus://host:port, linebuss://host:port, unix:/path or host:port"
    )]
    Scheme(String),
    /// No host before the port, or nothing at all.
    #[error("the host is missing; write linebus://host:port, such as linebus://127.0.0.1:{PORT}")]
    NoHost,
    /// A character that no host name or address has, or brackets that don't match.
    #[error("`{0}` is no host; IPv6 addresses stand in brackets, as in linebus://[::1]:{PORT}")]
    Host(String),
    /// Not a number from 1 to 65535.
    #[error("`{0}` is no port; a port is a number from 1 to 65535, usually {PORT}")]
    Port(String),
    /// Something follows the port.
    #[error("nothing may follow the port, but `{0}` does; topics are not part of the URL")]
    Path(String),
    /// `unix:` without a path.
    #[error("the path is missing; write unix:/path/to/socket")]
    NoPath,
    /// A user's name that the bus would not take.
    #[error("a user name is 1 to {NAME_BYTES_MAX} letters, digits, _ . or -")]
    User,
    /// A password that can't stand in a line. It is not repeated here.
    #[error("a password is text without control characters; write other bytes as %XX, in UTF-8")]
    Password,
}

impl BusUrl {
    /// The user to log in as, if the URL names one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.credentials.as_ref().map(|known| known.user.as_str())
    }

    /// The password to log in with, if the URL names one.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.credentials.as_ref()?.password.as_deref()
    }

    /// The host by name or address, IPv6 without brackets; none for a Unix socket.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.place {
            Place::Tcp { host, .. } | Place::Tls { host, .. } => Some(host),
            _ => None,
        }
    }

    /// The same bus, logged in as `user`.
    ///
    /// # Errors
    /// [`UrlError::User`] or [`UrlError::Password`] if the bus would not take them.
    pub fn with_login(mut self, user: &str, password: Option<&str>) -> Result<Self, UrlError> {
        self.credentials = Some(Credentials::check(user, password)?);
        Ok(self)
    }

    /// Whether everything that is said to this bus, and by it, is encrypted (`linebuss://`).
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.place, Place::Tls { .. })
    }

    /// The place without the user, as errors and notices name it: `127.0.0.1:5463`.
    #[must_use]
    pub fn address(&self) -> String {
        self.place.to_string()
    }
}

impl FromStr for BusUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("linebus://") {
            return parse_tcp(rest);
        }
        if let Some(rest) = text.strip_prefix("linebuss://") {
            let (host, port, credentials) = parse_authority(rest, TLS_PORT)?;
            return Ok(BusUrl { place: Place::Tls { host, port }, credentials });
        }
        if let Some(rest) = text.strip_prefix("unix:") {
            return parse_unix(rest);
        }
        match text.split_once("://") {
            Some((scheme, _)) => Err(UrlError::Scheme(scheme.to_owned())),
            None => parse_tcp(text),
        }
    }
}

impl Credentials {
    pub(crate) fn check(user: &str, password: Option<&str>) -> Result<Self, UrlError> {
        if !is_name(user) {
            return Err(UrlError::User);
        }
        if password.is_some_and(|word| check_line(word.as_bytes()).is_none()) {
            return Err(UrlError::Password);
        }
        Ok(Self { user: user.to_owned(), password: password.map(str::to_owned) })
    }
}

fn parse_tcp(rest: &str) -> Result<BusUrl, UrlError> {
    let (host, port, credentials) = parse_authority(rest, PORT)?;
    Ok(BusUrl { place: Place::Tcp { host, port }, credentials })
}

/// `[user[:password]@]host[:port][/]`
fn parse_authority(
    rest: &str,
    default_port: u16,
) -> Result<(String, u16, Option<Credentials>), UrlError> {
    let (credentials, rest) = split_credentials(rest)?;
    let authority = match rest.split_once('/') {
        None | Some((_, "")) => rest.trim_end_matches('/'),
        Some((_, path)) => return Err(UrlError::Path(format!("/{path}"))),
    };
    let (host, port) = split_port(authority)?;
    let port = match port {
        None => default_port,
        Some(word) => match word.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(UrlError::Port(word.to_owned())),
        },
    };
    Ok((host.to_owned(), port, credentials))
}

/// `/path`, `//[user[:password]@]/path`, or a relative path.
fn parse_unix(rest: &str) -> Result<BusUrl, UrlError> {
    let (credentials, path) = match rest.strip_prefix("//") {
        Some(rest) => split_credentials(rest)?,
        None => (None, rest),
    };
    if path.is_empty() {
        return Err(UrlError::NoPath);
    }
    Ok(BusUrl { place: Place::Unix(PathBuf::from(path)), credentials })
}

fn split_credentials(rest: &str) -> Result<(Option<Credentials>, &str), UrlError> {
    // The last @, because people forget to write the one in their password as %40.
    let Some((login, rest)) = rest.rsplit_once('@') else {
        return Ok((None, rest));
    };
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let decode = |word, otherwise| percent_decode_str(word).decode_utf8().map_err(|_| otherwise);
    let user = decode(user, UrlError::User)?;
    let password = password.map(|word| decode(word, UrlError::Password)).transpose()?;
    Ok((Some(Credentials::check(&user, password.as_deref())?), rest))
}

/// The host, its brackets taken off, and what stands after its colon.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    let bad_host = || UrlError::Host(authority.to_owned());
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(bad_host)?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or_else(bad_host)?),
        };
        host.parse::<std::net::Ipv6Addr>().map_err(|_| bad_host())?;
        return Ok((host, port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let of_a_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !host.chars().all(of_a_host) || port.is_some_and(|word| word.contains(':')) {
        return Err(bad_host());
    }
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    Ok((host, port))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } | Self::Tls { host, port } if host.contains(':') => {
                write!(f, "[{host}]:{port}")
            }
            Self::Tcp { host, port } | Self::Tls { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            #[cfg(test)]
            Self::Memory(number) => write!(f, "memory:{number}"),
        }
    }
}

impl fmt::Display for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user().map(|user| format!("{user}@"));
        let user = user.as_deref().unwrap_or_default();
        match &self.place {
            Place::Unix(path) if !user.is_empty() => write!(f, "unix://{user}{}", path.display()),
            tcp @ Place::Tcp { .. } => write!(f, "linebus://{user}{tcp}"),
            tls @ Place::Tls { .. } => write!(f, "linebuss://{user}{tls}"),
            other => other.fmt(f),
        }
    }
}

/// As `Display`: the password does not appear.
impl fmt::Debug for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BusUrl({self})")
    }
}

/// The password does not appear, only whether there is one.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let got = match text.parse::<BusUrl>() {
            Ok(url) => {
                let password = url.credentials.as_ref().and_then(|c| c.password.clone());
                match password {
                    Some(password) => format!("{url} with {password:?}"),
                    None => url.to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn a_bus_is_named_in_the_ways_that_people_write() {
        check("linebus://127.0.0.1", "linebus://127.0.0.1:5463");
        check("linebus://127.0.0.1:7000/", "linebus://127.0.0.1:7000");
        check("bus.example:7000", "linebus://bus.example:7000");
        check("localhost", "linebus://localhost:5463");
        check("[::1]:7000", "linebus://[::1]:7000");
        check("linebus://[fe80::1]", "linebus://[fe80::1]:5463");
        check("linebuss://h", "linebuss://h:5464");
        check("linebuss://bob:x@[::1]:1/", r#"linebuss://bob@[::1]:1 with "x""#);
        check("linebus://bob@h", "linebus://bob@h:5463");
        check("linebus://bob:@h", r#"linebus://bob@h:5463 with """#);
        check("linebus://bob:p%40ss:w%C3%B6rd@h:1", r#"linebus://bob@h:1 with "p@ss:wörd""#);
        check("linebus://bob:p@ss@h", r#"linebus://bob@h:5463 with "p@ss""#);
        check("unix:/run/bus.sock", "unix:/run/bus.sock");
        check("unix:///run/bus.sock", "unix:/run/bus.sock");
        check("unix:bus.sock", "unix:bus.sock");
        check("unix://bob:x@/run/bus.sock", r#"unix://bob@/run/bus.sock with "x""#);
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let write = "write linebus://host:port, linebuss://host:port, unix:/path or host:port";
        check("http://h", &format!("`http:` is not how a bus is reached; {write}"));
        let no_host =
            "the host is missing; write linebus://host:port, such as linebus://127.0.0.1:5463";
        for text in ["", "linebus://", ":5463", "linebus://bob@:1"] {
            check(text, no_host);
        }
        for port in ["0", "65536", "", "x"] {
            let says = "is no port; a port is a number from 1 to 65535, usually 5463";
            check(&format!("h:{port}"), &format!("`{port}` {says}"));
        }
        for host in ["::1", "[::1", "[::1]x", "[h]:1", "a b", "h:1:2"] {
            let says = "is no host; IPv6 addresses stand in brackets, as in linebus://[::1]:5463";
            check(host, &format!("`{host}` {says}"));
        }
        check(
            "linebus://h/topic",
            "nothing may follow the port, but `/topic` does; topics are not part of the URL",
        );
        check("unix:", "the path is missing; write unix:/path/to/socket");
        let user = "a user name is 1 to 64 letters, digits, _ . or -";
        check("linebus://@h", user);
        check("linebus://a%20b@h", user);
        check(
            "linebus://a:%0Aping@h",
            "a password is text without control characters; write other bytes as %XX, in UTF-8",
        );
    }

    #[test]
    fn a_password_is_never_printed() {
        let url: BusUrl = "linebus://bob:secret@h".parse().expect("good");
        for text in [url.to_string(), format!("{url:?}"), format!("{:?}", url.credentials)] {
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
