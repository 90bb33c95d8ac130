//! Screens as text, in windows of all sizes.

use expect_test::expect;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::{Color, Modifier};

use super::*;
use crate::top::stats::{BusRow, Traffic};

const PLAIN: Look = Look { colour: false, unicode: false };
const RICH: Look = Look { colour: true, unicode: true };

fn traffic(lines: u64) -> Traffic {
    Traffic { in_lines: lines, in_bytes: lines * 100, out_lines: lines * 7, out_bytes: lines * 650 }
}

fn client(id: u64, user: &str, lines: u64, slow: bool) -> ClientRow {
    let address = format!("127.0.0.1:{}", 40_000 + id);
    let queued_bytes = if slow { 12 << 20 } else { 0 };
    let (user, traffic) = (user.to_owned(), traffic(lines));
    ClientRow { id, user, address, up_s: id * 100, traffic, queued_bytes, slow }
}

fn topic(topic: &str, lines: u64) -> TopicRow {
    TopicRow { topic: topic.to_owned(), receivers: 7, lines, bytes: lines * 100 }
}

fn snapshot() -> Snapshot {
    Snapshot {
        bus: BusRow {
            up_s: 7_380,
            clients: 4,
            traffic: traffic(12_345),
            queued_bytes: 12 << 20,
            budget_bytes: 1 << 30,
        },
        clients: vec![
            client(1, "alice", 12_000, false),
            client(2, "bob", 345, true),
            client(17, "guest", 0, false),
        ],
        topics: vec![topic("rooms.vienna", 12_000), topic("jobs", 345), topic("quiet", 0)],
        more_clients: 1,
        more_topics: 0,
        garbled: 0,
    }
}

struct Screen {
    top: Top,
    now: Instant,
}

impl Screen {
    fn of(snapshot: Snapshot) -> Self {
        let mut screen = Self { top: Top::new("127.0.0.1:5463".to_owned()), now: Instant::now() };
        screen.top.take(snapshot, screen.now);
        screen
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let _ = self.top.press(KeyEvent::from(KeyCode::Char(key)));
        }
    }

    fn buffer(&mut self, (width, height): (u16, u16), look: Look, after: Duration) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
        let now = self.now + after;
        terminal.draw(|frame| draw(frame, &mut self.top, look, now)).expect("memory");
        terminal.backend().buffer().clone()
    }

    fn text(&mut self, size: (u16, u16), look: Look) -> String {
        text(&self.buffer(size, look, Duration::ZERO))
    }
}

