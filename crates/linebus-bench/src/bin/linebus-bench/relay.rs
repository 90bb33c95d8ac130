//! The blind relay: the least that a server between senders and receivers can do.
//!
//! It reads what a sender writes and writes it to every receiver of the sender's group. No topics, no checks, no
//! queues: when a receiver's socket is full, the sender waits. What it costs is what the sockets cost, and so the floor
//! for anything that does more. It uses the runtime and the read size that linebus uses, on one thread.
//!
//! It looks for one byte: a read is cut behind its last line feed and the rest waits for the next read, because with
//! several senders, lines would be torn apart otherwise and deliveries could not be compared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::{LocalSet, spawn_local};

/// As linebus reads.
const READ_BYTES: usize = 128 << 10;

/// Receivers by group. The lock is a turn: one read is copied to all receivers before another sender's.
type Group = Rc<Mutex<Vec<TcpStream>>>;
type Groups = Rc<RefCell<HashMap<String, Group>>>;

/// Serves on a free loopback port until killed; prints `listening tcp ADDR` and `ready` as linebus does.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
        println!("listening tcp {}\nready", listener.local_addr()?);
        io::stdout().flush()?;
        let groups = Groups::default();
        loop {
            let (stream, _) = listener.accept().await.context("cannot accept")?;
            let groups = Rc::clone(&groups);
            spawn_local(async move {
                if let Err(e) = connection(stream, &groups).await {
                    eprintln!("{e:#}");
                }
            });
        }
    })
}

/// The first line, `sender GROUP` or `receiver GROUP`, says what it is for.
async fn connection(stream: TcpStream, groups: &Groups) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(64, stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let (role, group) = line.trim_end().split_once(' ').context("the first line names no group")?;
    let group = Rc::clone(groups.borrow_mut().entry(group.to_owned()).or_default());
    // The other side says nothing more before it gets its answer, so nothing is left in the reader.
    let stream = stream.into_inner();
    match role {
        "receiver" => {
            let mut receivers = group.lock().await;
            write_all(&stream, b"ok\n").await?;
            receivers.push(stream);
            Ok(())
        }
        "sender" => {
            write_all(&stream, b"ok\n").await?;
            copy(&stream, &group).await
        }
        other => bail!("the first line says {other:?}, neither sender nor receiver"),
    }
}

async fn copy(sender: &TcpStream, group: &Group) -> Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    let mut held = 0;
    loop {
        sender.readable().await?;
        let read = match sender.try_read(&mut buffer[held..]) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
            Err(e) => return Err(e.into()),
        };
        let end = held + read;
        let whole = match memchr::memrchr(b'\n', &buffer[..end]) {
            Some(last) => last + 1,
            None if end == buffer.len() => bail!("a line longer than the read buffer"),
            None => 0,
        };
        if whole > 0 {
            for receiver in group.lock().await.iter() {
                write_all(receiver, &buffer[..whole]).await?;
            }
        }
        buffer.copy_within(whole..end, 0);
        held = end - whole;
    }
}

/// Writes at once what the socket takes and waits only when it is full.
async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
