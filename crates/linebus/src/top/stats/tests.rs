//! Whole snapshots, halves of them, and what no bus says.

use super::*;

const LINES: [&str; 5] = [
    "bus ms=2000 up_s=7 clients=2 in_lines=6 in_bytes=76 out_lines=8 out_bytes=245 queued=5 budget=1000",
    "client 2 ear 127.0.0.1:5 in_lines=0 in_bytes=0 out_lines=7 out_bytes=194 queued=9 behind=yes up_s=3",
    "client 3 guest unix in_lines=6 in_bytes=76 out_lines=1 out_bytes=51 queued=0 behind=no up_s=2",
    "topic rooms.vienna receivers=1 lines=3 bytes=37",
    "end more_clients=4 more_topics=5",
];

fn read(reader: &mut Reader, lines: &[&str]) -> Vec<Snapshot> {
    lines.iter().filter_map(|line| reader.take(line)).collect()
}

#[test]
fn a_snapshot_is_all_from_bus_to_end_and_its_rates_are_per_second() {
    let snapshots = read(&mut Reader::default(), &LINES);
    let [snapshot] = snapshots.as_slice() else { panic!("one: {snapshots:?}") };
    let traffic = Traffic { in_lines: 3, in_bytes: 38, out_lines: 4, out_bytes: 123 };
    let bus = BusRow { up_s: 7, clients: 2, traffic, queued_bytes: 5, budget_bytes: 1000 };
    assert_eq!(snapshot.bus, bus);
    assert_eq!(snapshot.clients.len(), 2);
    let traffic = Traffic { in_lines: 0, in_bytes: 0, out_lines: 4, out_bytes: 97 };
    let ear = ClientRow {
        id: 2,
        user: "ear".to_owned(),
        address: "127.0.0.1:5".to_owned(),
        up_s: 3,
        traffic,
        queued_bytes: 9,
        slow: true,
    };
    assert_eq!(snapshot.clients[0], ear);
    assert!(!snapshot.clients[1].slow && snapshot.clients[1].address == "unix");
    let topic = "rooms.vienna".to_owned();
    assert_eq!(snapshot.topics, [TopicRow { topic, receivers: 1, lines: 2, bytes: 19 }]);
    assert_eq!((snapshot.more_clients, snapshot.more_topics, snapshot.garbled), (4, 5, 0));
}

#[test]
fn what_lacks_its_beginning_or_its_end_is_no_snapshot() {
    let mut reader = Reader::default();
    assert_eq!(read(&mut reader, &LINES[1..]), [], "no beginning");
    assert_eq!(read(&mut reader, &LINES[..3]), [], "no end yet");
    let again = read(&mut reader, &LINES);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].clients.len(), 2, "the half before is forgotten");
    assert_eq!(read(&mut reader, &LINES[..3]), []);
    reader.reset();
    assert_eq!(read(&mut reader, &LINES[3..]), [], "the beginning was forgotten");
}

#[test]
fn garbage_costs_its_own_line_and_is_counted() {
    let mut reader = Reader::default();
    let mut lines = LINES.to_vec();
    lines.splice(
        1..1,
        [
            "",
            "client",
            "client x y z",
            "client 5 a b in_lines=-1 in_bytes=0 out_lines=0 out_bytes=0 queued=0 behind=no up_s=0",
            "client 18446744073709551616 a b in_lines=1",
            "topic t receivers=1 lines=many bytes=2",
            "topic",
            "weather sunny=yes",
            "= == ===",
        ],
    );
    let snapshots = read(&mut reader, &lines);
    assert_eq!(snapshots.len(), 1);
    assert_eq!((snapshots[0].clients.len(), snapshots[0].topics.len()), (2, 1));
    assert_eq!(snapshots[0].garbled, 6, "lines of unknown kinds are of a later version");
    for bus in ["bus", "bus ms=1", "bus ms=x up_s=1", "bus clients=3"] {
        lines[0] = bus;
        assert_eq!(read(&mut reader, &lines), [], "{bus}");
    }
}

#[test]
fn any_part_of_a_line_and_any_byte_changed_is_survived() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut reader = Reader::default();
    for _ in 0..20_000 {
        let mut line: Vec<char> = LINES[random.usize(..LINES.len())].chars().collect();
        line.truncate(random.usize(..=line.len()));
        for _ in 0..random.usize(..3) {
            if let Some(at) = line.len().checked_sub(1) {
                line[random.usize(..=at)] = random.char('\0'..='\u{ff}');
            }
        }
        reader.take(&line.into_iter().collect::<String>());
    }
}

#[test]
fn numbers_at_their_ends_do_not_overflow() {
    let most = u64::MAX;
    let bus = format!(
        "bus ms=0 up_s={most} clients={most} in_lines={most} in_bytes={most} out_lines=1 \
         out_bytes={most} queued={most} budget=0 later={most}"
    );
    let snapshots = read(&mut Reader::default(), &[&bus, "end"]);
    assert_eq!(snapshots[0].bus.traffic.in_lines, most);
    assert_eq!(snapshots[0].bus.traffic.out_lines, 1000);
}

#[test]
fn a_flood_of_rows_does_not_fill_the_memory() {
    let mut reader = Reader::default();
    reader.take(LINES[0]);
    for _ in 0..ROWS_MAX + 10 {
        reader.take("topic t receivers=1 lines=1 bytes=2");
    }
    assert_eq!(reader.take("end").map(|snapshot| snapshot.topics.len()), Some(ROWS_MAX));
}
