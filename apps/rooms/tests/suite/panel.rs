//! The panels over the real processes, when one of them or the database is away: nothing is lost,
//! nothing is done later, and it is said. With SQLite and with a real Postgres.

mod browser;

use std::net::SocketAddr;
use std::sync::LazyLock;

use jiff::Timestamp;
use linebus_testkit::postgres::Postgres;
use linebus_testkit::process::Server;
use rooms_panel::store::{CallFilter, Page, Store};
use tempfile::TempDir;

use crate::programs::{Program, bus, example, linebus, rooms};
use browser::Browser;

/// For the tests that don't stop it.
static POSTGRES: LazyLock<Postgres> = LazyLock::new(Postgres::start);

/// A bus, two rooms with simulated devices, who speaks with them, and the pages.
struct House {
    bus: Option<Server>,
    bus_address: String,
    devices: Option<Program>,
    panel: Option<Program>,
    address: SocketAddr,
    database: String,
    base: String,
    /// A tablet in Vienna.
    tablet: Browser,
    csrf: String,
    admin: Browser,
    _simulator: Program,
    folder: TempDir,
}

impl House {
    /// Everything, with an administrator who is logged in and a tablet in Vienna.
    fn start(database: Option<String>) -> House {
        let folder = TempDir::new().expect("a temporary folder");
        let file = format!("sqlite:{}", folder.path().join("panel.db").display());
        let bus = bus();
        let bus_address = bus.addresses[0].to_string();
        let example = example().display().to_string();
        let url = bus.url();
        let play =
            ["simulate", "--rooms", &example, "--bus", &url, "--base-port", "0", "--speed", "10"];
        let simulator = Program::start(rooms(&play));
        let base = simulator.said[0].rsplit(':').next().expect("an address").to_owned();
        let mut house = House {
            bus: Some(bus),
            bus_address,
            devices: None,
            panel: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: database.unwrap_or(file),
            base,
            tablet: Browser::default(),
            csrf: String::new(),
            admin: Browser::default(),
            _simulator: simulator,
            folder,
        };
        house.start_devices();
        house.start_panel();
        house.log_in();
        house.enrol();
        house.until(&["Lisbon", "Free"]);
        house
    }

    fn url(&self) -> String {
        format!("linebus://{}", self.bus_address)
    }

    fn start_devices(&mut self) {
        let (example, url) = (example().display().to_string(), self.url());
        let devices = ["devices", "--rooms", &example, "--bus", &url, "--simulated", &self.base];
        self.devices = Some(Program::start(rooms(&devices)));
    }

    /// On the port where it was, if it was.
    fn start_panel(&mut self) {
        self.start_panel_with(&[]);
    }

    fn start_panel_with(&mut self, more: &[&str]) {
        let (url, listen) = (self.url(), self.address.to_string());
        let arguments = ["panel", "--database", &self.database, "--listen", &listen, "--bus", &url];
        let panel = Program::start(rooms(&[&arguments[..], more].concat()));
        let said = panel.said.iter().find_map(|line| line.strip_prefix("listening http "));
        self.address = said.expect("it says where").parse().expect("an address");
        self.panel = Some(panel);
    }

    /// With the one-time password, which has to be changed.
    fn log_in(&mut self) {
        let said = &self.panel.as_ref().expect("it runs").said;
        let password = said
            .iter()
            .find_map(|line| line.strip_prefix("administrator admin, password for one use: "));
        let password = password.expect("the first start says it").to_owned();
        let at = self.address;
        let fields = [("name", "admin"), ("password", password.as_str())];
        assert_eq!(self.admin.post(at, "/login", &fields).status, 303);
        let first = self.admin.get(at, "/admin");
        assert!(first.head.contains("location: /password"), "{}", first.head);
        let csrf = self.admin.csrf(at, "/password");
        let fields = [
            ("csrf", csrf.as_str()),
            ("old", &password),
            ("new", "correct horse battery"),
            ("again", "correct horse battery"),
        ];
        assert_eq!(self.admin.post(at, "/password", &fields).status, 303);
        assert_eq!(self.admin.get(at, "/admin").status, 200);
        let again =
            Browser::default().post(at, "/login", &[("name", "admin"), ("password", &password)]);
        assert_eq!(again.status, 401, "it was for one use");
    }

    /// Makes the tablet the panel of Vienna.
    fn enrol(&mut self) {
        let at = self.address;
        let csrf = self.admin.csrf(at, "/admin/panels");
        let fields = [("csrf", csrf.as_str()), ("room", "room-a"), ("name", "vienna-1")];
        let made = self.admin.post(at, "/admin/panels/code", &fields);
        let code = made.text.split("class=\"secret\">").nth(1).expect("the page shows the code");
        let code: String =
            code.split('<').next().expect("it ends").chars().filter(char::is_ascii_digit).collect();
        assert_eq!(code.len(), 8, "{}", made.text);
        let entered = self.tablet.post(at, "/enrol", &[("code", &code)]);
        assert!(entered.head.contains("location: /panel/room-a"), "{}", entered.head);
        self.csrf = self.tablet.csrf(at, "/panel/room-a?show=help");
        let again = Browser::default().post(at, "/enrol", &[("code", &code)]);
        assert_eq!(again.status, 401, "a code is for one tablet");
    }

