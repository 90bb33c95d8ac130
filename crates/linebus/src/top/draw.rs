//! The screen: a header, a table, a line of help. Any size of window is drawn, however small.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Cell, Row as TableRow, Table};

use crate::top::columns::{Row, fit};
use crate::top::look::Look;
use crate::top::state::{Seen, Top, Which};
use crate::top::stats::{ClientRow, Snapshot, TopicRow};
use crate::top::units::{bytes, count, long_time, time};

/// Figures come once a second; older than this they need a word.
const FRESH: Duration = Duration::from_millis(2_500);

const HELP: &[&str] = &[
    "t, c, Tab          topics, clients",
    "s > <  right left  sort by another column",
    "r                  reverse the order",
    "/                  show what contains a text; Enter keeps it, Esc clears it",
    "p                  pause and go on",
    "up down PgUp PgDn  scroll, as do Home End j k",
    "q Esc Ctrl-C       quit",
    "",
    "Rates are per second and of the last second: lines in thousands (k, M), bytes in powers of \
     1024 (Ki, Mi). In is what clients send, out what they are sent.",
    "OUTBOX is what waits for a client. A ! says that it reads more slowly than others send to it.",
    "Listed are the busiest that the bus names; a heading such as 100 of 2.5k says that there are \
     more. The bus counts topics only while somebody looks.",
];

/// Draws everything, and remembers in `top` how many rows there was room for.
pub(super) fn draw(frame: &mut Frame<'_>, top: &mut Top, look: Look, now: Instant) {
    let area = frame.area();
    // In a window that is hardly one, rows matter more than totals.
    let header = if area.height >= 8 { 3 } else { 1 };
    let header = header.min(area.height);
    let footer = u16::from(area.height > header);
    let middle = Rect { y: area.y + header, height: area.height - header - footer, ..area };
    for (at, line) in (0..header).zip(header_lines(top, look, now)) {
        draw_line(frame, row_of(area, at), line, look);
    }
    if footer > 0 {
        draw_line(frame, row_of(area, area.height - 1), footer_line(top, look, now), look);
    }
    if top.help.is_some() {
        draw_help(frame, middle, top, look);
        return;
    }
    let Some(seen) = top.seen().cloned() else {
        draw_line(
            frame,
            row_of(middle, 1),
            Line::raw("The first figures come in two seconds."),
            look,
        );
        return;
    };
    let Snapshot { topics, clients, more_topics, more_clients, .. } = &*seen.snapshot;
    let listed = [(topics.len(), *more_topics), (clients.len(), *more_clients)];
    draw_line(frame, row_of(middle, 0), rule(top, look, listed, area.width), look);
    let table = Rect { y: middle.y + 1, height: middle.height.saturating_sub(1), ..middle };
    match top.which {
        Which::Topics => draw_table::<TopicRow>(frame, table, top, topics, look),
        Which::Clients => draw_table::<ClientRow>(frame, table, top, clients, look),
    }
}

/// The row `at` of an area; empty if it is not in there.
fn row_of(area: Rect, at: u16) -> Rect {
    Rect { y: area.y.saturating_add(at), height: 1, ..area }.intersection(area)
}

/// Draws a line, and shows if there was no room for its end: half a number is a wrong number.
fn draw_line(frame: &mut Frame<'_>, area: Rect, mut line: Line<'_>, look: Look) {
    let mut left = usize::from(area.width);
    for span in &mut line.spans {
        span.content = look.cut(&span.content, left).into();
        left -= span.width().min(left);
    }
    frame.render_widget(line, area);
}

fn header_lines<'a>(top: &Top, look: Look, now: Instant) -> [Line<'a>; 3] {
    let mut first = vec![
        Span::styled("linebus top", look.heading()),
        Span::raw(format!("  {}", look.clean(&top.bus))),
    ];
    let Some(seen) = top.seen() else {
        return [Line::from(first), Line::default(), Line::default()];
    };
    let bus = &seen.snapshot.bus;
    first.push(Span::raw(format!("  up {}", long_time(bus.up_s))));
    if let Some(age) = stale(seen, now) {
        first.push(Span::styled(format!("  figures are {age} old"), look.warning()));
    }
    let traffic = bus.traffic;
    let flow = |name, lines, amount| {
        vec![
            Span::styled(format!("{name:3} "), look.heading()),
            Span::styled(format!("{:>5}", count(lines)), look.strong()),
            Span::raw(" lines/s "),
            Span::styled(format!("{:>6}", bytes(amount)), look.strong()),
            Span::raw("B/s  "),
        ]
    };
    let mut second = flow("in", traffic.in_lines, traffic.in_bytes);
    second.push(Span::styled(bus.clients.to_string(), look.strong()));
    second.push(Span::raw(" sessions"));
    let mut third = flow("out", traffic.out_lines, traffic.out_bytes);
    let percent = u128::from(bus.queued_bytes) * 100 / u128::from(bus.budget_bytes.max(1));
    let ink = match percent {
        0..50 => look.strong(),
        50..80 => look.warning(),
        _ => look.alarm(),
    };
    let waiting = format!("{}B of {}B", bytes(bus.queued_bytes), bytes(bus.budget_bytes));
    third.push(Span::styled(waiting, ink));
    third.push(Span::raw(format!(" waiting ({percent} %)")));
    [first.into(), second.into(), third.into()]
}

/// How old figures are that are not the latest any more.
fn stale(seen: &Seen, now: Instant) -> Option<String> {
    let age = seen.age(now);
    (age > FRESH).then(|| long_time(age.as_secs()))
}

