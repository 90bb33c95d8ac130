//! The protocols from the devices' side, as whoever plays a device uses them: what drivers send is
//! read, and the manuals' own frames are written.

use rooms_drivers::visca::wire::{Packet, PacketKind, Reply as ViscaReply, Request as Visca};
use rooms_drivers::{CallState, Direction, EndReason};
use rooms_drivers::{cisco, extron, itach, lumens, lutron, pjlink, polycom};

#[test]
fn a_projector_reads_requests_with_and_without_a_login() {
    use pjlink::wire::{Answer, Greeting, Reply, Request, md5_login};
    let login = md5_login("498e4a67", "JBMIAProjectorLink");
    assert_eq!(login, "5d8409bc1c3fa39749434aa3a5c38682");
    let request = Request::parse(&format!("{login}%1POWR 1")).expect("a request");
    assert_eq!(
        (request.login, request.command.as_str(), request.argument.as_str()),
        (login, "POWR", "1")
    );
    assert_eq!(Request::parse("%2INNM ?31").expect("a request").argument, "?31");
    let reply = Reply { class: '1', command: "POWR".into(), answer: Answer::Unavailable };
    assert_eq!(reply.to_string(), "%1POWR=ERR3\r");
    assert_eq!(Greeting::Md5("498e4a67".into()).to_string(), "PJLINK 1 498e4a67\r");
    assert_eq!(Greeting::Refused.to_string(), "PJLINK ERRA\r");
}

#[test]
fn a_camera_reads_sonys_frames() {
    for (frame, request) in [
        (&b"\x81\x01\x04\x00\x02\xFF"[..], Visca::Power(true)),
        (b"\x81\x01\x04\x07\x23\xFF", Visca::ZoomTele(3)),
        (b"\x81\x01\x04\x07\x35\xFF", Visca::ZoomWide(5)),
        (b"\x81\x01\x04\x47\x01\x02\x03\x04\xFF", Visca::ZoomDirect(0x1234)),
        (b"\x81\x01\x06\x01\x18\x01\x01\x03\xFF", Visca::Drive { pan: -0x18, tilt: 0 }),
        (b"\x81\x01\x06\x01\x01\x14\x03\x01\xFF", Visca::Drive { pan: 0, tilt: 0x14 }),
        (b"\x81\x01\x04\x3F\x02\x05\xFF", Visca::PresetRecall(5)),
        (b"\x81\x22\xFF", Visca::Cancel(2)),
        (b"\x81\x09\x06\x12\xFF", Visca::PositionInquiry),
    ] {
        assert_eq!(Visca::parse(frame), Some((1, request.clone())));
        assert_eq!(request.encode(1), frame);
    }
    assert_eq!(Visca::parse(b"\x88\x30\x01\xFF"), Some((8, Visca::AddressSet)));
    assert_eq!(ViscaReply::Ack(1).encode(1), b"\x90\x41\xFF");
    assert_eq!(ViscaReply::NotExecutable(1).encode(2), b"\xA0\x61\x41\xFF");
    let home = Packet { kind: PacketKind::Command, sequence: 2, payload: Visca::Home.encode(1) };
    assert_eq!(home.encode(), b"\x01\x00\x00\x05\x00\x00\x00\x02\x81\x01\x06\x04\xFF");
}

#[test]
fn a_document_camera_reads_and_writes_the_same_six_bytes() {
    use lumens::wire::{Frame, Frames, command};
    let frames = Frames::default().push(b"noise\xA0\xB0\x01\x00\x00\xAF\xA0\x60");
    assert_eq!(frames, [Frame::new(command::POWER, 1)]);
    assert_eq!(Frame { status: 2, ..frames[0] }.encode(), b"\xA0\xB0\x01\x00\x02\xAF");
}

#[test]
fn a_polycom_codec_writes_calls_that_its_driver_reads() {
    use polycom::wire::{CallStatus, Line, end_reason};
    let call = CallStatus {
        id: 45,
        direction: Direction::Incoming,
        name: "Lisbon".into(),
        number: "sip:lisbon@example.net".into(),
        state: Some(CallState::Connected),
        word: "connected".into(),
        cause: 0,
    };
    for line in [Line::CallStatus(call.clone()), Line::CallInfo(call)] {
        assert_eq!(Line::parse(&line.to_string()), line);
    }
    assert_eq!(
        [16, 17, 19, 21].map(end_reason),
        [EndReason::Normal, EndReason::Busy, EndReason::NoAnswer, EndReason::Rejected]
    );
}

#[test]
fn a_cisco_codec_reads_commands_with_their_numbers() {
    let request = cisco::wire::Request::parse(
        "xCommand Dial Number: lisbon@example.net Protocol: Sip | resultId=\"17\"",
    );
    assert_eq!(request.path, ["xCommand", "Dial"]);
    assert_eq!(request.arguments[0], ("Number".into(), "lisbon@example.net".into()));
    assert_eq!(request.result_id.as_deref(), Some("17"));
    let causes = ["RemoteBusy", "RemoteNoAnswer", "UnknownRemoteSite", "?"];
    assert_eq!(
        causes.map(cisco::wire::end_reason),
        [EndReason::Busy, EndReason::NoAnswer, EndReason::Unreachable, EndReason::Unknown]
    );
}

#[test]
fn lights_relays_and_switchers_read_what_their_drivers_send() {
    let line = lutron::wire::Line::parse("GNET> #OUTPUT,2,1,75,00:04").expect("an order");
    assert_eq!((line.sign, line.percent(2)), ('#', Some(75)));
    assert_eq!(
        lutron::wire::Line::new('~', "OUTPUT", &[2, 1, 75]).to_string(),
        "~OUTPUT,2,1,75\r\n"
    );

    let port = itach::wire::Port { module: 1, port: 2 };
    let request = itach::wire::Request::parse("setstate,1:2,1");
    assert_eq!(request, Some(itach::wire::Request::SetState(port, true)));
    assert_eq!(itach::wire::Reply::State(port, true).to_string(), "state,1:2,1\r");
    let errors = ["ERR_1:1,014", "unknowncommand 3", "ERR RO002"];
    let codes = errors.map(|line| itach::wire::Reply::parse(line).expect("an error"));
    assert_eq!(codes, [14, 3, 2].map(itach::wire::Reply::Error));

    use extron::wire::{Reply, Request};
    let mut bytes = b"1*2!50V\x1b3CV\rx?1".to_vec();
    let mut read = Vec::new();
    while let Some(request) = Request::take(&mut bytes) {
        read.push(request);
    }
    assert_eq!(
        read,
        [
            Some(Request::Tie { input: 1, output: Some(2) }),
            Some(Request::Volume(50)),
            Some(Request::Verbose(3)),
            None,
            None
        ]
    );
    assert_eq!(bytes, b"1", "a command that is not whole yet");
    assert_eq!(Reply::Input { input: 1, output: Some(2) }.to_string(), "Out2 In1 All\r\n");
    assert_eq!(Reply::Error(10).to_string(), "E10\r\n");
}
