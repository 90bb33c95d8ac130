//! Keys, sorting, filter and pause.

use super::*;

fn topic(name: &str, lines: u64) -> TopicRow {
    TopicRow { topic: name.to_owned(), receivers: 1, lines, bytes: 1000 - lines }
}

fn client(id: u64, user: &str, address: &str) -> ClientRow {
    ClientRow { id, user: user.to_owned(), address: address.to_owned(), ..ClientRow::default() }
}

fn press(top: &mut Top, keys: &[KeyCode]) {
    for key in keys {
        assert_eq!(top.press(KeyEvent::from(*key)), ControlFlow::Continue(()), "{key}");
    }
}

fn write(top: &mut Top, text: &str) {
    press(top, &text.chars().map(KeyCode::Char).collect::<Vec<_>>());
}

fn names(top: &Top, rows: &[TopicRow]) -> String {
    top.rows(rows).iter().map(|row| row.topic.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_are_sorted_by_the_column_that_is_chosen_and_equals_by_the_first() {
    let rows = [topic("b", 1), topic("d", 3), topic("a", 1), topic("c", 9)];
    let mut top = Top::new(String::new());
    assert_eq!(names(&top, &rows), "c d a b", "the most lines first");
    write(&mut top, "r");
    assert_eq!(names(&top, &rows), "a b d c");
    write(&mut top, "s");
    assert_eq!(names(&top, &rows), "a b d c", "by bytes");
    write(&mut top, ">");
    assert_eq!(names(&top, &rows), "a b c d", "round to the name");
    press(&mut top, &[KeyCode::Right]);
    assert_eq!(names(&top, &rows), "a b c d", "all have one receiver");
    press(&mut top, &[KeyCode::Left, KeyCode::Char('<'), KeyCode::Char('<')]);
    assert_eq!(names(&top, &rows), "c d a b");
}

#[test]
fn each_table_has_its_own_order() {
    let mut top = Top::new(String::new());
    let before = top.view(Which::Topics).sort;
    write(&mut top, "cs");
    assert_eq!(top.which, Which::Clients);
    press(&mut top, &[KeyCode::Tab]);
    assert_eq!((top.which, top.view(Which::Topics).sort), (Which::Topics, before));
    write(&mut top, "ct");
    assert_eq!(top.which, Which::Topics);
}

#[test]
fn the_filter_takes_keys_as_text_until_enter() {
    let rows = [topic("Rooms.vienna", 1), topic("rooms.quito", 2), topic("jobs", 3)];
    let mut top = Top::new(String::new());
    write(&mut top, "/rooms.q");
    assert_eq!(names(&top, &rows), "rooms.quito");
    press(&mut top, &[KeyCode::Backspace]);
    assert_eq!(names(&top, &rows), "rooms.quito Rooms.vienna", "case does not count");
    press(&mut top, &[KeyCode::Enter]);
    write(&mut top, "r");
    assert_eq!(names(&top, &rows), "Rooms.vienna rooms.quito", "r is a command again");
    write(&mut top, "/");
    press(&mut top, &[KeyCode::Esc]);
    assert_eq!(top.rows(&rows).len(), 3);
    write(&mut top, "/abc");
    let control_u = KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL);
    assert_eq!(top.press(control_u), ControlFlow::Continue(()));
    assert_eq!(top.filter, "");
    write(&mut top, &"x".repeat(1000));
    assert_eq!(top.filter.len(), FILTER_CHARS_MAX);
}

#[test]
fn clients_are_found_by_user_address_and_number() {
    let rows = [client(17, "alice", "127.0.0.1:99"), client(2, "bob", "unix")];
    let mut top = Top::new(String::new());
    write(&mut top, "c");
    for (text, found) in [("ALI", 17), ("uni", 2), (":99", 17), ("17", 17)] {
        top.filter = text.to_owned();
        let ids: Vec<_> = top.rows(&rows).iter().map(|row| row.id).collect();
        assert_eq!(ids, [found], "{text}");
    }
}

#[test]
fn what_is_paused_stays_until_it_goes_on() {
    let now = Instant::now();
    let seconds = |up_s| {
        let mut snapshot = Snapshot::default();
        snapshot.bus.up_s = up_s;
        snapshot
    };
    let shown = |top: &Top| top.seen().map(|seen| seen.snapshot.bus.up_s);
    let mut top = Top::new(String::new());
    top.take(seconds(1), now);
    write(&mut top, "p");
    top.take(seconds(2), now + Duration::from_secs(1));
    assert_eq!((shown(&top), top.is_paused()), (Some(1), true));
    let age = top.seen().map(|seen| seen.age(now + Duration::from_secs(5)));
    assert_eq!(age, Some(Duration::from_secs(5)));
    write(&mut top, "p");
    assert_eq!((shown(&top), top.is_paused()), (Some(2), false));
}

#[test]
fn q_escape_and_control_c_end_it_and_escape_leaves_what_is_open_first() {
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for opened in ["", "?", "/"] {
        let mut top = Top::new(String::new());
        write(&mut top, opened);
        assert_eq!(top.press(control_c), ControlFlow::Break(()));
        if !opened.is_empty() {
            press(&mut top, &[KeyCode::Esc]);
        }
        assert_eq!(top.press(KeyEvent::from(KeyCode::Esc)), ControlFlow::Break(()));
        assert_eq!(top.press(KeyEvent::from(KeyCode::Char('q'))), ControlFlow::Break(()));
    }
    let mut top = Top::new(String::new());
    write(&mut top, "/q");
    assert_eq!(top.filter, "q");
}

#[test]
fn no_key_does_harm_in_any_state() {
    let mut random = fastrand::Rng::with_seed(2);
    let mut top = Top::new(String::new());
    let rows = [topic("a", 1)];
    for _ in 0..20_000 {
        let code = match random.u8(..12) {
            0 => KeyCode::Up,
            1 => KeyCode::Down,
            2 => KeyCode::PageDown,
            3 => KeyCode::PageUp,
            4 => KeyCode::End,
            5 => KeyCode::Esc,
            6 => KeyCode::Enter,
            7 => KeyCode::Backspace,
            8 => KeyCode::F(random.u8(1..12)),
            _ => KeyCode::Char(random.char(' '..'\u{7f}')),
        };
        let _ = top.press(KeyEvent::from(code));
        assert!(top.rows(&rows).len() <= 1);
    }
}
