//! What a test needs: bus, database, pages, an interface process that notes what is wished, and people.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use jiff::SignedDuration;
use linebus_client::{Client, Event, Events};
use linebus_server::{Config, Control, Controller, Listeners, controls};
use linebus_testkit::postgres::Postgres;
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rooms_messages::{FACTS, Request as Wished, RoomName, WISHES, Wish};
use rooms_panel::desk::{self, Desk};
use rooms_panel::doors::Token;
use rooms_panel::history::Writer;
use rooms_panel::records::{Account, EnrolledPanel, Role, Session};
use rooms_panel::registry::Registry;
use rooms_panel::store::Store;
use rooms_panel::web::{App, Door, Parts};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

/// Nothing that is waited for takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is so in the rooms.
const SO: &[&str] = &[
    "room vienna busy with=lisbon city=Vienna title=\"Vienna, Room 2.14\"",
    "room lisbon busy with=vienna city=Lisbon title=\"Lisbon, Tejo room\"",
    "room oslo free city=Oslo title=\"Oslo, <script>alert(1)</script>\"",
    "link vienna lisbon connected by=panel-<script>alert(1)</script>",
    "device vienna projector online role=projector",
    "state vienna projector power=on name=<script>alert(1)</script>",
    "alert vienna projector level=warning code=lamp text=<script>alert(1)</script>",
    "help oslo requested by=<script>alert(1)</script> text=<script>alert(1)</script>",
];

pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) doors: Vec<(Method, &'static str, Door)>,
    router: Router,
    /// What was wished, without who asked for everything.
    pub(crate) wished: Arc<Mutex<Vec<String>>>,
    /// Changes when something was.
    noted: watch::Receiver<()>,
    pub(crate) folder: TempDir,
    bus: Controller,
}

/// A browser of somebody who is logged in, or nobody's.
#[derive(Clone)]
pub(crate) struct Browser {
    cookie: String,
    csrf: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) to: String,
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// One server for the whole test program.
static POSTGRES: LazyLock<Postgres> = LazyLock::new(Postgres::start);

/// Runs a test on SQLite and then on Postgres.
pub(crate) fn on_both(test: impl AsyncFn(House)) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("as it should be").block_on(async {
        test(House::start().await).await;
        let name = format!("admin-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        test(House::with(Some(POSTGRES.database(&name))).await).await;
    });
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::with(None).await
    }

    async fn with(database: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("as it should be");
        std::fs::create_dir(folder.path().join("rooms")).expect("as it should be");
        let sqlite = || format!("sqlite:{}", folder.path().join("panel.db").display());
        let store = Store::open(&database.unwrap_or_else(sqlite)).await.expect("as it should be");
        let config = Config { listen: vec![([127, 0, 0, 1], 0).into()], ..Config::default() };
        let listeners = Listeners::bind(&config).expect("as it should be");
        let address = listeners.addresses().next().expect("as it should be");
        let url = address.replace("tcp ", "linebus://");
        let (bus, orders) = controls();
        tokio::spawn(async move { linebus_server::run(listeners, &config, orders).await });
        let wished = Arc::default();
        let noted = interface(&url, &wished).await;

        let (registry, _) = Registry::load(store.clone()).await.expect("as it should be");
        let (writer, _task) = Writer::start(store);
        let (client, events) = Client::connect(&url).await.expect("as it should be");
        client.recv(FACTS).await.expect("as it should be");
        client.watch(WISHES).await.expect("as it should be");
        let desk = Arc::new(Desk::new(client, writer.clone(), Vec::new()));
        tokio::spawn(desk.clone().run(events));
        let app = App::new(Parts {
            desk,
            registry,
            writing: writer.status(),
            rooms: Some(folder.path().join("rooms")),
            is_https: false,
            demo: None,
        });
        let (router, doors) = app.pages();
        let house = Self { app, doors, router, wished, noted, folder, bus };
        house
            .until(|house| house.app.desk.look(|shown| shown.control == desk::Control::Fine))
            .await;
        house
    }

    /// Somebody with a role, logged in.
    pub(crate) async fn person(&self, role: Role) -> Browser {
        self.named(&format!("a-{role}"), role).await
    }

    pub(crate) async fn named(&self, name: &str, role: Role) -> Browser {
        let (token, now) = (Token::random(), rooms_panel::clock::now());
        if !self.app.registry.directory().accounts.contains_key(name) {
            let account = Account {
                name: name.to_owned(),
                hash: String::new(),
                role,
                is_disabled: false,
                must_change: false,
                created: now,
                version: 0,
            };
            self.app.registry.put_account(account).await.expect("as it should be");
        }
        let expires = now + SignedDuration::from_hours(1);
        let session =
            Session { token: token.hash(), account: name.to_owned(), created: now, expires };
        self.app.registry.begin_session(session).await;
        Browser { cookie: format!("session={}", token.as_str()), csrf: token.csrf() }
    }

    /// The panel of a room.
    pub(crate) async fn panel(&self, room: &str, name: &str) -> (Browser, EnrolledPanel) {
        let token = Token::random();
        let panel = EnrolledPanel {
            token: token.hash(),
            room: RoomName::new(room).expect("as it should be"),
            name: name.to_owned(),
            by: "admin".to_owned(),
            enrolled: rooms_panel::clock::now(),
            revoked: None,
        };
        self.app.registry.put_panel(panel.clone()).await.expect("as it should be");
        (Browser { cookie: format!("panel={}", token.as_str()), csrf: token.csrf() }, panel)
    }

    pub(crate) async fn get(&self, who: &Browser, path: &str) -> Answer {
        read(self.open(who, path).await).await
    }

    /// Without reading what comes.
    pub(crate) async fn open(&self, who: &Browser, path: &str) -> Response {
        let request = Request::get(path).header(header::COOKIE, &who.cookie);
        self.router
            .clone()
            .oneshot(request.body(Body::empty()).expect("as it should be"))
            .await
            .expect("as it should be")
    }

    /// A form of one of their pages.
    pub(crate) async fn post(&self, who: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("csrf", &who.csrf));
        self.send(who, path, &fields, &[]).await
    }

    /// A form as it is, with more headers.
    pub(crate) async fn send(
        &self,
        who: &Browser,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let coded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let fields = fields.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        let mut request = Request::post(path)
            .header(header::COOKIE, &who.cookie)
            .header(header::HOST, "rooms.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).expect("as it should be");
        read(self.router.clone().oneshot(request).await.expect("as it should be")).await
    }

    /// Waits until something is so: looks whenever something was reported, written or wished.
    pub(crate) async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let (mut changes, mut writing) = (self.app.desk.changes(), self.app.writing.clone());
        let mut noted = self.noted.clone();
        tokio::time::timeout(PATIENCE, async {
            while !is_so(self) {
                tokio::select! {
                    _ = changes.recv() => {}
                    _ = writing.changed() => {}
                    _ = noted.changed() => {}
                }
            }
        })
        .await
        .expect("it becomes so");
    }

    /// Waits until the history has been written.
    pub(crate) async fn written(&self) {
        self.until(|house| house.app.writing.borrow().waiting == 0).await;
    }

    /// Whether somebody wished a line that begins so.
    pub(crate) async fn hears(&self, wish: &str) {
        self.until(|house| house.wished.lock().iter().any(|line| line.starts_with(wish))).await;
    }

    pub(crate) fn rooms(&self) -> PathBuf {
        self.folder.path().join("rooms")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.bus.ask(Control::Shutdown);
    }
}

