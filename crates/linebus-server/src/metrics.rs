//! What the server counts, as Prometheus reads it.
//!
//! What the broker knows is asked of it when somebody looks; the rest is counted here, where it
//! happens. Labels are words of the protocol or of this file, never of a client: their number is
//! bounded, and nobody's name ends up in somebody's monitoring.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use linebus_broker::{Broker, Fact};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::link::SocketLink;
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
    ) -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("linebus"),
            accepted: Counter::default(),
            refused: Family::default(),
            accept_pauses: Counter::default(),
            pauses: Counter::default(),
            logins: Counter::default(),
            given_up: Counter::default(),
            cut: Family::default(),
            reloads: Family::default(),
            last_reload_good: Gauge::default(),
            closed: OnceLock::new(),
        };
        let names = &mut all.registry;
        // `register` ends each help text with a full stop.
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        names.register("build", "Which linebus this is", build);
        let mut counter = |name, help, counter: &Counter| {
            names.register(name, help, counter.clone());
        };
        counter("connections_accepted", "Connections taken on", &all.accepted);
        counter("accept_pauses", "Times that accepting had to pause", &all.accept_pauses);
        counter("sender_pauses", "Times that a sender was not read for a while", &all.pauses);
        counter("logins", "Logins that were granted", &all.logins);
        counter("receivers_given_up", "Times senders stopped waiting for one", &all.given_up);
        let refused = all.refused.clone();
        names.register("connections_refused", "Connections turned away, by reason", refused);
        names.register("receivers_cut", "Receivers cut off, by reason", all.cut.clone());
        let reloads = all.reloads.clone();
        names.register("config_reloads", "Times the configuration was read again", reloads);
        let help = "Whether what stands in the configuration's files counts (1) or is wrong (0)";
        names.register("config_last_reload_successful", help, all.last_reload_good.clone());
        all.last_reload_good.set(1);
        // Series that begin at 0 are there before something happens: alerts need that.
        drop(all.refused.get_or_create(&[("reason", "busy")]));
        drop(all.reloads.get_or_create(&[("result", "good")]));
        drop(all.reloads.get_or_create(&[("result", "bad")]));
        drop(all.cut.get_or_create(&[("reason", "slow")]));
        drop(all.cut.get_or_create(&[("reason", "memory")]));
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        names.register_collector(Box::new(Bus {
            broker,
            tls,
            log_lines_lost,
            began_s: began.as_secs_f64(),
        }));
        all
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

    /// Counts a connection that was turned away.
    pub(crate) fn refuse(&self, reason: &'static str) {
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts a reload.
    pub(crate) fn reloaded(&self, good: bool) {
        let result = if good { "good" } else { "bad" };
        self.reloads.get_or_create(&[("result", result)]).inc();
        self.last_reload_good.set(i64::from(good));
    }

    /// Counts and logs what the broker tells.
    pub(crate) fn note(&self, fact: Fact) {
        match fact {
            Fact::LoggedIn { id, user } => {
                self.logins.inc();
                tracing::info!(id, %user, "logged in");
            }
            Fact::LoginRefused { id, user, refused } => {
                tracing::warn!(id, %user, ?refused, "login refused");
            }
            Fact::Denied { id } => tracing::debug!(id, "denied"),
            Fact::Limit { id, bound } => tracing::info!(id, limit = bound.word(), "limit reached"),
            Fact::Left { id, pattern } => tracing::info!(id, %pattern, "no longer allowed to hear"),
            Fact::NotWaitedFor { id, queued } => {
                self.given_up.inc();
                tracing::warn!(id, queued, "senders no longer wait for this slow receiver");
            }
            Fact::Cut { id, reason, queued } => {
                self.cut.get_or_create(&[("reason", reason.word())]).inc();
                tracing::warn!(id, %reason, queued, "receiver cut off");
            }
        }
    }
}

/// What is asked of the broker when somebody looks.
struct Bus {
    broker: Arc<Broker<SocketLink>>,
    tls: Option<Arc<Tls>>,
    log_lines_lost: Arc<AtomicU64>,
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
        let budget = self.broker.limits().sessions_bytes_max as u64;
        page.gauge("queued_max_bytes", "What may wait in all outboxes", budget)?;
        if let Some(tls) = &self.tls {
            let help = "When the first of the server's certificates ends, in seconds since 1970";
            page.gauge("tls_certificate_expiry_timestamp_seconds", help, tls.expires())?;
        }
        let lost = self.log_lines_lost.load(Ordering::Relaxed);
        page.counter("log_lines_lost", "Lines of the log that could not be written", lost)?;
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
