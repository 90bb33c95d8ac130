//! What was said on a bus, in files, and back: one line of plain text per message, so that grep,
//! sort, tail and awk are the search engine.
//!
//! - [`mod@line`], [`time`]: how a line looks;
//! - [`template`], [`options`]: how files are named, and when another one begins;
//! - [`writer`]: [`Recorder`], which takes lines in any number and never makes anybody wait;
//! - [`reader`]: finds a time by seeking, goes on after what is damaged, follows what is written;
//! - [`compressed`]: zstd that can be entered in the middle.
//!
//! It knows files only. Who hears the lines, over a network or inside a server, is the affair of
//! whoever calls it; nothing of a bus is here but how it writes a line.

pub mod compressed;
pub mod line;
pub mod options;
pub mod reader;
pub mod template;
pub mod time;
pub mod writer;

pub use line::{Entry, GAP_TOPIC, RECORD_USER};
pub use options::Options;
pub use template::Template;
pub use time::Time;
pub use writer::{Counts, Notice, Queue, Recorder, StartError};