/// The rule above the table: which there are, how it is sorted, what is left out.
fn rule<'a>(top: &Top, look: Look, listed: [(usize, u64); 2], width: u16) -> Line<'a> {
    let dash = look.dash();
    let mut spans = vec![Span::raw(dash.repeat(2))];
    let names = [(Which::Topics, "Topics"), (Which::Clients, "Clients")];
    for ((which, name), (listed, more)) in names.into_iter().zip(listed) {
        let number = listed as u64;
        let listed = count(number);
        let all = match more {
            0 => listed,
            more => format!("{listed} of {}", count(more.saturating_add(number))),
        };
        let chosen = which == top.which;
        let (style, [open, close]) =
            if chosen { (look.chosen(), ["[", "]"]) } else { (Style::new(), [" ", " "]) };
        spans.push(Span::styled(format!("{open}{name} {all}{close}"), style));
        spans.push(Span::raw(dash));
    }
    let order = match top.which {
        Which::Topics => order::<TopicRow>(top),
        Which::Clients => order::<ClientRow>(top),
    };
    spans.push(Span::raw(format!("{dash} by {order} ")));
    if !top.filter.is_empty() {
        let text = format!("{dash} only `{}` ", look.cut(&top.filter, 20));
        spans.push(Span::styled(text, look.warning()));
    }
    if top.is_paused() {
        spans.push(Span::styled(format!("{dash} PAUSED "), look.warning()));
    }
    let taken: usize = spans.iter().map(Span::width).sum();
    spans.push(Span::raw(dash.repeat(usize::from(width).saturating_sub(taken))));
    Line::from(spans)
}

fn order<R: Row>(top: &Top) -> String {
    let view = top.view(R::WHICH);
    let column = &R::COLUMNS[view.sort];
    // Numbers begin with the largest, names with A.
    let direction = if column.is_number() == view.reversed { "up" } else { "down" };
    format!("{}, {direction}", column.head)
}

fn draw_table<R: Row>(frame: &mut Frame<'_>, area: Rect, top: &mut Top, all: &[R], look: Look) {
    let rows = top.rows(all);
    let page = usize::from(area.height.saturating_sub(1));
    let offset = top.view(R::WHICH).offset.min(rows.len().saturating_sub(page));
    let shown = &rows[offset..rows.len().min(offset + page)];
    let sort = &R::COLUMNS[top.view(R::WHICH).sort];
    let columns = fit::<R>(area.width, shown);
    let cell = |text: &str, width: u16, is_number: bool| {
        let text = Text::raw(look.cut(text, usize::from(width)));
        Cell::from(if is_number { text.right_aligned() } else { text })
    };
    let heads = columns.iter().map(|(column, width)| {
        let style = if std::ptr::eq(*column, sort) { look.chosen() } else { look.heading() };
        cell(column.head, *width, column.is_number()).style(style)
    });
    let lines = shown.iter().map(|row| {
        let style = if row.is_alarming() { look.alarm() } else { Style::new() };
        let cells = columns
            .iter()
            .map(|(column, width)| cell(&column.text(row), *width, column.is_number()));
        TableRow::new(cells).style(style)
    });
    let widths = columns.iter().map(|(_, width)| Constraint::Length(*width));
    frame.render_widget(Table::new(lines, widths).header(TableRow::new(heads)), area);
    if rows.is_empty() {
        let text = if top.filter.is_empty() { "nothing to list" } else { "nothing contains that" };
        draw_line(frame, row_of(area, 1), Line::raw(text), look);
    }
    top.page = page.max(1);
    top.view_mut().offset = offset;
}

fn draw_help(frame: &mut Frame<'_>, area: Rect, top: &mut Top, look: Look) {
    let width = usize::from(area.width).max(1);
    let lines: Vec<String> = HELP.iter().flat_map(|text| wrap(text, width)).collect();
    let page = usize::from(area.height.saturating_sub(1));
    let offset = top.help.unwrap_or(0).min(lines.len().saturating_sub(page));
    let title = format!("{} help; Esc leaves it ", look.dash().repeat(2));
    let rest = look.dash().repeat(width.saturating_sub(title.chars().count()));
    draw_line(frame, row_of(area, 0), Line::raw(title + &rest), look);
    for (at, line) in (1..area.height).zip(&lines[offset..]) {
        draw_line(frame, row_of(area, at), Line::raw(line.as_str()), look);
    }
    top.page = page.max(1);
    top.help = Some(offset);
}

/// Breaks ASCII text at blanks into lines of at most `width` characters, if its words allow.
fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.len() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn footer_line<'a>(top: &Top, look: Look, now: Instant) -> Line<'a> {
    if top.is_filter_edited {
        return Line::from(vec![
            Span::styled("contains: ", look.heading()),
            Span::raw(look.clean(&top.filter)),
            Span::styled(" ", look.chosen()),
            Span::raw("  Enter keeps it, Esc clears it"),
        ]);
    }
    if let Some((why, since)) = &top.lost {
        let ago = time(now.saturating_duration_since(*since).as_secs());
        let text = format!("no connection for {ago}, trying again: {}", look.clean(why));
        return Line::styled(text, look.alarm());
    }
    if let Some(note) = &top.note {
        return Line::styled(format!("the bus says: {}", look.clean(note)), look.warning());
    }
    let garbled = top.seen().map_or(0, |seen| seen.snapshot.garbled);
    if garbled > 0 {
        let text = format!("{} lines of $bus.stats were not understood", count(garbled));
        return Line::styled(text, look.warning());
    }
    Line::raw("? help  q quit  t topics  c clients  s sort  r reverse  / filter  p pause")
}

#[cfg(test)]
mod tests;
