//! A session with a scripted device over TCP: when it connects, what it sends, what it says. Time is
//! paused and goes on by itself where everybody waits.

use rooms_drivers::{DriverInfo, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use toml::Table;

use super::*;

/// A projector with one session before it.
struct Bench {
    listener: TcpListener,
    orders: mpsc::Sender<Order>,
    news: mpsc::Receiver<(SessionId, News)>,
    frames: mpsc::Receiver<rooms_messages::Frame>,
}

impl Bench {
    async fn start(settings: &str) -> Bench {
        let settings: Table = settings.parse().expect("they are TOML");
        Bench::with(rooms_drivers::build("pjlink", &settings).expect("they are right")).await
    }

    async fn with(driver: Box<dyn Driver>) -> Bench {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port };
        let (orders, receiver) = mpsc::channel(8);
        let (sender, news) = mpsc::channel(64);
        let of = ("room-a", "projector");
        let of = (of.0.parse().expect("it is one"), of.1.parse().expect("it is one"));
        let (frame_sender, frames) = mpsc::channel(256);
        Session::start(SessionId(1), of, address, driver, receiver, sender, frame_sender);
        Bench { listener, orders, news, frames }
    }

    async fn accept(&self) -> Device {
        Device(self.listener.accept().await.expect("it connects").0)
    }

    async fn order(&self, command: &str, ticket: u64) {
        let command = command.parse().expect("it is one");
        self.orders.send(Order::Command(command, Ticket(ticket))).await.expect("it lives");
    }

    /// The next news that is not of this sort.
    async fn next(&mut self) -> String {
        let (_, news) = self.news.recv().await.expect("the session lives");
        match news {
            News::Opened => "opened".to_owned(),
            News::Online => "online".to_owned(),
            News::Offline(reason, _) => format!("offline {reason}"),
            News::State(key, value) => format!("{key}={value}"),
            News::Answer(ticket, Ok(())) => format!("{} done", ticket.0),
            News::Answer(ticket, Err(refusal)) => format!("{} {}", ticket.0, refusal.reason.word()),
            News::Call(fact) => fact.to_string(),
        }
    }

    /// Passes over news until this one comes.
    async fn until(&mut self, wanted: &str) {
        while self.next().await != wanted {}
    }
}

struct Device(TcpStream);

impl Device {
    async fn says(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it is connected");
    }

    /// The next line.
    async fn hears(&mut self) -> String {
        let mut line = Vec::new();
        loop {
            let byte = self.0.read_u8().await.expect("it is connected");
            line.push(byte);
            if byte == b'\r' {
                return String::from_utf8(line).expect("it is text");
            }
        }
    }

