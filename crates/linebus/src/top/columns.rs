//! The tables' columns as data: what each shows, how it sorts, and which go first from a narrow
//! window.

use std::cmp::Ordering;

use crate::top::state::Which;
use crate::top::stats::{ClientRow, TopicRow};
use crate::top::units::{bytes, count, time};

/// One column.
pub(super) struct Column<R> {
    pub(super) head: &'static str,
    /// Least and most characters.
    pub(super) width: (u16, u16),
    /// In a window that is too narrow the columns of the highest ranks are left out.
    pub(super) rank: u8,
    pub(super) kind: Kind<R>,
}

pub(super) enum Kind<R> {
    /// Sorts from A to Z.
    Name(fn(&R) -> &str),
    /// The number that counts, and how it is shown. Sorts from the largest on.
    Number(fn(&R) -> u64, fn(&R) -> String),
}

/// A row of a table.
pub(super) trait Row: Sized + 'static {
    const WHICH: Which;
    const COLUMNS: &'static [Column<Self>];

    /// Whether any of its names contains `text`, which is in lower case.
    fn contains(&self, text: &str) -> bool;

    /// Whether it should be seen at once.
    fn is_alarming(&self) -> bool;
}

impl<R> Column<R> {
    pub(super) fn text(&self, row: &R) -> String {
        match self.kind {
            Kind::Name(name) => name(row).to_owned(),
            Kind::Number(_, shown) => shown(row),
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Number(..))
    }

    pub(super) fn compare(&self, one: &R, other: &R) -> Ordering {
        match self.kind {
            Kind::Name(name) => name(one).cmp(name(other)),
            Kind::Number(number, _) => number(other).cmp(&number(one)),
        }
    }
}

/// A column of a number that takes `width` characters.
const fn number<R>(
    (head, width, rank): (&'static str, u16, u8),
    number: fn(&R) -> u64,
    shown: fn(&R) -> String,
) -> Column<R> {
    Column { head, width: (width, width), rank, kind: Kind::Number(number, shown) }
}

impl Row for TopicRow {
    const WHICH: Which = Which::Topics;
    const COLUMNS: &'static [Column<Self>] = &[
        // A topic has at most 200 bytes.
        Column { head: "TOPIC", width: (10, 200), rank: 0, kind: Kind::Name(|row| &row.topic) },
        number(("RECEIVERS", 9, 1), |row| row.receivers, |row| count(row.receivers)),
        number(("LINES/S", 7, 0), |row| row.lines, |row| count(row.lines)),
        number(("BYTES/S", 7, 0), |row| row.bytes, |row| bytes(row.bytes)),
    ];

    fn contains(&self, text: &str) -> bool {
        self.topic.to_lowercase().contains(text)
    }

    fn is_alarming(&self) -> bool {
        false
    }
}

impl Row for ClientRow {
    const WHICH: Which = Which::Clients;
    const COLUMNS: &'static [Column<Self>] = &[
        number(("NR", 5, 0), |row| row.id, |row| row.id.to_string()),
        // A user's name has at most 64 bytes, an IPv6 address with its port at most 47.
        Column { head: "USER", width: (8, 64), rank: 0, kind: Kind::Name(|row| &row.user) },
        Column { head: "ADDRESS", width: (21, 47), rank: 7, kind: Kind::Name(|row| &row.address) },
        number(("SINCE", 5, 6), |row| row.up_s, |row| time(row.up_s)),
        number(("IN/S", 5, 3), |row| row.traffic.in_lines, |row| count(row.traffic.in_lines)),
        number(("IN B/S", 6, 5), |row| row.traffic.in_bytes, |row| bytes(row.traffic.in_bytes)),
        number(("OUT/S", 5, 2), |row| row.traffic.out_lines, |row| count(row.traffic.out_lines)),
        number(("OUT B/S", 7, 4), |row| row.traffic.out_bytes, |row| bytes(row.traffic.out_bytes)),
        number(("OUTBOX", 7, 1), |row| row.queued_bytes, outbox),
    ];

    fn contains(&self, text: &str) -> bool {
        self.user.to_lowercase().contains(text)
            || self.address.to_lowercase().contains(text)
            || self.id.to_string().contains(text)
    }

    fn is_alarming(&self) -> bool {
        self.slow
    }
}

/// A slow client is marked even where there are no colours.
fn outbox(row: &ClientRow) -> String {
    format!("{}{}", if row.slow { "!" } else { "" }, bytes(row.queued_bytes))
}

/// The columns that fit into `width` characters with one between them, and their widths. What
/// `rows` have of numbers fits into them.
pub(super) fn fit<R: Row>(width: u16, rows: &[&R]) -> Vec<(&'static Column<R>, u16)> {
    let least = |column: &Column<R>| match &column.kind {
        Kind::Name(_) => column.width.0,
        Kind::Number(_, shown) => {
            let widths = rows.iter().map(|row| shown(row).len());
            u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX).max(column.width.0)
        }
    };
    let mut columns: Vec<_> = R::COLUMNS.iter().map(|column| (column, least(column))).collect();
    while columns.len() > 1 && taken(&columns) > usize::from(width) {
        let last = (0..columns.len()).max_by_key(|&at| columns[at].0.rank);
        columns.remove(last.expect("there is one"));
    }
    let mut left = usize::from(width).saturating_sub(taken(&columns));
    let mut growing: Vec<_> =
        columns.iter_mut().filter(|(column, _)| column.width.1 > column.width.0).collect();
    while let Some((column, least)) = growing.pop() {
        // Of what is left, each one gets as much as the others.
        let share = left / (growing.len() + 1);
        let more = share.min(usize::from(column.width.1 - *least));
        *least += u16::try_from(more).expect("it is a part of a u16");
        left -= more;
    }
    columns
}

fn taken<R>(columns: &[(&Column<R>, u16)]) -> usize {
    let widths: usize = columns.iter().map(|(_, width)| usize::from(*width)).sum();
    widths + columns.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads<R: Row>(width: u16) -> Vec<&'static str> {
        let columns = fit::<R>(width, &[]);
        assert!(taken(&columns) <= usize::from(width).max(10), "{width}");
        columns.iter().map(|(column, _)| column.head).collect()
    }

    #[test]
    fn everything_fits_into_eighty_characters_and_what_matters_into_forty() {
        assert_eq!(heads::<TopicRow>(40), ["TOPIC", "RECEIVERS", "LINES/S", "BYTES/S"]);
        assert_eq!(heads::<ClientRow>(80).len(), ClientRow::COLUMNS.len());
        assert_eq!(heads::<ClientRow>(40), ["NR", "USER", "IN/S", "OUT/S", "OUTBOX"]);
    }

    #[test]
    fn a_long_number_is_never_cut() {
        let row = ClientRow { id: 12_345_678, ..ClientRow::default() };
        let columns = fit(80, &[&row]);
        assert_eq!((columns[0].0.head, columns[0].1), ("NR", 8));
        assert!(taken(&columns) <= 80);
    }

    #[test]
    fn no_window_is_too_narrow_or_too_wide() {
        for width in (0..500).chain([u16::MAX]) {
            assert!(!heads::<TopicRow>(width).is_empty());
            assert!(!heads::<ClientRow>(width).is_empty());
        }
        let [.., (topic, width)] = fit::<TopicRow>(100, &[])[..1] else { panic!("there are more") };
        assert_eq!((topic.head, width), ("TOPIC", 100 - 9 - 7 - 7 - 3));
    }
}