/// What is on a screen, without blanks at the ends of lines.
fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let lines = buffer.content.chunks(width).map(|line| {
        let line: String = line.iter().map(Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

#[test]
fn topics_are_shown_under_the_totals() {
    let mut screen = Screen::of(snapshot());
    expect![[r#"
        linebus top  127.0.0.1:5463  up 2h 3m
        in  12.3k lines/s  1.1MiB/s  4 sessions
        out 86.4k lines/s  7.6MiB/s  12.0MiB of 1.0GiB waiting (1 %)
        --[Topics 3]- Clients 3 of 4 -- by LINES/S, down -------------------------------
        TOPIC                                                  RECEIVERS LINES/S BYTES/S
        rooms.vienna                                                   7   12.0k   1.1Mi
        jobs                                                           7     345  33.6Ki
        quiet                                                          7       0       0

        ? help  q quit  t topics  c clients  s sort  r reverse  / filter  p pause
    "#]]
    .assert_eq(&screen.text((80, 10), PLAIN));
}

#[test]
fn clients_are_shown_and_a_slow_one_is_marked() {
    let mut screen = Screen::of(snapshot());
    screen.press("c");
    expect![[r#"
        linebus top  127.0.0.1:5463  up 2h 3m
        in  12.3k lines/s  1.1MiB/s  4 sessions
        out 86.4k lines/s  7.6MiB/s  12.0MiB of 1.0GiB waiting (1 %)
        -- Topics 3 -[Clients 3 of 4]-- by OUT B/S, down -------------------------------
           NR USER       ADDRESS                SINCE  IN/S IN B/S OUT/S OUT B/S  OUTBOX
            1 alice      127.0.0.1:40001           1m 12.0k  1.1Mi 84.0k   7.4Mi       0
            2 bob        127.0.0.1:40002           3m   345 33.6Ki  2.4k   218Ki !12.0Mi
           17 guest      127.0.0.1:40017          28m     0      0     0       0       0

        ? help  q quit  t topics  c clients  s sort  r reverse  / filter  p pause
    "#]]
    .assert_eq(&screen.text((80, 10), PLAIN));
    let buffer = screen.buffer((80, 10), RICH, Duration::ZERO);
    let slow = buffer.content.iter().filter(|cell| cell.fg == Color::Red).count();
    assert!(slow >= 70, "its row is red");
    let buffer = screen.buffer((80, 10), PLAIN, Duration::ZERO);
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset), "no colours");
    assert!(buffer.content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
}

#[test]
fn the_smallest_window_shows_what_matters() {
    let mut screen = Screen::of(snapshot());
    screen.press("c");
    expect![[r#"
        linebus top  127.0.0.1:5463  up 2h 3m
        in  12.3k lines/s  1.1MiB/s  4 sessions
        out 86.4k lines/s  7.6MiB/s  12.0MiB of…
        ── Topics 3 ─[Clients 3 of 4]── by OUT …
           NR USER            IN/S OUT/S  OUTBOX
            1 alice          12.0k 84.0k       0
            2 bob              345  2.4k !12.0Mi
           17 guest              0     0       0

        ? help  q quit  t topics  c clients  s …
    "#]]
    .assert_eq(&screen.text((40, 10), RICH));
}

#[test]
fn the_order_is_shown_and_kept() {
    let mut screen = Screen::of(snapshot());
    let order = |text: &str| {
        let at = |name: &str| text.find(name).expect("it is shown");
        (at("by "), at("rooms.vienna") < at("jobs"), at("jobs") < at("quiet"))
    };
    assert!(matches!(order(&screen.text((80, 10), PLAIN)), (_, true, true)));
    screen.press("r");
    let reversed = screen.text((80, 10), PLAIN);
    assert!(matches!(order(&reversed), (_, false, false)) && reversed.contains("by LINES/S, up"));
    screen.press("ss");
    let by_name = screen.text((80, 10), PLAIN);
    assert!(matches!(order(&by_name), (_, false, true)) && by_name.contains("by TOPIC, up"));
}

#[test]
fn a_filter_is_shown_while_it_is_written_and_while_it_holds() {
    let mut screen = Screen::of(snapshot());
    screen.press("/job");
    let shown = screen.text((80, 10), PLAIN);
    assert!(shown.contains("contains: job") && !shown.contains("rooms.vienna"), "{shown}");
    let _ = screen.top.press(KeyEvent::from(KeyCode::Enter));
    let shown = screen.text((80, 10), PLAIN);
    assert!(shown.contains("only `job`") && shown.contains("\njobs "), "{shown}");
    screen.press("/xyz");
    assert!(screen.text((80, 10), PLAIN).contains("nothing contains that"));
}

#[test]
fn old_figures_a_lost_connection_and_a_pause_are_said() {
    let mut screen = Screen::of(snapshot());
    let after = |screen: &mut Screen, seconds| {
        text(&screen.buffer((90, 10), PLAIN, Duration::from_secs(seconds)))
    };
    assert!(!after(&mut screen, 2).contains("old"));
    assert!(after(&mut screen, 75).contains("figures are 1m 15s old"));
    let lost = "the bus said goodbye (shutdown): \u{1b}[2Jbye";
    screen.top.note_lost(lost.to_owned(), screen.now);
    let shown = after(&mut screen, 5);
    let said = "no connection for 5s, trying again: the bus said goodbye (shutdown): \\u{1b}[2Jbye";
    assert!(shown.contains(said), "{shown}");
    screen.top.note_connected();
    screen.press("p");
    let shown = after(&mut screen, 5);
    assert!(shown.contains("PAUSED") && !shown.contains("no connection"), "{shown}");
}

#[test]
fn before_the_first_figures_it_says_so() {
    let mut top = Top::new("unix:/run/bus".to_owned());
    let mut terminal = Terminal::new(TestBackend::new(60, 10)).expect("memory");
    terminal.draw(|frame| draw(frame, &mut top, PLAIN, Instant::now())).expect("memory");
    let shown = text(terminal.backend().buffer());
    assert!(shown.contains("unix:/run/bus") && shown.contains("The first figures come"), "{shown}");
}

#[test]
fn lines_that_were_not_understood_are_told() {
    let mut screen = Screen::of(Snapshot { garbled: 3, ..snapshot() });
    assert!(screen.text((80, 10), PLAIN).contains("3 lines of $bus.stats were not understood"));
}

#[test]
fn no_window_is_too_small_and_no_name_too_long_or_too_wild() {
    let wild = "\u{1b}]0;evil\u{7}漢字\u{202e}\u{301}\u{301}🙂".repeat(100);
    let mut all = snapshot();
    all.clients.push(client(u64::MAX / 200, &wild, u64::MAX / 1000, true));
    all.topics.push(topic(&wild, u64::MAX / 1000));
    all.topics.push(topic(&"x".repeat(10_000), 1));
    let mut screen = Screen::of(all);
    screen.top.bus.clone_from(&wild);
    for keys in ["", "c", "?", "\u{1b}", "/evil", "p"] {
        screen.press(keys);
        for look in [PLAIN, RICH] {
            for width in [0, 1, 2, 3, 7, 20, 39, 40, 41, 79, 80, 81, 200, 500] {
                for height in [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 24, 100] {
                    let shown = screen.text((width, height), look);
                    let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
                    assert!(!shown.contains(steers), "{width}x{height}: {shown:?}");
                    assert!(look.unicode || shown.is_ascii(), "{width}x{height}: {shown:?}");
                }
            }
        }
    }
}

#[test]
fn the_help_can_be_read_to_its_end_in_a_small_window() {
    let mut screen = Screen::of(snapshot());
    screen.press("?");
    let shown = screen.text((80, 24), PLAIN);
    assert!(shown.contains("reverse the order") && shown.contains("quit"), "{shown}");
    let mut read = screen.text((40, 10), PLAIN);
    for _ in 0..40 {
        screen.press("j");
        read += &screen.text((40, 10), PLAIN);
    }
    let last_word = HELP.last().and_then(|line| line.split_whitespace().last());
    assert!(read.contains(last_word.expect("there is one")), "{read}");
    let _ = screen.top.press(KeyEvent::from(KeyCode::Esc));
    assert!(screen.text((80, 24), PLAIN).contains("rooms.vienna"));
}

#[test]
fn ten_thousand_clients_are_scrolled_through_without_waiting() {
    let clients = (1..=10_000).map(|id| client(id, "guest", id % 100, false)).collect();
    let mut screen = Screen::of(Snapshot { clients, ..snapshot() });
    screen.press("c<<<<<<<");
    let size = (120, 40);
    assert!(screen.text(size, RICH).contains("\n10000 "), "the largest number first");
    let began = Instant::now();
    for _ in 0..100 {
        let _ = screen.top.press(KeyEvent::from(KeyCode::PageDown));
        screen.text(size, RICH);
    }
    // It takes a hundredth of that.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let _ = screen.top.press(KeyEvent::from(KeyCode::End));
    let shown = screen.text(size, RICH);
    assert!(shown.contains("\n    1 guest "), "{shown}");
    let _ = screen.top.press(KeyEvent::from(KeyCode::Up));
    assert!(!screen.text(size, RICH).contains("\n    1 guest "), "one row up from the end");
}
