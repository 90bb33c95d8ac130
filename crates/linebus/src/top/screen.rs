//! The loop behind the screen: keys, figures and the time come in, drawings go out.

use std::io;
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Context;
use linebus_client::{Event, Events};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event as Input};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::exit::Failure;
use crate::top::draw::draw;
use crate::top::look::Look;
use crate::top::refused_join;
use crate::top::state::Top;
use crate::top::stats::Reader;

/// The terminal, taken over; dropping this gives it back. So does a panic, by the hook that
/// ratatui sets. The drop that ratatui has is left out: it panics when the terminal is gone.
struct Screen(ManuallyDrop<DefaultTerminal>);

impl Screen {
    fn take() -> io::Result<Self> {
        // A terminal that is half taken over is given back as well.
        let give_back = |_: &io::Error| drop(ratatui::try_restore());
        Ok(Self(ManuallyDrop::new(ratatui::try_init().inspect_err(give_back)?)))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If it is gone, there is nothing to put right.
        let _ = self.0.show_cursor();
        // The hook has done the rest before it printed the panic; once more, and the cursor would
        // go back to above the message.
        if !std::thread::panicking() {
            let _ = ratatui::try_restore();
        }
    }
}

/// Shows what comes until a key, a signal or the bus ends it.
pub(super) async fn run(bus: String, mut events: Events) -> Result<(), Failure> {
    let signals =
        || Ok::<_, io::Error>([SignalKind::terminate(), SignalKind::hangup()].map(signal));
    let [terminate, hangup] = signals()?;
    let (mut terminate, mut hangup): (Signal, Signal) = (terminate?, hangup?);
    let mut screen = Screen::take().context("can't take over the terminal")?;
    let mut inputs = read_inputs();
    let mut top = Top::new(bus);
    let mut figures = Reader::default();
    let look = Look::of_environment();
    // The age of the figures goes on when nothing comes.
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = Instant::now();
        let changed = tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            _ = second.tick() => true,
            input = inputs.recv() => match input {
                None => return Ok(()),
                Some(Input::Key(key)) => match top.press(key) {
                    ControlFlow::Break(()) => return Ok(()),
                    ControlFlow::Continue(()) => true,
                },
                Some(Input::Resize(..)) => true,
                Some(_) => false,
            },
            event = events.next() => {
                let over = || Failure::NoBus("the connection is closed".to_owned());
                take(&mut top, &mut figures, event.ok_or_else(over)?, now)?
            }
        };
        if changed {
            let drawn = screen.0.draw(|frame| draw(frame, &mut top, look, Instant::now()));
            match drawn {
                // Of a terminal that is gone (tty_ioctl(4)); its hang-up is on the way.
                Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                    return Ok(());
                }
                drawn => drawn.context("can't write to the terminal")?,
            };
        }
    }
}

/// Takes what happened on the connection; true if that changes what is to be seen.
fn take(top: &mut Top, figures: &mut Reader, event: Event, now: Instant) -> Result<bool, Failure> {
    match event {
        Event::Message(message) => {
            let Some(snapshot) = figures.take(&message.text) else { return Ok(false) };
            top.take(snapshot, now);
        }
        Event::Disconnected(lost) if lost.retrying => {
            figures.reset();
            top.note_lost(lost.why.to_string(), now);
        }
        Event::Disconnected(lost) => return Err(Failure::NoBus(lost.why.to_string())),
        Event::Reconnected { .. } => top.note_connected(),
        Event::Note { text, .. } => top.note = Some(text),
        Event::Refused(refused) => return Err(refused_join(refused)),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Keys and changes of size; the channel closes when the terminal is gone.
fn read_inputs() -> mpsc::Receiver<Input> {
    let (sender, inputs) = mpsc::channel(16);
    // A thread that waits for a key can't be stopped, and need not be waited for.
    std::thread::spawn(move || {
        while let Ok(input) = event::read() {
            if sender.blocking_send(input).is_err() {
                break;
            }
        }
    });
    inputs
}
