//! A projector that says when bytes reach it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use anyhow::Context;

/// Plays it at a port of this machine; says when each `blank` came in.
pub(crate) fn play(port: u16) -> anyhow::Result<Receiver<Instant>> {
    let listener =
        TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("port {port}"))?;
    let (sender, blanked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // It comes again, if it is wanted.
            let _ = serve(stream, &sender);
        }
    });
    Ok(blanked)
}

fn serve(mut stream: TcpStream, blanked: &Sender<Instant>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"PJLINK 0\r")?;
    let mut mute = "30".to_owned();
    let reader = BufReader::new(stream.try_clone()?);
    for line in reader.split(b'\r') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        let answer = match line.split_at_checked(7) {
            Some(("%1POWR ", "?")) => "%1POWR=1\r".to_owned(),
            Some(("%1AVMT ", "?")) => format!("%1AVMT={mute}\r"),
            Some(("%1AVMT ", to)) => {
                // Nobody may be waiting any more.
                let _ = blanked.send(Instant::now());
                to.clone_into(&mut mute);
                "%1AVMT=OK\r".to_owned()
            }
            Some((query, _)) => format!("{}=ERR1\r", &query[..6]),
            None => continue,
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}
