//! A terminal, from the side of the person before it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A pseudoterminal with a process in it.
pub struct Terminal {
    file: File,
    shown: Vec<u8>,
}

impl Terminal {
    /// Starts a command in a terminal of its own.
    #[must_use]
    pub fn start(mut command: Command) -> (Child, Self) {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are some");
        grantpt(&terminal).expect("it is ours");
        unlockpt(&terminal).expect("it is ours");
        let name = ptsname(&terminal, Vec::new()).expect("it has a name");
        let name = name.to_str().expect("it is text");
        let open = || File::options().read(true).write(true).open(name).expect("it is there");
        command.env("TERM", "xterm").stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("it can be started");
        (child, Self { file: File::from(terminal), shown: Vec::new() })
    }

    /// Types.
    pub fn press(&mut self, keys: &[u8]) {
        self.file.write_all(keys).expect("it reads");
    }

    /// Reads until `wanted` is shown after what was waited for before; returns what came before it.
    pub fn expect(&mut self, wanted: &str) -> String {
        let wanted = wanted.as_bytes();
        let mut buffer = [0; 1000];
        loop {
            if let Some(at) = self.shown.windows(wanted.len()).position(|part| part == wanted) {
                let rest = self.shown.split_off(at + wanted.len());
                let mut before = std::mem::replace(&mut self.shown, rest);
                before.truncate(at);
                return String::from_utf8_lossy(&before).into_owned();
            }
            let len = self.file.read(&mut buffer).unwrap_or_else(|error| {
                panic!("{error} after {}", String::from_utf8_lossy(&self.shown))
            });
            self.shown.extend_from_slice(&buffer[..len]);
        }
    }

    /// Whether it shows what is typed, and gives it out by lines.
    #[must_use]
    pub fn is_as_it_was(&self) -> bool {
        let modes = tcgetattr(&self.file).expect("it is a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}
