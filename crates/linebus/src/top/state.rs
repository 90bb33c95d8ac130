//! What `linebus top` shows and how keys change it. Pure: the time comes from outside.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::top::columns::Row;
use crate::top::stats::{ClientRow, Snapshot, TopicRow};

/// Longest text to filter by, in characters.
const FILTER_CHARS_MAX: usize = 64;

/// The table that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Topics,
    Clients,
}

/// How one table is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// The column that it is sorted by.
    pub(super) sort: usize,
    pub(super) reversed: bool,
    /// Rows above the window.
    pub(super) offset: usize,
    columns: usize,
}

/// A snapshot and when it came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) snapshot: Arc<Snapshot>,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct Top {
    /// Which bus, for people.
    pub(super) bus: String,
    latest: Option<Seen>,
    /// What was there when the display was paused.
    paused: Option<Option<Seen>>,
    /// Why and since when there is no connection.
    pub(super) lost: Option<(String, Instant)>,
    /// What the bus had to say, such as that it is about to stop.
    pub(super) note: Option<String>,
    pub(super) which: Which,
    topics: View,
    clients: View,
    pub(super) filter: String,
    pub(super) is_filter_edited: bool,
    /// The help, and how many of its lines are above the window.
    pub(super) help: Option<usize>,
    /// Rows that fitted into the window when it was last drawn.
    pub(super) page: usize,
}

impl View {
    fn of<R: Row>(head: &str) -> Self {
        let sort = R::COLUMNS.iter().position(|column| column.head == head);
        Self {
            sort: sort.expect("there is such a column"),
            reversed: false,
            offset: 0,
            columns: R::COLUMNS.len(),
        }
    }

    fn sort_by_next(&mut self, step: usize) {
        self.sort = (self.sort + step) % self.columns;
        self.reversed = false;
        self.offset = 0;
    }
}

impl Top {
    pub(super) fn new(bus: String) -> Self {
        Self {
            bus,
            latest: None,
            paused: None,
            lost: None,
            note: None,
            which: Which::Topics,
            topics: View::of::<TopicRow>("LINES/S"),
            clients: View::of::<ClientRow>("OUT B/S"),
            filter: String::new(),
            is_filter_edited: false,
            help: None,
            page: 1,
        }
    }

    /// Takes what came at `now`.
    pub(super) fn take(&mut self, snapshot: Snapshot, now: Instant) {
        self.latest = Some(Seen { snapshot: Arc::new(snapshot), at: now });
    }

    /// Takes note that the connection is lost.
    pub(super) fn note_lost(&mut self, why: String, now: Instant) {
        self.lost = Some((why, now));
    }

    /// Takes note that there is a connection again.
    pub(super) fn note_connected(&mut self) {
        self.lost = None;
        self.note = None;
    }

    /// What is to be shown.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.paused.as_ref().unwrap_or(&self.latest).as_ref()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub(super) fn view(&self, which: Which) -> View {
        match which {
            Which::Topics => self.topics,
            Which::Clients => self.clients,
        }
    }

    /// How the table that is shown is looked at.
    pub(super) fn view_mut(&mut self) -> &mut View {
        match self.which {
            Which::Topics => &mut self.topics,
            Which::Clients => &mut self.clients,
        }
    }

    /// The rows that pass the filter, in order.
    pub(super) fn rows<'a, R: Row>(&self, all: &'a [R]) -> Vec<&'a R> {
        let filter = self.filter.to_lowercase();
        let mut rows: Vec<_> =
            all.iter().filter(|row| filter.is_empty() || row.contains(&filter)).collect();
        let View { sort, reversed, .. } = self.view(R::WHICH);
        // The first column decides between equals, so that rows don't jump about.
        let (column, first) = (&R::COLUMNS[sort], &R::COLUMNS[0]);
        rows.sort_by(|one, other| {
            let order = column.compare(one, other);
            let order = if reversed { order.reverse() } else { order };
            order.then_with(|| first.compare(one, other))
        });
        rows
    }

    /// Takes a key; breaks if it was one that ends the program.
    pub(super) fn press(&mut self, key: KeyEvent) -> ControlFlow<()> {
        if key.kind == KeyEventKind::Release {
            return ControlFlow::Continue(());
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('c') {
            return ControlFlow::Break(());
        }
        if self.is_filter_edited {
            self.edit_filter(key.code, control);
            return ControlFlow::Continue(());
        }
        if control {
            return ControlFlow::Continue(());
        }
        if let Some(offset) = self.help {
            match key.code {
                KeyCode::Char('q') => return ControlFlow::Break(()),
                code => self.help = scrolled(offset, code, self.page),
            }
            return ControlFlow::Continue(());
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return ControlFlow::Break(()),
            code => self.command(code),
        }
        ControlFlow::Continue(())
    }

    fn command(&mut self, code: KeyCode) {
        let page = self.page;
        let view = self.view_mut();
        match code {
            KeyCode::Tab | KeyCode::BackTab => {
                self.which = match self.which {
                    Which::Topics => Which::Clients,
                    Which::Clients => Which::Topics,
                };
            }
            KeyCode::Char('t') => self.which = Which::Topics,
            KeyCode::Char('c') => self.which = Which::Clients,
            KeyCode::Char('s' | '>') | KeyCode::Right => view.sort_by_next(1),
            KeyCode::Char('<') | KeyCode::Left => view.sort_by_next(view.columns - 1),
            KeyCode::Char('r') => view.reversed = !view.reversed,
            KeyCode::Char('/') => self.is_filter_edited = true,
            KeyCode::Char('p' | ' ') => {
                self.paused = match self.paused {
                    None => Some(self.latest.clone()),
                    Some(_) => None,
                };
            }
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help = Some(0),
            code => {
                if let Some(offset) = scrolled(view.offset, code, page) {
                    view.offset = offset;
                }
            }
        }
    }

    fn edit_filter(&mut self, code: KeyCode, control: bool) {
        match code {
            KeyCode::Enter => self.is_filter_edited = false,
            KeyCode::Esc => {
                self.is_filter_edited = false;
                self.filter.clear();
            }
            KeyCode::Char('u') if control => self.filter.clear(),
            KeyCode::Char(c) if !control && self.filter.chars().count() < FILTER_CHARS_MAX => {
                self.filter.push(c);
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            _ => {}
        }
        self.view_mut().offset = 0;
    }
}

impl Seen {
    /// How old it is.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }
}

/// Where a key scrolls to from `offset`; nothing if it is none that scrolls. The end is found
/// when it is drawn.
fn scrolled(offset: usize, code: KeyCode, page: usize) -> Option<usize> {
    Some(match code {
        KeyCode::Up | KeyCode::Char('k') => offset.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => offset.saturating_add(1),
        KeyCode::PageUp => offset.saturating_sub(page),
        KeyCode::PageDown => offset.saturating_add(page),
        KeyCode::Home => 0,
        KeyCode::End => usize::MAX,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
