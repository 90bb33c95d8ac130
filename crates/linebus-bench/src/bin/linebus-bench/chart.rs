//! The bar chart of the page, as SVG: deliveries per second by shape and server.
//!
//! Written by hand rather than with a plotting library, because it is a few hundred rectangles and texts, and because
//! no library at hand writes a style that follows the reader's light or dark theme. It brings its own background, so
//! that it reads well on a page of the other theme too. No script, no font of its own.

use std::fmt::Write as _;

use crate::report::rate;
use crate::results::{Quantity, Results, Section};
use crate::server::Server;

const WIDTH: f64 = 880.0;
const MARGIN: f64 = 28.0;
const HEAD: f64 = 92.0;
const FOOT: f64 = 44.0;
/// Where bars begin: left of it are the shapes' names.
const BARS_FROM: f64 = 272.0;
/// Kept free to the right of the longest bar, for its value and its server's name.
const LABEL: f64 = 150.0;
const BAR: f64 = 12.0;
const BAR_STEP: f64 = 15.0;
const GROUP_GAP: f64 = 20.0;

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2328}\
.title{font-size:19px;font-weight:600}\
.shape{font-size:13px;font-weight:600;text-anchor:end}\
.muted{fill:#656d76}\
.small{font-size:11px}\
.own{font-weight:600}\
.card{fill:#ffffff;stroke:#d0d7de}\
.rule{stroke:#d8dee4}\
.linebus{fill:#0b6bcb}.nats{fill:#5b6b7c}.redis{fill:#8c9bab}.mosquitto{fill:#b9c3cd}\
.relay{fill:none;stroke:#0b6bcb;stroke-dasharray:3 2}\
@media (prefers-color-scheme:dark){\
text{fill:#e6edf3}.muted{fill:#9198a1}.card{fill:#0d1117;stroke:#30363d}.rule{stroke:#30363d}\
.linebus{fill:#4c9df3}.nats{fill:#93a1b0}.redis{fill:#6b7887}.mosquitto{fill:#4a5563}.relay{stroke:#4c9df3}}";

/// The chart; one with a title only, if no throughput was measured.
pub(crate) fn draw(results: &Results) -> String {
    let groups = groups(results);
    let bars: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = HEAD + count(bars) * BAR_STEP + count(groups.len()) * GROUP_GAP + FOOT;
    let longest = groups.iter().flat_map(|group| &group.bars).filter_map(|bar| bar.per_second);
    let longest = longest.fold(1.0, f64::max);
    let scale = (WIDTH - MARGIN - LABEL - BARS_FROM) / longest;

    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n\
         <title>Deliveries per second by shape and server</title>\n\
         <style>{STYLE}</style>\n\
         <rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        WIDTH - 1.0,
        height - 1.0
    );
    head(&mut svg, results);
    let mut y = HEAD;
    for group in &groups {
        let tall = count(group.bars.len()) * BAR_STEP;
        text(&mut svg, "shape", BARS_FROM - 12.0, y + tall / 2.0 + 3.0, &group.title);
        for (place, bar) in group.bars.iter().enumerate() {
            bar.draw(&mut svg, y + count(place) * BAR_STEP, scale);
        }
        let _ = writeln!(
            svg,
            "<line class=\"rule\" x1=\"{BARS_FROM}\" y1=\"{0}\" x2=\"{BARS_FROM}\" y2=\"{1}\"/>",
            y - 2.0,
            y + tall - 1.0
        );
        y += tall + GROUP_GAP;
    }
    let note = "The blind relay copies bytes without reading them: what a server could reach that does nothing.";
    text(&mut svg, "muted small", MARGIN, height - 20.0, note);
    svg.push_str("</svg>\n");
    svg
}

/// One shape.
struct Group {
    title: String,
    bars: Vec<Bar>,
}

/// One server in it.
struct Bar {
    server: Server,
    /// None if it failed.
    per_second: Option<f64>,
}

impl Bar {
    fn draw(&self, svg: &mut String, y: f64, scale: f64) {
        let length = self.per_second.map_or(0.0, |per_second| per_second * scale);
        let server = self.server;
        if length > 0.0 {
            // An outline would reach half a unit beyond its bar.
            let inset = if server == Server::Relay { 0.5 } else { 0.0 };
            let _ = writeln!(
                svg,
                "<rect class=\"{server}\" x=\"{}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\" rx=\"2\"/>",
                BARS_FROM + 1.0 + inset,
                y + inset,
                (length - 2.0 * inset).max(1.0),
                BAR - 2.0 * inset
            );
        }
        let value = self.per_second.map_or("failed".to_owned(), rate);
        let class = if server == Server::Linebus { "own" } else { "muted" };
        let label = format!("{value}  {}", server.title());
        text(svg, class, BARS_FROM + 8.0 + length, y + BAR - 1.5, &label);
    }
}

fn groups(results: &Results) -> Vec<Group> {
    let section = Section::Throughput;
    let group = |(key, title): (&str, &str)| {
        let bar = |server| {
            let row = results.row(section, key, server)?;
            let spread = row.spread(Quantity::DeliveriesPerSecond);
            Some(Bar { server, per_second: spread.map(|spread| spread.median) })
        };
        Group { title: title.to_owned(), bars: Server::ALL.into_iter().filter_map(bar).collect() }
    };
    results.measurements(section).into_iter().map(group).collect()
}

fn head(svg: &mut String, results: &Results) {
    text(svg, "title", MARGIN, 42.0, "Deliveries per second");
    let mut about = format!(
        "one server core, one generator core · {} · {}",
        results.machine.processor, results.date
    );
    if results.tiny {
        about.push_str(" · tiny run, numbers mean nothing");
    }
    text(svg, "muted", MARGIN, 64.0, &about);
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" xml:space=\"preserve\">{words}</text>"
    );
}

#[expect(clippy::cast_precision_loss, reason = "a chart has a few dozen bars")]
fn count(things: usize) -> f64 {
    things as f64
}
