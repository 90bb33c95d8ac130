//! Compressed files of a record, which can be entered in the middle.
//!
//! They are plain zstd (RFC 8878), for `zstdcat` and `zstdgrep`: a frame per MiB or so of whole
//! lines, a skippable frame that says when the first and the last line were sent, and the seek table
//! of zstd's own seekable format (facebook/zstd, contrib/seekable_format): how long each frame is.
//! zstd files without the last two are read from their beginning.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use memchr::memrchr;
use rustix::fs::Mode;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::reader::times_of;
use crate::template::COMPRESSED;
use crate::time::Time;

/// So much text is compressed on its own.
const FRAME_BYTES: usize = 1 << 20;
/// zstd's own default.
const LEVEL: i32 = 3;
/// Frames of more text than this are not ours, and not believed: the longest line that a bus can
/// be told to take has 16 MiB.
const FRAME_TEXT_MAX: u32 = 64 << 20;

const SKIPPABLE: u32 = 0x184D_2A50;
const SEEK_TABLE: u32 = 0x184D_2A5E;
const SEEKABLE: u32 = 0x8F92_EAB1;
const FOOTER_BYTES: usize = 9;
const HEADER_BYTES: usize = 8;
/// What stands in the skippable frame before both times.
const TIMES: &[u8] = b"linebus record ";
const TIMES_BYTES: usize = HEADER_BYTES + TIMES.len() + 2 * Time::BYTES + 1;

/// Compresses a complete file: `bus.log` becomes `bus.log.zst`, with the same times and rights.
/// Whenever it is interrupted, one of the two is whole.
///
/// # Errors
/// What the system says; then the file is as it was.
pub fn compress_file(path: &Path) -> io::Result<()> {
    let mut from = File::open(path)?;
    let unfinished = unfinished(path);
    let mut into =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    let done = compress(&mut from, &mut into).and_then(|()| {
        let about = from.metadata()?;
        let rights = Mode::from_raw_mode(std::os::unix::fs::MetadataExt::mode(&about));
        rustix::fs::fchmod(&into, rights)?;
        into.set_modified(about.modified()?)?;
        into.sync_all()?;
        fs::rename(&unfinished, finished(path))
    });
    if done.is_err() {
        // It may not be there.
        let _ = fs::remove_file(&unfinished);
        return done;
    }
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    fs::remove_file(path)
}

/// Where a file's compressed form lies.
#[must_use]
pub fn finished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(COMPRESSED);
    name.into()
}

/// Where it lies while it is made: hidden, so that nobody takes it for a whole one.
fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{COMPRESSED}"))
}

/// Whether a file is one that was being made of another one whose name fits.
pub(crate) fn is_unfinished(path: &Path, fits: impl Fn(&str) -> bool) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let inner = name.and_then(|name| name.strip_prefix('.')?.strip_suffix(COMPRESSED));
    inner.is_some_and(fits)
}

fn compress(from: &mut (impl Read + Seek), into: &mut impl Write) -> io::Result<()> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let mut table = Vec::new();
    let mut text = Vec::new();
    loop {
        let read = from.take(FRAME_BYTES as u64).read_to_end(&mut text)?;
        let whole = memrchr(b'\n', &text).map_or(0, |at| at + 1);
        let end = if read == 0 { text.len() } else { whole };
        if end > 0 {
            let frame = compressor.compress(&text[..end])?;
            into.write_all(&frame)?;
            for len in [frame.len(), end] {
                let len = u32::try_from(len).map_err(io::Error::other)?;
                table.extend_from_slice(&len.to_le_bytes());
            }
            text.drain(..end);
        }
        if read == 0 {
            break;
        }
    }
    from.rewind()?;
    if let Some((first, last)) = times_of(from)? {
        into.write_all(&times_frame(first, last))?;
    }
    into.write_all(&seek_table(&table)?)
}

fn times_frame(first: Time, last: Time) -> Vec<u8> {
    let text = [TIMES, first.as_str().as_bytes(), b" ", last.as_str().as_bytes()].concat();
    [&SKIPPABLE.to_le_bytes(), &(text.len() as u32).to_le_bytes(), text.as_slice()].concat()
}

