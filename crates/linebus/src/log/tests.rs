//! Lines are one each, whatever is in them; what can't be written is counted and told.

use super::*;

/// What a client or a certificate might try to bring into the log.
const HOSTILE: &str = "al\x1b[31mice\r\n2026-11-25T00:00:00Z ERROR forged\u{9b}2J\u{202e}\u{7f}";

/// What waits in the queue after `events`, logged at any level.
fn logged(format: LogFormat, events: impl FnOnce()) -> Vec<String> {
    let (queue, messages) = Queue::new();
    let dispatch = dispatch(filter("trace").expect("it is a level"), format, queue);
    tracing::dispatcher::with_default(&dispatch, events);
    drop(dispatch);
    let lines = messages.try_iter().filter_map(|message| match message {
        Message::Line(line) => Some(String::from_utf8(line).expect("lines are text")),
        Message::Reopen | Message::End => None,
    });
    lines.collect()
}

fn hostile_events() {
    tracing::info!(user = %HOSTILE, "as it is shown");
    tracing::info!(address = ?HOSTILE, "as it is quoted");
    tracing::info!(pattern = HOSTILE, "as a text");
    tracing::info!(certified = Some(HOSTILE), "{HOSTILE}");
}

#[track_caller]
fn check_is_one_plain_line(line: &str) {
    let text = line.strip_suffix('\n').expect("it ends");
    assert!(!text.chars().any(is_steering), "{text:?}");
    assert!(text.contains("ice") && text.contains("forged"), "{text:?}");
}

#[test]
fn no_field_can_forge_a_line_or_colour_a_terminal() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let lines = logged(format, hostile_events);
        assert_eq!(lines.len(), 4);
        lines.iter().for_each(|line| check_is_one_plain_line(line));
    }
}

#[test]
fn json_is_an_object_per_event_with_its_fields_as_they_were() {
    let lines = logged(LogFormat::Json, hostile_events);
    let parse = |line: &String| serde_json::from_str(line).expect("it is JSON");
    let events: Vec<serde_json::Value> = lines.iter().map(parse).collect();
    assert_eq!(events[0]["user"], HOSTILE);
    assert_eq!(events[0]["message"], "as it is shown");
    assert_eq!(events[0]["level"], "INFO");
    assert!(events[0]["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(events[2]["pattern"], HOSTILE);
}

/// A disk with so much room.
#[derive(Clone)]
struct Disk {
    room_bytes: Arc<AtomicUsize>,
    written: Sender<Vec<u8>>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room_bytes.load(Ordering::Relaxed).min(bytes.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room_bytes.fetch_sub(room, Ordering::Relaxed);
        self.written.send(bytes[..room].to_vec()).expect("the test reads");
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer to a disk, and what was written there.
fn writer(room_bytes: usize) -> (Writer, Disk, Receiver<Vec<u8>>) {
    let (written, pieces) = mpsc::channel();
    let disk = Disk { room_bytes: Arc::new(room_bytes.into()), written };
    let writer = Writer {
        output: Box::new(disk.clone()),
        file: None,
        torn: false,
        waiting_bytes: Arc::new(1_000.into()),
        lost: Arc::default(),
        told: 0,
    };
    (writer, disk, pieces)
}

#[test]
fn what_a_full_disk_lost_is_told_once_there_is_room() {
    let (queue, _messages) = Queue::new();
    let dispatch = dispatch(filter("info").expect("it is a level"), LogFormat::Text, queue);
    let (mut writer, disk, pieces) = writer(8);
    OWN.set(Some(Vec::new()));
    tracing::dispatcher::with_default(&dispatch, || {
        for line in ["one\n", "two, which is torn\n", "three\n"] {
            writer.line(line.as_bytes());
        }
        assert_eq!(writer.lost.load(Ordering::Relaxed), 2);
        disk.room_bytes.store(1_000, Ordering::Relaxed);
        writer.line(b"four\n");
        writer.line(b"five\n");
    });
    let written = pieces.try_iter().flatten().collect();
    let written = String::from_utf8(written).expect("lines are text");
    let lines: Vec<_> = written.lines().collect();
    assert_eq!((lines.len(), &lines[..3], lines[4]), (5, &["one", "two,", "four"][..], "five"));
    assert!(lines[3].ends_with("lines of the log were lost lost=2"), "{}", lines[3]);
}

#[test]
fn what_the_queue_has_no_room_for_is_lost_and_counted() {
    let (queue, messages) = Queue::new();
    let line = vec![b'x'; QUEUED_BYTES_MAX / 4];
    (0..7).for_each(|_| queue.push(line.clone()));
    assert_eq!(messages.try_iter().count(), 4);
    assert_eq!(queue.lost().load(Ordering::Relaxed), 3);
}

#[test]
fn a_filter_that_is_none_is_explained() {
    let error = filter("linebus_server=loud").expect_err("there is no such level");
    assert!(
        error.to_string().starts_with("log = \"linebus_server=loud\": error, warn,"),
        "{error}"
    );
    assert!(filter("info,linebus_server=debug").is_ok());
}