    /// Touches a button of the tablet.
    fn press(&mut self, wish: &str) -> u16 {
        let fields = [("csrf", self.csrf.as_str()), ("wish", wish)];
        self.tablet.post(self.address, "/panel/room-a/press", &fields).status
    }

    /// What the tablet shows, once it shows all of these.
    #[track_caller]
    fn until(&self, words: &[&str]) -> String {
        self.tablet.until(self.address, "/panel/room-a/events?show=home", words)
    }

    #[track_caller]
    fn connect(&mut self) {
        assert_eq!(self.press("connect room-b"), 204);
        self.until(&["Connected to Lisbon", "Disconnect"]);
    }

    #[track_caller]
    fn disconnect(&mut self) {
        assert_eq!(self.press("disconnect room-b"), 204);
        self.until(&["Ready", "Call another room"]);
    }

    /// The calls in the history, as soon as there are so many that have ended.
    fn calls(&self, wanted: usize) -> Vec<rooms_panel::records::Call> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let store = Store::open(&self.database).await.expect("it is there");
            let page = Page { before: None, limit: 50 };
            let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
            loop {
                let calls =
                    store.calls(&CallFilter::default(), &page).await.expect("it answers").rows;
                if calls.iter().filter(|call| call.ended.is_some()).count() >= wanted {
                    return calls;
                }
                assert!(std::time::Instant::now() < until, "{calls:?}");
                tokio::task::yield_now().await;
            }
        })
    }
}