/// The entries, in zstd's seekable format.
fn seek_table(entries: &[u8]) -> io::Result<Vec<u8>> {
    let len = u32::try_from(entries.len() + FOOTER_BYTES).map_err(io::Error::other)?;
    let count = (entries.len() / HEADER_BYTES) as u32;
    let mut table = [SEEK_TABLE.to_le_bytes(), len.to_le_bytes()].concat();
    table.extend_from_slice(entries);
    table.extend_from_slice(&count.to_le_bytes());
    table.push(0); // no checksums in the table: frames have their own
    table.extend_from_slice(&SEEKABLE.to_le_bytes());
    Ok(table)
}

/// What the end of a compressed file says about all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) frames: Vec<Frame>,
    /// When the first and the last line were sent.
    pub(crate) times: Option<(Time, Time)>,
}

/// A part of a compressed file that stands on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it begins in the file, and how long it is.
    at: u64,
    len: u32,
    /// Where its text begins in the whole text, and how long that is.
    pub(crate) text_at: u64,
    text_len: u32,
}

impl Table {
    /// Reads a file's table; none if it has none, or one that can't be right.
    pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let len = file.seek(SeekFrom::End(0))?;
        let Some(footer) = read_before(file, len, FOOTER_BYTES)? else { return Ok(None) };
        let count = number(&footer) as usize;
        if footer[4] != 0 || number(&footer[5..]) != SEEKABLE {
            return Ok(None);
        }
        let table_len = HEADER_BYTES + count * HEADER_BYTES + FOOTER_BYTES;
        let Some(table) = read_before(file, len, table_len)? else { return Ok(None) };
        if number(&table) != SEEK_TABLE || number(&table[4..]) as usize != table_len - HEADER_BYTES
        {
            return Ok(None);
        }
        let (mut at, mut text_at) = (0, 0);
        let mut frames = Vec::with_capacity(count);
        for entry in table[HEADER_BYTES..table_len - FOOTER_BYTES].chunks_exact(HEADER_BYTES) {
            let (len, text_len) = (number(entry), number(&entry[4..]));
            frames.push(Frame { at, len, text_at, text_len });
            at += u64::from(len);
            text_at += u64::from(text_len);
        }
        let before_table = len - table_len as u64;
        if at > before_table || frames.iter().any(|frame| frame.text_len > FRAME_TEXT_MAX) {
            return Ok(None);
        }
        let times = read_before(file, before_table, TIMES_BYTES)?.and_then(|frame| times(&frame));
        Ok(Some(Self { frames, times }))
    }
}

impl Frame {
    /// Its text.
    ///
    /// # Errors
    /// When it is damaged.
    pub(crate) fn text(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.at))?;
        let mut frame = vec![0; self.len as usize];
        file.read_exact(&mut frame)?;
        Decompressor::new()?.decompress(&frame, self.text_len as usize)
    }
}

/// The text of a file without a table, from its beginning.
pub(crate) fn stream<R: Read>(file: R) -> io::Result<impl Read + use<R>> {
    zstd::Decoder::with_buffer(BufReader::with_capacity(16 << 10, file))
}

/// The `len` bytes before `end`; none if there are not so many.
fn read_before(file: &mut (impl Read + Seek), end: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
    let Some(start) = end.checked_sub(len as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; len];
    file.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn times(frame: &[u8]) -> Option<(Time, Time)> {
    if number(frame) != SKIPPABLE || number(&frame[4..]) as usize != TIMES_BYTES - HEADER_BYTES {
        return None;
    }
    let times = frame[HEADER_BYTES..].strip_prefix(TIMES)?;
    Some((Time::parse(times)?, Time::parse(times.get(Time::BYTES + 1..)?)?))
}

/// Four bytes, the lowest first.
fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(
        *bytes.first_chunk().expect("a number is looked for where there are four bytes"),
    )
}

#[cfg(test)]
mod tests;