impl Browser {
    pub(crate) fn nobody() -> Self {
        Self { cookie: String::new(), csrf: String::new() }
    }

    pub(crate) fn csrf(&self) -> &str {
        &self.csrf
    }
}

pub(crate) async fn read(response: Response) -> Answer {
    let header = |name| {
        let value = response.headers().get(name);
        value
            .map(|value: &axum::http::HeaderValue| {
                value.to_str().expect("as it should be").to_owned()
            })
            .unwrap_or_default()
    };
    let (status, to, kind) =
        (response.status(), header(header::LOCATION), header(header::CONTENT_TYPE));
    let body = tokio::time::timeout(PATIENCE, to_bytes(response.into_body(), usize::MAX));
    let text = String::from_utf8(body.await.expect("it ends").expect("as it should be").into())
        .expect("as it should be");
    Answer { status, to, kind, text }
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
        self
    }

    /// The value of a hidden field.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.text.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        rest.split('"').next().expect("as it should be").to_owned()
    }
}

/// Answers as the interface process does, and notes what is wished.
async fn interface(url: &str, wished: &Arc<Mutex<Vec<String>>>) -> watch::Receiver<()> {
    let (client, events) = Client::connect(url).await.expect("as it should be");
    client.recv(WISHES).await.expect("as it should be");
    let (note, noted) = watch::channel(());
    tokio::spawn(answer(client, events, wished.clone(), note));
    noted
}

async fn answer(
    client: Client,
    mut events: Events,
    wished: Arc<Mutex<Vec<String>>>,
    note: watch::Sender<()>,
) {
    while let Some(event) = events.next().await {
        let Event::Message(message) = event else { continue };
        let Ok(request) = Wished::parse(&message.text) else { continue };
        let mut facts = Vec::new();
        if matches!(request.wish, Wish::Give { .. }) {
            facts.push("everything begin".to_owned());
            facts.extend(SO.iter().map(|fact| (*fact).to_owned()));
            facts.push(format!("everything end lines={}", SO.len()));
        } else {
            wished.lock().push(message.text.to_string());
            note.send_replace(());
            let id = request.id.map(|id| format!(" id={id}")).unwrap_or_default();
            facts.extend([format!("accepted{id}"), format!("done{id}")]);
        }
        for fact in facts {
            client.send(FACTS, &fact).await.expect("as it should be");
        }
    }
}
