//! A snapshot for scripts: exact numbers in columns of text, or one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::print::escape;
use crate::top::stats::{ClientRow, Snapshot, TopicRow, Traffic};

const TOPIC_HEADS: [&str; 4] = ["TOPIC", "RECEIVERS", "LINES/S", "BYTES/S"];
const CLIENT_HEADS: [&str; 10] =
    ["NR", "USER", "ADDRESS", "SINCE_S", "IN/S", "IN_B/S", "OUT/S", "OUT_B/S", "OUTBOX_B", "SLOW"];

/// Three parts with an empty line between them: the bus as names and numbers, the topics and the
/// clients as tables with headings, the busiest first.
pub(super) fn print(out: &mut impl Write, bus: &str, snapshot: &Snapshot) -> io::Result<()> {
    let Snapshot { bus: row, clients, topics, more_clients, more_topics, .. } = snapshot;
    let Traffic { in_lines, in_bytes, out_lines, out_bytes } = row.traffic;
    writeln!(out, "bus {}", escape(bus))?;
    for (name, number) in [
        ("up_s", row.up_s),
        ("sessions", row.clients),
        ("in_lines_per_s", in_lines),
        ("in_bytes_per_s", in_bytes),
        ("out_lines_per_s", out_lines),
        ("out_bytes_per_s", out_bytes),
        ("queued_bytes", row.queued_bytes),
        ("budget_bytes", row.budget_bytes),
        ("more_topics", *more_topics),
        ("more_clients", *more_clients),
    ] {
        writeln!(out, "{name} {number}")?;
    }
    writeln!(out)?;
    table(out, TOPIC_HEADS, topics.iter().map(topic_cells).collect())?;
    writeln!(out)?;
    table(out, CLIENT_HEADS, clients.iter().map(client_cells).collect())
}

fn topic_cells(row: &TopicRow) -> [String; 4] {
    let numbers = [row.receivers, row.lines, row.bytes].map(|number| number.to_string());
    let [receivers, lines, bytes] = numbers;
    [escape(&row.topic), receivers, lines, bytes]
}

fn client_cells(row: &ClientRow) -> [String; 10] {
    let ClientRow { id, user, address, up_s, traffic, queued_bytes, slow } = row;
    let Traffic { in_lines, in_bytes, out_lines, out_bytes } = traffic;
    let numbers = [id, up_s, in_lines, in_bytes, out_lines, out_bytes, queued_bytes];
    let [id, up_s, in_lines, in_bytes, out_lines, out_bytes, queued] = numbers.map(u64::to_string);
    let slow = if *slow { "yes" } else { "no" }.to_owned();
    let (user, address) = (escape(user), escape(address));
    [id, user, address, up_s, in_lines, in_bytes, out_lines, out_bytes, queued, slow]
}

fn table<const N: usize>(
    out: &mut impl Write,
    heads: [&str; N],
    mut rows: Vec<[String; N]>,
) -> io::Result<()> {
    rows.insert(0, heads.map(str::to_owned));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// One object in one line.
pub(super) fn print_json(out: &mut impl Write, bus: &str, snapshot: &Snapshot) -> io::Result<()> {
    writeln!(out, "{}", object(bus, snapshot))?;
    out.flush()
}

fn object(bus: &str, snapshot: &Snapshot) -> Value {
    let with_traffic = |mut object: Value, traffic: &Traffic| {
        object["in_lines_per_s"] = traffic.in_lines.into();
        object["in_bytes_per_s"] = traffic.in_bytes.into();
        object["out_lines_per_s"] = traffic.out_lines.into();
        object["out_bytes_per_s"] = traffic.out_bytes.into();
        object
    };
    let clients = snapshot.clients.iter().map(|row| {
        let object = json!({
            "id": row.id,
            "user": row.user,
            "address": row.address,
            "up_s": row.up_s,
            "queued_bytes": row.queued_bytes,
            "slow": row.slow,
        });
        with_traffic(object, &row.traffic)
    });
    let topics = snapshot.topics.iter().map(|row| {
        json!({
            "topic": row.topic,
            "receivers": row.receivers,
            "lines_per_s": row.lines,
            "bytes_per_s": row.bytes,
        })
    });
    let row = &snapshot.bus;
    let object = json!({
        "bus": bus,
        "up_s": row.up_s,
        "sessions": row.clients,
        "queued_bytes": row.queued_bytes,
        "budget_bytes": row.budget_bytes,
        "topics": topics.collect::<Vec<_>>(),
        "more_topics": snapshot.more_topics,
        "clients": clients.collect::<Vec<_>>(),
        "more_clients": snapshot.more_clients,
    });
    with_traffic(object, &row.traffic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::stats::BusRow;

    fn snapshot() -> Snapshot {
        let traffic = Traffic { in_lines: 1, in_bytes: 23, out_lines: 456, out_bytes: 7890 };
        let client = ClientRow {
            id: 12,
            user: "al\u{1b}ice".to_owned(),
            address: "unix".to_owned(),
            up_s: 5,
            traffic,
            queued_bytes: 99,
            slow: true,
        };
        let topic = TopicRow { topic: "rooms.vienna".to_owned(), receivers: 1, lines: 2, bytes: 3 };
        let bus = BusRow { up_s: 9, clients: 1, traffic, queued_bytes: 4, budget_bytes: 5 };
        let (clients, topics) = (vec![client], vec![topic]);
        Snapshot { bus, clients, topics, more_clients: 0, more_topics: 6, garbled: 0 }
    }

    #[test]
    fn text_is_exact_aligned_and_without_control_characters() {
        let mut out = Vec::new();
        print(&mut out, "127.0.0.1:5463", &snapshot()).expect("memory takes it");
        let expected = "\
bus 127.0.0.1:5463
up_s 9
sessions 1
in_lines_per_s 1
in_bytes_per_s 23
out_lines_per_s 456
out_bytes_per_s 7890
queued_bytes 4
budget_bytes 5
more_topics 6
more_clients 0

TOPIC         RECEIVERS  LINES/S  BYTES/S
rooms.vienna  1          2        3

NR  USER         ADDRESS  SINCE_S  IN/S  IN_B/S  OUT/S  OUT_B/S  OUTBOX_B  SLOW
12  al\\u{1b}ice  unix     5        1     23      456    7890     99        yes
";
        assert_eq!(String::from_utf8(out).as_deref(), Ok(expected));
    }

    #[test]
    fn json_is_one_object_in_one_line() {
        let mut out = Vec::new();
        print_json(&mut out, "unix:/run/bus", &snapshot()).expect("memory takes it");
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        let object: Value = serde_json::from_slice(&out).expect("it is JSON");
        assert_eq!(object["bus"], "unix:/run/bus");
        assert_eq!(object["out_lines_per_s"], 456);
        assert_eq!(object["clients"][0]["user"], "al\u{1b}ice");
        assert_eq!(object["topics"][0]["lines_per_s"], 2);
    }
}