/// The same test with each database.
macro_rules! with_both_databases {
    ($($name:ident => $test:ident;)+) => {
        mod with_sqlite { $(#[test] fn $name() { super::$test(super::House::start(None)); })+ }
        mod with_postgres {
            $(#[test] fn $name() {
                let database = super::POSTGRES.database(stringify!($name));
                super::$test(super::House::start(Some(database)));
            })+
        }
    };
}

with_both_databases! {
    a_call_is_made_shown_and_written => call;
    without_a_bus_nothing_is_pressed_and_nothing_is_done_later => no_bus;
    without_the_interface_process_the_call_goes_on => no_interface;
    a_panel_that_starts_in_a_call_shows_the_same => restart;
}

fn call(mut house: House) {
    house.connect();
    house.disconnect();
    let call = house.calls(1).remove(0);
    assert_eq!((call.near.as_str(), call.far.as_str()), ("room-a", "room-b"));
    assert_eq!((call.by.as_str(), call.reason.as_str()), ("panel vienna-1", "normal"));
    assert!(call.connected.is_some_and(|at| call.since <= at && Some(at) <= call.ended));
    let foreign = house.tablet.get(house.address, "/panel/room-b");
    assert!(foreign.status == 303 && foreign.head.contains("/enrol"), "a panel is one room's");
    assert_eq!(house.press("raw projector text=x"), 400);
    assert_eq!(house.press("reload"), 400);
    let fields = [("csrf", "forged"), ("wish", "connect room-b")];
    assert_eq!(house.tablet.post(house.address, "/panel/room-a/press", &fields).status, 403);
}

fn no_bus(mut house: House) {
    drop(house.bus.take());
    let screen = house.until(&["Not connected to the control system since", "disabled"]);
    assert!(!screen.contains("value=\"connect"), "{screen}");
    assert_eq!(house.press("connect room-b"), 503);
    let listen = house.bus_address.clone();
    house.bus = Some(Server::start(&linebus(), &["--listen", &listen]));
    house.until(&["Ready", "Lisbon", "Free"]);
    house.connect();
    house.disconnect();
    assert_eq!(house.calls(1).len(), 1, "what was pressed without a bus was not done");
}

fn no_interface(mut house: House) {
    house.connect();
    drop(house.devices.take());
    house.until(&[
        "The control system is offline since",
        "Your call continues",
        "Connected",
        "disabled",
    ]);
    assert_eq!(house.press("disconnect room-b"), 503);
    house.start_devices();
    house.until(&["Connected to Lisbon", "value=\"disconnect room-b\""]);
    house.disconnect();
}

fn restart(mut house: House) {
    house.connect();
    let screen = |screen: &str| {
        let main = screen.split_once("<main").expect("it has one").1;
        let main = main.split_once("</main>").expect("it ends").0.to_owned();
        // The time goes on, and its beginning is said to the second.
        let (before, rest) = main.split_once("data-timer=").expect("it is counted");
        format!("{before}{}", rest.split_once("</p>").expect("it ends").1)
    };
    let before = screen(&house.until(&["Connected to Lisbon"]));
    drop(house.panel.take());
    house.start_panel();
    let after = screen(&house.until(&["Connected to Lisbon"]));
    assert_eq!(before, after);
    house.disconnect();
    assert_eq!(house.calls(1).len(), 1, "it is the same call in the history");
}

#[test]
fn without_its_database_the_panel_goes_on_and_writes_later() {
    let postgres = Postgres::start();
    let mut house = House::start(Some(postgres.database("away")));
    let before = Timestamp::now();
    postgres.stop();
    house.connect();
    house.disconnect();
    let said = "The history is not being written since";
    house.admin.until_it_says(house.address, "/admin", said, true);
    postgres.start_again();
    let call = house.calls(1).remove(0);
    assert!(call.since >= before.checked_sub(jiff::SignedDuration::from_secs(2)).expect("a time"));
    house.admin.until_it_says(house.address, "/admin", said, false);
    drop(house.folder);
}

/// What every browser is told about every page.
const HEADERS: [&str; 4] = [
    "content-security-policy: default-src 'none'; script-src 'self';",
    "x-content-type-options: nosniff",
    "referrer-policy: no-referrer",
    "x-frame-options: SAMEORIGIN",
];

#[test]
fn who_comes_in_is_looked_at() {
    let mut house = House::start(None);
    let at = house.address;
    for path in ["/login", "/enrol", "/assets/live.js", "/nowhere", "/demo"] {
        let head = Browser::default().get(at, path).head;
        assert!(HEADERS.iter().all(|header| head.contains(header)), "{path}: {head}");
    }
    for path in ["/admin", "/admin/people", "/panel/room-a"] {
        let head = house.admin.get(at, path).head;
        assert!(HEADERS.iter().all(|header| head.contains(header)), "{path}: {head}");
        assert!(head.contains("cache-control: no-store"), "{path}: {head}");
    }
    let cookies = vec![
        ("panel".to_owned(), "/panel/room-a".to_owned(), "x".repeat(43)),
        ("session".to_owned(), "/".to_owned(), "x".repeat(43)),
    ];
    let mut forged = Browser { cookies, ..Browser::default() };
    assert!(forged.get(at, "/panel/room-a").head.contains("location: /enrol"));
    assert!(forged.get(at, "/admin").head.contains("location: /login"));
    let press = [("csrf", "x"), ("wish", "connect room-b")];
    assert_eq!(forged.post(at, "/panel/room-a/press", &press).status, 401);
    assert_eq!(house.admin.get(at, "/panel/no-room").status, 404);

    let right = [("name", "admin"), ("password", "correct horse battery")];
    let head = Browser::default().post(at, "/login", &right).head;
    assert!(head.contains("HttpOnly; SameSite=Strict; Path=/"), "{head}");
    let elsewhere = [&right[..], &[("then", "//example.net")]].concat();
    let head = Browser::default().post(at, "/login", &elsewhere).head;
    assert!(head.contains("location: /admin"), "{head}");

    // The next wrong one has to wait, and the right one too.
    let wrong = [("name", "admin"), ("password", "a guess")];
    let tried: Vec<_> =
        (0..6).map(|_| Browser::default().post(at, "/login", &wrong).status).collect();
    assert!(tried[0] == 401 && tried.contains(&429), "{tried:?}");
    let told = Browser::default().post(at, "/login", &right);
    assert!(told.status == 429 && told.text.contains("Wait"), "{}", told.text);
    let code = [("code", "12345678")];
    let tried: Vec<_> =
        (0..6).map(|_| Browser::default().post(at, "/enrol", &code).status).collect();
    assert!(tried[0] == 401 && tried.contains(&429), "{tried:?}");
    assert_eq!(house.press("connect room-b"), 204, "who is in stays in");
}

#[test]
fn behind_a_proxy_cookies_are_for_tls_only_and_a_browser_counts_for_itself() {
    let mut house = House::start(None);
    drop(house.panel.take());
    house.start_panel_with(&["--https"]);
    let at = house.address;
    let from = |address: &str| Browser { forwarded: address.to_owned(), ..Browser::default() };
    let guess = |browser: &mut Browser, name: &str| {
        browser.post(at, "/login", &[("name", name), ("password", "a guess")]).status
    };
    let mut other = from("9.9.9.9, 10.0.0.1");
    let tried: Vec<_> = (0..6).map(|number| guess(&mut other, &format!("user{number}"))).collect();
    assert!(tried.contains(&429), "{tried:?}");
    let right = [("name", "admin"), ("password", "correct horse battery")];
    let head = from("9.9.9.9, 10.0.0.2").post(at, "/login", &right).head;
    assert!(head.contains("__Host-session=") && head.contains("Secure"), "{head}");
}
