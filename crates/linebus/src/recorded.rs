//! `linebus log`: reads a record. (What the server logs about itself is `log.rs`.)

mod picture;
mod stats;
pub(crate) mod wanted;

use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use linebus_record::reader::{Item, follow, read};

use crate::exit::Failure;
use crate::hear::end_with_the_reader;
use crate::list::print_table;
use crate::print::{How, Printer};
use stats::Stats;
use wanted::{Asides, Wanted};

/// Read a record: what was said, when and by whom.
///
/// Prints lines as they stand in the record, TIME USER TOPIC MESSAGE, oldest first, of files
/// compressed or not. Where it begins is found by seeking. Damaged lines are told on standard error
/// and skipped.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The record: its folder, or one of its files.
    #[arg(value_name = "FOLDER|FILE")]
    path: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
    /// Go on with what is recorded from now on.
    #[arg(short, long, conflicts_with_all = ["until", "stats", "svg"])]
    follow: bool,
    #[command(flatten)]
    how: How,
    /// Instead of lines, print how many lines and bytes there are of each hour, user and topic.
    #[arg(long, conflicts_with_all = ["raw", "json", "format"])]
    stats: bool,
    /// Instead of lines, draw who talks to which topics into this SVG file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "json", "format"])]
    svg: Option<PathBuf>,
}

/// How often to look whether something was recorded, when all is read.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let Args { path, wanted, how, stats, svg, follow: following } = args;
    if stats || svg.is_some() {
        return count(&path, &wanted, stats, svg.as_deref());
    }
    let printer = Printer::new(how, true)?;
    let printing =
        RefCell::new(Printing { wanted, printer, asides: Asides::default(), printed: Ok(()) });
    let range = printing.borrow().wanted.range();
    let mut sink = |item: Item<'_>| printing.borrow_mut().take(&item);
    let done = if following {
        end_with_the_reader();
        let mut idle = || {
            let flushed = printing.borrow_mut().flush();
            std::thread::sleep(LOOK_EVERY);
            flushed
        };
        follow(&path, &range, &mut sink, &mut idle)
    } else {
        read(&path, &range, &mut sink)
    };
    let mut printing = printing.into_inner();
    printing.printed?;
    printing.printer.flush()?;
    printing.asides.tell();
    Ok(done.with_context(|| format!("can't read {}", path.display()))?)
}

/// What is printed, and how that went.
struct Printing {
    wanted: Wanted,
    printer: Printer,
    asides: Asides,
    printed: io::Result<()>,
}

impl Printing {
    fn take(&mut self, item: &Item<'_>) -> ControlFlow<()> {
        match item {
            Item::Entry(entry) if self.wanted.wants(entry) => {
                let printed = self.printer.print(entry);
                return self.note(printed);
            }
            Item::Entry(entry) => self.asides.unwanted(entry),
            Item::Damaged(damaged) => self.asides.damaged(damaged),
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let flushed = self.printer.flush();
        self.note(flushed)
    }

    /// Ends the reading when nothing can be printed any more.
    fn note(&mut self, printed: io::Result<()>) -> ControlFlow<()> {
        let failed = printed.is_err();
        self.printed = printed;
        if failed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Counts what is wanted, and shows it as a table, a picture or both.
fn count(path: &Path, wanted: &Wanted, table: bool, svg: Option<&Path>) -> Result<(), Failure> {
    let (mut stats, mut asides) = (Stats::default(), Asides::default());
    let mut sink = |item: Item<'_>| {
        match item {
            Item::Entry(entry) if entry.is_gap() => stats.gap(entry.message),
            Item::Entry(entry) if wanted.wants(&entry) => stats.count(&entry),
            Item::Entry(_) => {}
            Item::Damaged(damaged) => asides.damaged(&damaged),
        }
        ControlFlow::Continue(())
    };
    read(path, &wanted.range(), &mut sink)
        .with_context(|| format!("can't read {}", path.display()))?;
    asides.tell();
    if let Some(svg) = svg {
        std::fs::write(svg, picture::draw(&stats))
            .with_context(|| format!("can't write {}", svg.display()))?;
    }
    if table {
        print_table(["OF", "NAME", "LINES", "BYTES"], stats.rows())?;
    }
    Ok(())
}
