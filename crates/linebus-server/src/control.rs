//! What the outside asks of a running server: its end, sudden or gentle.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::mpsc;

use crate::reload::Source;

/// Something that is asked of a running server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Stop: what waits is written for as long as the configuration allows, everyone is told
    /// goodbye.
    Shutdown,
    /// Stop gently: accept nobody more, tell everyone, and say goodbye to one after the other, so
    /// that they do not all come to another bus at once.
    LameDuck,
    /// Read the configuration and its files again.
    Reload,
    /// Begin another file of the record with the next line, as after the present one was renamed.
    /// A bus that is on its way to the end does not.
    NextRecordFile,
}

/// Asks things of a server; clones ask the same one.
#[derive(Debug, Clone)]
pub struct Controller(mpsc::UnboundedSender<Control>);

/// What was asked and not yet done: what [`run`](crate::run) takes.
#[derive(Debug)]
pub struct Controls {
    asked: mpsc::UnboundedReceiver<Control>,
    /// Where the configuration came from.
    pub(crate) source: Option<Source>,
    /// Lines of the log that were lost: whoever writes the log counts them, the metrics show them.
    pub log_lines_lost: Arc<AtomicU64>,
}

/// The two ends. When every controller is gone, the server goes on.
#[must_use]
pub fn controls() -> (Controller, Controls) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Controller(sender), Controls { asked: receiver, source: None, log_lines_lost: Arc::default() })
}

impl Controller {
    /// Asks. Does nothing when the server has ended.
    pub fn ask(&self, control: Control) {
        // A server that has ended has nothing left to do.
        let _ = self.0.send(control);
    }
}

impl Controls {
    /// Of a server that nobody controls: it ends with its runtime.
    #[must_use]
    pub fn none() -> Self {
        controls().1
    }

    /// The same with a configuration that can be read again: when that is asked, and when its
    /// files change.
    #[must_use]
    pub fn reloading(self, source: Source) -> Self {
        Self { source: Some(source), ..self }
    }

    /// What is asked next.
    pub(crate) async fn next(&mut self) -> Control {
        match self.asked.recv().await {
            Some(control) => control,
            None => std::future::pending().await,
        }
    }
}
