//! A serial line of this machine: a terminal device without a terminal's habits.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rooms_files::{LineSettings, Parity};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

use super::Closed;

/// An open line.
#[derive(Debug)]
pub(super) struct SerialLine(AsyncFd<OwnedFd>);

impl SerialLine {
    /// Opens a line and sets it.
    pub(super) fn open(path: &Path, line: LineSettings) -> Result<SerialLine, Closed> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| Closed::Unreachable(format!("{}: {error}", path.display())))?;
        let wrong = |error| Closed::Config(format!("{} as {line}: {error}", path.display()));
        let mut settings = tcgetattr(&fd).map_err(wrong)?;
        settings.make_raw();
        settings.set_speed(line.baud).map_err(wrong)?;
        let modes = &mut settings.control_modes;
        modes.remove(ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD);
        modes.remove(ControlModes::CSTOPB | ControlModes::CRTSCTS);
        modes.insert(ControlModes::CREAD | ControlModes::CLOCAL);
        modes.insert(match line.data_bits {
            5 => ControlModes::CS5,
            6 => ControlModes::CS6,
            7 => ControlModes::CS7,
            _ => ControlModes::CS8,
        });
        modes.insert(match line.parity {
            Parity::None => ControlModes::empty(),
            Parity::Even => ControlModes::PARENB,
            Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
        });
        if line.stop_bits == 2 {
            modes.insert(ControlModes::CSTOPB);
        }
        tcsetattr(&fd, OptionalActions::Now, &settings).map_err(wrong)?;
        #[expect(deprecated, reason = "its successor is unsafe code; an OwnedFd stays what it is")]
        let fd = AsyncFd::new(fd).map_err(|error| Closed::Broken(error.to_string()))?;
        Ok(SerialLine(fd))
    }

    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|fd| Ok(rustix::io::read(fd, &mut *buffer)?)) {
                Ok(read) => return read,
                Err(_would_block) => {}
            }
        }
    }

    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            match ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?)) {
                Ok(written) => bytes = &bytes[written?..],
                Err(_would_block) => {}
            }
        }
        Ok(())
    }
}
