//! What the server counts, as Prometheus reads it.
//!
//! What the broker knows is asked of it when somebody looks; the rest is counted here, where it
//! happens. Labels are words of the protocol or of this file, never of a client: their number is
//! bounded, and nobody's name ends up in somebody's monitoring.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use linebus_broker::{Broker, Fact, LoginRefused};
use linebus_record as record;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::admission::NotAdmitted;
use crate::link::{Peer, SocketLink};
use crate::log_quota::{Quotas, limits};
use crate::tls::Tls;

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// Counters of the shell, and the way to show all there are.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Connections taken on.
    pub(crate) accepted: Counter,
    refused: Family<Label, Counter>,
    /// Times that accepting had to pause.
    pub(crate) accept_pauses: Counter,
    /// Times that a connection was not read for a while.
    pub(crate) pauses: Counter,
    logins: Counter,
    login_failures: Family<Label, Counter>,
    denied: Counter,
    limits_reached: Family<Label, Counter>,
    quotas: Quotas,
    given_up: Counter,
    cut: Family<Label, Counter>,
    reloads: Family<Label, Counter>,
    /// 1 if the last one was good, as at the start; 0 if not.
    last_reload_good: Gauge,
    /// Why nobody is accepted any more.
    closed: OnceLock<&'static str>,
}

impl Metrics {
    pub(crate) fn new(
        broker: Arc<Broker<SocketLink>>,
        tls: Option<Arc<Tls>>,
        log_lines_lost: Arc<AtomicU64>,
        recorded: Option<Arc<record::Counts>>,
    ) -> Self {
        let mut registry = Registry::with_prefix("linebus");
        let names = &mut registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        names.register("build", "Which linebus this is", build);
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began_s = began.as_secs_f64();
        names.register_collector(Box::new(Bus { broker, tls, log_lines_lost, recorded, began_s }));
        let last_reload_good = Gauge::default();
        let help = "Whether what stands in the configuration's files counts (1) or is wrong (0)";
        names.register("config_last_reload_successful", help, last_reload_good.clone());
        last_reload_good.set(1);
        let help = "Times the configuration was read again";
        let reloads = family(names, "config_reloads", help, "result", ["good", "bad"]);
        let help = "Connections turned away, by reason";
        let refused = family(names, "connections_refused", help, "reason", NotAdmitted::WORDS);
        let help = "Logins that were not granted, by reason";
        let login_failures = family(names, "login_failures", help, "reason", LoginRefused::WORDS);
        let help = "Times that a client reached a limit";
        let limits_reached = family(names, "limits_reached", help, "limit", limits());
        let help = "Receivers cut off, by reason";
        let cut = family(names, "receivers_cut", help, "reason", ["slow", "memory"]);
        let mut counter = |name, help| {
            let counter = Counter::default();
            names.register(name, help, counter.clone());
            counter
        };
        Self {
            accepted: counter("connections_accepted", "Connections taken on"),
            accept_pauses: counter("accept_pauses", "Times that accepting had to pause"),
            pauses: counter("sender_pauses", "Times that a sender was not read for a while"),
            logins: counter("logins", "Logins that were granted"),
            denied: counter("denied", "Commands that the user's rules do not allow"),
            given_up: counter("receivers_given_up", "Times senders stopped waiting for one"),
            registry,
            refused,
            login_failures,
            limits_reached,
            quotas: Quotas::default(),
            cut,
            reloads,
            last_reload_good,
            closed: OnceLock::new(),
        }
    }

    /// Everything in Prometheus' text format 0.0.4.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Why nobody is accepted any more, if that is so.
    pub(crate) fn closed(&self) -> Option<&'static str> {
        self.closed.get().copied()
    }

    /// From now on nobody is accepted. The first reason stays.
    pub(crate) fn close(&self, why: &'static str) {
        self.closed.get_or_init(|| why);
    }

    /// Counts and logs a connection that was turned away.
    pub(crate) fn refuse(&self, why: NotAdmitted, peer: &Peer) {
        let limit = why.word();
        self.refused.get_or_create(&[("reason", limit)]).inc();
        if self.reach(limit) {
            tracing::info!(%peer, limit, "limit reached");
        }
    }

    /// Counts that a limit was reached; whether it is to be logged, too.
    fn reach(&self, limit: &'static str) -> bool {
        self.limits_reached.get_or_create(&[("limit", limit)]).inc();
        self.quotas.take_limit(limit)
    }

    /// Tells how many lines were not logged since this was called last; for once a second.
    pub(crate) fn renew_quotas(&self) {
        self.quotas.renew();
    }

    /// Counts a reload.
    pub(crate) fn reloaded(&self, good: bool) {
        let result = if good { "good" } else { "bad" };
        self.reloads.get_or_create(&[("result", result)]).inc();
        self.last_reload_good.set(i64::from(good));
    }

    /// Counts what the broker tells, and logs it unless much more of the kind is told.
    pub(crate) fn note(&self, fact: Fact) {
        let quotas = &self.quotas;
        match fact {
            Fact::LoggedIn { id, user } => {
                self.logins.inc();
                if quotas.logged_in.take() {
                    tracing::info!(id, %user, "logged in");
                }
            }
            Fact::LoginRefused { id, user, refused } => {
                let reason = refused.word();
                self.login_failures.get_or_create(&[("reason", reason)]).inc();
                if quotas.login_refused.take() {
                    tracing::warn!(id, %user, reason, "login refused");
                }
            }
            Fact::Denied { id } => {
                self.denied.inc();
                if quotas.denied.take() {
                    tracing::info!(id, "denied");
                }
            }
            Fact::Limit { id, bound } => {
                let limit = bound.word();
                if self.reach(limit) {
                    tracing::info!(id, limit, "limit reached");
                }
            }
            Fact::Left { id, pattern } => {
                if quotas.left.take() {
                    tracing::info!(id, %pattern, "no longer allowed to hear");
                }
            }
            Fact::NotWaitedFor { id, queued } => {
                self.given_up.inc();
                if quotas.not_waited_for.take() {
                    tracing::warn!(id, queued, "senders no longer wait for this slow receiver");
                }
            }
            Fact::Cut { id, reason, queued } => {
                self.cut.get_or_create(&[("reason", reason.word())]).inc();
                if quotas.cut.take() {
                    tracing::warn!(id, %reason, queued, "receiver cut off");
                }
            }
        }
    }
}

