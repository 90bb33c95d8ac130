//! Tells the time to who asks: `cargo run --example clock [HOST PORT]`.

use std::time::SystemTime;

use linebus_client::{Event, blocking::Client};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let url = if arguments.is_empty() { "127.0.0.1".to_owned() } else { arguments.join(":") };
    let (bus, events) = Client::builder(&url)?.reconnect(false).connect_blocking()?;
    bus.recv("clock")?;
    for event in events {
        if matches!(event, Event::Message(message) if message.text == "time?") {
            let now = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
            let (hour, minute, second) = (now / 3600 % 24, now / 60 % 60, now % 60);
            bus.send("clock", &format!("{hour:02}:{minute:02}:{second:02}"))?;
        }
    }
    Ok(())
}
