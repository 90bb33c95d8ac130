//! The protocols from both sides: what is read is written so that it is read the same again.

use std::fmt::{Debug, Display};

use crate::lines::Lines;
use crate::text::TextDevice;
use crate::{cisco, extron, itach, lumens, lutron, pjlink, polycom, visca};

/// Reads these bytes as both sides of this driver's protocol would.
pub(super) fn check(name: &str, data: &[u8]) {
    let lines = Lines::new(b"\r\n").push(data);
    match name {
        "pjlink" => {
            lines.iter().for_each(|line| {
                again(line, pjlink::wire::Greeting::parse);
                again(line, pjlink::wire::Request::parse);
                again(line, pjlink::wire::Reply::parse);
            });
        }
        "visca-serial" | "visca-ip" => {
            for frame in visca::wire::Frames::default().push(data) {
                if let Some((address @ 1..=7, request)) = visca::wire::Request::parse(&frame) {
                    let written = request.encode(address);
                    let read = visca::wire::Request::parse(&written).map(|(_, request)| request);
                    assert_eq!(read, Some(request));
                }
                if let Some((address @ 1..=7, reply)) = visca::wire::Reply::parse(&frame) {
                    let read = visca::wire::Reply::parse(&reply.encode(address));
                    assert_eq!(read, Some((address, reply)));
                }
            }
            for packet in visca::wire::Packets::default().push(data) {
                assert_eq!(visca::wire::Packets::default().push(&packet.encode()), [packet]);
            }
        }
        "lumens-dc" => {
            for frame in lumens::wire::Frames::default().push(data) {
                assert_eq!(lumens::wire::Frames::default().push(&frame.encode()), [frame]);
            }
        }
        "polycom-group" => {
            for line in &lines {
                let line = polycom::wire::Line::parse(line);
                drop(polycom::wire::Line::parse(&line.to_string()));
            }
        }
        "cisco-xapi" => {
            for line in &lines {
                drop(cisco::wire::Line::parse(line));
                drop(cisco::wire::Request::parse(line));
            }
        }
        "lutron" => lines.iter().for_each(|line| again(line, lutron::wire::Line::parse)),
        "itach-relay" | "itach-serial" => {
            lines.iter().for_each(|line| again(line, itach::wire::Request::parse));
            lines.iter().for_each(|line| drop(itach::wire::Reply::parse(line)));
        }
        "extron-sis" => {
            let mut bytes = data.to_vec();
            while let Some(request) = extron::wire::Request::take(&mut bytes) {
                let Some(request) = request else { continue };
                let mut written = request.to_string().into_bytes();
                assert_eq!(extron::wire::Request::take(&mut written), Some(Some(request)));
                assert!(written.is_empty(), "{written:?} is left");
            }
            lines.iter().for_each(|line| drop(extron::wire::Reply::parse(line)));
        }
        _ => {
            let text = String::from_utf8_lossy(data);
            if let Err(errors) = TextDevice::parse(&text) {
                assert!(errors.iter().all(|error| error.line <= text.split('\n').count()));
            }
        }
    }
}

/// What is read, written and read again, is the same.
fn again<T: Debug + Display + PartialEq>(line: &str, parse: impl Fn(&str) -> Option<T>) {
    if let Some(read) = parse(line) {
        let written = read.to_string();
        let once_more = parse(written.trim_end_matches(['\r', '\n']));
        assert_eq!(once_more.as_ref(), Some(&read), "{line:?} became {written:?}");
    }
}