/// Counters that differ by one label. Series that begin at 0 are there before something happens:
/// alerts need that.
fn family(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    words: impl IntoIterator<Item = &'static str>,
) -> Family<Label, Counter> {
    let family: Family<Label, Counter> = Family::default();
    for word in words {
        drop(family.get_or_create(&[(label, word)]));
    }
    // This ends the help text with a full stop.
    registry.register(name, help, family.clone());
    family
}

/// What is asked of the broker when somebody looks.
struct Bus {
    broker: Arc<Broker<SocketLink>>,
    tls: Option<Arc<Tls>>,
    log_lines_lost: Arc<AtomicU64>,
    recorded: Option<Arc<record::Counts>>,
    began_s: f64,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

impl Collector for Bus {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        let totals = self.broker.totals();
        page.gauge("connections", "Open connections", totals.sessions as u64)?;
        page.counter("received_lines", "Lines from clients", totals.received.lines)?;
        page.counter("received_bytes", "Bytes from clients", totals.received.bytes)?;
        page.counter("delivered_lines", "Lines for clients", totals.delivered.lines)?;
        page.counter("delivered_bytes", "Bytes for clients", totals.delivered.bytes)?;
        let refused = totals.refused.iter().map(|(code, count)| (code.word(), *count));
        page.family("refusals", "Lines answered by an error, by code", "code", refused)?;
        let ended = totals.ended.iter().map(|(reason, count)| (reason.word(), *count));
        let ended = ended.chain([("gone", totals.gone)]);
        let help = "Connections that have ended, by what was said in `bye`";
        page.family("connections_ended", help, "reason", ended)?;
        page.gauge("queued_bytes", "What waits in all outboxes", totals.queued as u64)?;
        let help = "What connections hold besides: unfinished lines, joins";
        page.gauge("held_bytes", help, self.broker.held() as u64)?;
        let budget = self.broker.limits().sessions_bytes_max as u64;
        page.gauge("sessions_max_bytes", "What may wait and be held in all", budget)?;
        if let Some(tls) = &self.tls {
            let help = "When the first of the server's certificates ends, in seconds since 1970";
            page.gauge("tls_certificate_expiry_timestamp_seconds", help, tls.expires())?;
        }
        let lost = self.log_lines_lost.load(Ordering::Relaxed);
        page.counter("log_lines_lost", "Lines of the log that could not be written", lost)?;
        if let Some(counts) = &self.recorded {
            page.counter("recorded_lines", "Lines written into the record", counts.lines())?;
            page.counter("recorded_bytes", "Bytes written into the record", counts.bytes())?;
            let help = "Lines that could not be recorded";
            page.counter("record_lines_lost", help, counts.lost_lines())?;
        }
        page.gauge("start_time_seconds", "When it began, in seconds since 1970", self.began_s)
    }
}

/// The page while it is written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        let counter = ConstCounter::new(count);
        let help = format!("{help}.");
        counter.encode(self.0.encode_descriptor(name, &help, None, counter.metric_type())?)
    }

    fn gauge<N>(&mut self, name: &str, help: &str, value: N) -> fmt::Result
    where
        ConstGauge<N>: EncodeMetric,
    {
        let gauge = ConstGauge::new(value);
        let help = format!("{help}.");
        gauge.encode(self.0.encode_descriptor(name, &help, None, gauge.metric_type())?)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        counts: impl Iterator<Item = (&'static str, u64)>,
    ) -> fmt::Result {
        let kind = ConstCounter::new(0_u64).metric_type();
        let help = format!("{help}.");
        let mut family = self.0.encode_descriptor(name, &help, None, kind)?;
        for (word, count) in counts {
            ConstCounter::new(count).encode(family.encode_family(&[(label, word)])?)?;
        }
        Ok(())
    }
}