    /// Answers queries with what a projector in standby says, until something else comes.
    async fn answers(&mut self) -> String {
        loop {
            let line = self.hears().await;
            let answer = match line.trim_end() {
                "%1POWR ?" => "%1POWR=0\r",
                "%1CLSS ?" => "%1CLSS=1\r",
                "%1INF2 ?" => "%1INF2=X\r",
                "%1ERST ?" => "%1ERST=000000\r",
                "%1LAMP ?" => "%1LAMP=5 0\r",
                _ => return line,
            };
            self.says(answer).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_answers_is_online_and_takes_commands() {
    let mut bench = Bench::start("").await;
    let mut device = bench.accept().await;
    device.says("PJLINK 0\r").await;
    let playing = tokio::spawn(async move {
        let command = device.answers().await;
        device.says("%1POWR=OK\r").await;
        (command, device)
    });
    assert_eq!(bench.next().await, "opened");
    bench.until("online").await;
    bench.until("power=off").await;
    bench.order("power on", 7).await;
    bench.until("7 done").await;
    assert_eq!(playing.await.expect("it plays").0, "%1POWR 1\r");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once_until_somebody_asks_for_it() {
    let mut bench = Bench::start("password = 'wrong'").await;
    let mut device = bench.accept().await;
    device.says("PJLINK 1 498e4a67\r").await;
    device.hears().await;
    device.says("PJLINK ERRA\r").await;
    bench.until("offline auth-failed").await;
    let long = Duration::from_secs(3600);
    assert!(tokio::time::timeout(long, bench.listener.accept()).await.is_err());
    bench.orders.send(Order::Reconnect).await.expect("it lives");
    bench.accept().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_for_a_device_that_is_not_there_expires() {
    let mut bench = Bench::start("").await;
    drop(bench.accept().await);
    bench.until("offline no-response").await;
    bench.order("power on", 7).await;
    let begin = Instant::now();
    bench.until("7 timeout").await;
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_drops_soon_is_tried_again_after_10_s() {
    let bench = Bench::start("").await;
    drop(bench.accept().await);
    let begin = Instant::now();
    bench.accept().await;
    let waited = begin.elapsed();
    assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_the_sender_of_its_orders() {
    let bench = Bench::start("").await;
    let mut device = bench.accept().await;
    drop(bench.orders);
    let mut rest = Vec::new();
    device.0.read_to_end(&mut rest).await.expect("it is closed decently");
    assert_eq!(rest, b"");
}

/// Says in order what it is told: for what no real driver does at will.
#[derive(Debug)]
struct Scripted(DriverInfo);

impl Driver for Scripted {
    fn info(&self) -> &DriverInfo {
        &self.0
    }

    fn opened(&mut self, io: &mut Io) {
        io.online();
        io.send("hello\r");
    }

    fn closed(&mut self, _: &mut Io) {}

    fn bytes(&mut self, _: &[u8], _: &mut Io) {}

    fn command(&mut self, command: &Command, ticket: Ticket, io: &mut Io) -> Result<(), Refusal> {
        if *command == Command::Blank(true) {
            return Err(Reason::Unsupported.into());
        }
        io.send(format!("{command}\r"));
        io.done(ticket);
        Ok(())
    }

    fn timer(&mut self, _: TimerId, _: &mut Io) {}
}

async fn scripted(pace_ms: u64) -> Bench {
    let mut info = rooms_drivers::build("lutron", &toml::toml! { outputs = { table = 1 } })
        .expect("right")
        .info()
        .clone();
    info.pace = Duration::from_millis(pace_ms);
    Bench::with(Box::new(Scripted(info))).await
}

#[tokio::test(start_paused = true)]
async fn frames_keep_the_quiet_time_of_the_device() {
    let mut bench = scripted(200).await;
    let mut device = bench.accept().await;
    bench.until("online").await;
    let begin = Instant::now();
    bench.order("power on", 1).await;
    bench.order("scene meeting", 2).await;
    for (line, after_ms) in [("hello\r", 0), ("power on\r", 200), ("scene meeting\r", 400)] {
        assert_eq!(device.hears().await, line);
        assert!(begin.elapsed() >= Duration::from_millis(after_ms), "{:?}", begin.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn lights_are_told_again_what_was_wanted_when_they_are_back() {
    let mut bench = scripted(0).await;
    let mut device = bench.accept().await;
    bench.until("online").await;
    bench.order("level table 60", 1).await;
    bench.order("power on", 2).await;
    for line in ["hello\r", "level table 60\r", "power on\r"] {
        assert_eq!(device.hears().await, line);
    }
    drop(device);
    bench.until("offline no-response").await;
    let mut device = bench.accept().await;
    for line in ["hello\r", "level table 60\r"] {
        assert_eq!(device.hears().await, line);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_driver_refuses_is_answered_and_raw_bytes_go_out_as_they_are() {
    let mut bench = scripted(0).await;
    let mut device = bench.accept().await;
    bench.until("online").await;
    bench.order("blank on", 1).await;
    bench.until("1 unsupported").await;
    bench.orders.send(Order::Raw(b"?\r".to_vec())).await.expect("it lives");
    assert_eq!(device.hears().await, "hello\r");
    assert_eq!(device.hears().await, "?\r");
}

#[tokio::test(start_paused = true)]
async fn of_a_traced_device_the_last_frames_and_those_to_come_are_said() {
    let mut bench = Bench::start("").await;
    let mut device = bench.accept().await;
    device.says("PJLINK 0\r").await;
    device.hears().await;
    bench.orders.send(Order::Trace(Duration::from_secs(60))).await.expect("it lives");
    bench.orders.send(Order::Raw(b"now\r".to_vec())).await.expect("it lives");
    let mut said = Vec::new();
    while said.last().is_none_or(|line: &String| !line.contains("now")) {
        let line = bench.frames.recv().await.expect("it lives").to_line();
        said.push(line.split(" at=").next().unwrap_or_default().to_owned());
    }
    assert_eq!(said[0], r#"frame room-a projector received text="PJLINK 0\\r""#);
    assert_eq!(said[said.len() - 1], r#"frame room-a projector sent text="now\\r""#);
}
