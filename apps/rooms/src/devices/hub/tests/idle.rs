//! Rooms that nobody uses.

use super::*;

/// Vienna is stopped after 90 minutes.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let idle = VIENNA.replace("start = [", "idle_stop_minutes = 90\nstart = [");
    write(bench.folder.path(), "vienna", &idle);
    assert_eq!(bench.wish("reload"), ["accepted", "done"]);
    bench.online("room-a", "projector");
    bench
}

/// What was said of rooms: those that are to be stopped, and those that are not.
fn rooms(lines: &[String]) -> Vec<(&str, bool)> {
    let rooms = lines.iter().filter_map(|line| line.strip_prefix("room "));
    rooms.map(|room| (room.split(' ').next().unwrap_or(room), room.contains(" stops="))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_room_that_nobody_uses_is_stopped_and_says_so_a_minute_before() {
    let mut bench = bench();
    assert_eq!(rooms(&bench.after(89 * 60 - 1).await), []);
    assert_eq!(rooms(&bench.after(1).await), [("room-a", true)]);
    assert_eq!(
        rooms(&bench.wish("give me room-a")),
        [("room-a", true)],
        "whoever comes hears of it"
    );
    assert_eq!(rooms(&bench.after(59).await), []);
    assert_eq!(bench.ordered("room-a", "projector"), None);
    assert_eq!(rooms(&bench.after(1).await), [("room-a", false)]);
    bench.accepts("room-a", "codec", "hangup");
    bench.accepts("room-a", "projector", "power off");
    assert_eq!(rooms(&bench.after(100 * 60).await), [], "it is stopped once");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_there_keeps_a_room_on() {
    for wish in ["stay room-a", "turn room-a projector on", "connect room-a room-b"] {
        let mut bench = bench();
        assert_eq!(rooms(&bench.after(89 * 60).await), [("room-a", true)]);
        assert!(rooms(&bench.wish(wish)).contains(&("room-a", false)), "{wish}");
        assert_eq!(rooms(&bench.after(88 * 60).await), [], "{wish}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_was_stopped_by_hand_is_not_stopped_again() {
    let mut bench = bench();
    bench.after(89 * 60).await;
    assert_eq!(rooms(&bench.wish("stop room-a")), [("room-a", false)]);
    assert_eq!(rooms(&bench.after(100 * 60).await), []);
}
