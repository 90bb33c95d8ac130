//! Who talks to which topics, as an SVG picture: users on the left, topics on the right, and between
//! them a band for each pair, as wide as it has lines. No script, no font of its own, and it follows
//! the reader's light or dark theme.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::stats::{Amount, Stats};

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 28.0;
const HEAD: f64 = 118.0;
const FOOT: f64 = 30.0;
/// Where the users' bars end and those of the topics begin: beside them stand the names.
const LEFT: f64 = 252.0;
const RIGHT: f64 = WIDTH - 300.0;
const BAR: f64 = 10.0;
/// Height of all bands of one side together, and the least between two bars: a name's height.
const BANDS: f64 = 460.0;
const STEP: f64 = 19.0;
/// A name that is longer is cut.
const NAME_CHARS: usize = 26;
/// The busiest of each side; all others are one.
const SHOWN: usize = 24;
/// So many users have a colour of their own; further ones begin again.
const COLOURS: usize = 8;

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2328}\
.title{font-size:19px;font-weight:600}.muted{fill:#656d76}.end{text-anchor:end}.head{font-weight:600}\
.card{fill:#ffffff;stroke:#d0d7de}.topic{fill:#59636e}.band{fill-opacity:.42}\
.c0{fill:#0b6bcb}.c1{fill:#d4691e}.c2{fill:#1a8a5a}.c3{fill:#8a4fc4}.c4{fill:#b8892b}.c5{fill:#c2416b}\
.c6{fill:#2a93a5}.c7{fill:#6b7a8a}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.muted{fill:#9198a1}\
.card{fill:#0d1117;stroke:#30363d}.topic{fill:#9198a1}.band{fill-opacity:.5}\
.c0{fill:#4c9df3}.c1{fill:#e8894a}.c2{fill:#3fb883}.c3{fill:#a97be0}.c4{fill:#d3a94e}.c5{fill:#e06a92}\
.c6{fill:#4fb9cb}.c7{fill:#93a1b0}}";

/// The picture; one with a title only, if nothing was said.
pub(super) fn draw(stats: &Stats) -> String {
    let mut users = Side::new(stats.users(), "more users");
    let mut topics = Side::new(stats.topics(), "more topics");
    let flows = flows(stats, &users, &topics);
    let lines = stats.total().lines.max(1);
    let scale = BANDS / as_f64(lines);
    let height = HEAD + users.lay_out(scale).max(topics.lay_out(scale)) + FOOT;
    users.centre(height - HEAD - FOOT);
    topics.centre(height - HEAD - FOOT);

    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\">\n\
         <title>Who talks to which topics</title>\n\
         <style>{STYLE}</style>\n\
         <rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{:.1}\" rx=\"8\"/>\n",
        WIDTH - 1.0,
        height - 1.0
    );
    head(&mut svg, stats);
    for (user, topic, amount) in flows {
        let width = as_f64(amount.lines) * scale;
        let (from, to) = (users.nodes[user].take(width), topics.nodes[topic].take(width));
        band(&mut svg, user % COLOURS, from, to, width);
    }
    for (number, node) in users.nodes.iter().enumerate() {
        node.draw(&mut svg, &format!("c{}", number % COLOURS), LEFT - BAR, "end", LEFT - BAR - 8.0);
    }
    for node in &topics.nodes {
        node.draw(&mut svg, "topic", RIGHT, "", RIGHT + BAR + 8.0);
    }
    svg.push_str("</svg>\n");
    svg
}

/// All users, or all topics.
struct Side<'a> {
    nodes: Vec<Node>,
    places: HashMap<&'a str, usize>,
}

/// One of them, or all that are not shown one by one.
struct Node {
    name: String,
    amount: Amount,
    /// Where its bar begins, how long it is, and how much of it has bands.
    top: f64,
    length: f64,
    taken: f64,
}

impl<'a> Side<'a> {
    fn new(names: Vec<(&'a str, Amount)>, more: &str) -> Self {
        let shown = if names.len() <= SHOWN + 1 { names.len() } else { SHOWN };
        let hidden = names.len() - shown;
        let mut side = Self { nodes: Vec::new(), places: HashMap::new() };
        for (place, (name, amount)) in names.into_iter().enumerate() {
            if place <= shown {
                let name = if place < shown { shorten(name) } else { format!("{hidden} {more}") };
                side.nodes.push(Node {
                    name,
                    amount: Amount::default(),
                    top: 0.0,
                    length: 0.0,
                    taken: 0.0,
                });
            }
            let place = place.min(shown);
            side.nodes[place].amount.add(amount);
            side.places.insert(name, place);
        }
        side
    }

    /// Gives each its place below the one before; how high all are.
    fn lay_out(&mut self, scale: f64) -> f64 {
        let mut y: f64 = 0.0;
        for node in &mut self.nodes {
            node.length = as_f64(node.amount.lines) * scale;
            let room = node.length.max(STEP - 6.0);
            node.top = y + (room - node.length) / 2.0;
            y += room + 6.0;
        }
        y
    }

    /// Puts all in the middle of so much room.
    fn centre(&mut self, room: f64) {
        let high = self.nodes.last().map_or(0.0, |node| node.top + node.length.max(STEP - 6.0));
        let down = HEAD + ((room - high) / 2.0).max(0.0);
        self.nodes.iter_mut().for_each(|node| node.top += down);
    }
}

impl Node {
    /// Room for a band of this width.
    fn take(&mut self, width: f64) -> f64 {
        let at = self.top + self.taken;
        self.taken += width;
        at
    }

    fn draw(&self, svg: &mut String, colour: &str, bar_x: f64, anchor: &str, text_x: f64) {
        let (top, length) = (self.top, self.length.max(1.0));
        let _ = writeln!(
            svg,
            "<rect class=\"{colour}\" x=\"{bar_x}\" y=\"{top:.1}\" width=\"{BAR}\" height=\"{length:.1}\" rx=\"1\"/>"
        );
        let y = top + self.length / 2.0 + 4.0;
        let count = shorten_count(self.amount.lines);
        let name = escape(&self.name);
        let count = format!("<tspan class=\"muted\">{count}</tspan>");
        let words =
            if anchor.is_empty() { format!("{name}  {count}") } else { format!("{count}  {name}") };
        let _ = writeln!(
            svg,
            "<text class=\"{anchor}\" x=\"{text_x}\" y=\"{y:.1}\" xml:space=\"preserve\">{words}</text>"
        );
    }
}

/// How much goes from which user's place to which topic's, by place, so that bands cross little.
fn flows(stats: &Stats, users: &Side<'_>, topics: &Side<'_>) -> Vec<(usize, usize, Amount)> {
    let mut sums: HashMap<(usize, usize), Amount> = HashMap::new();
    for (user, topic, amount) in stats.flows() {
        // A pair of which one side was counted together with others is drawn among the last.
        let place = |side: &Side<'_>, name: &str| {
            side.places.get(name).copied().or(side.nodes.len().checked_sub(1))
        };
        if let (Some(user), Some(topic)) = (place(users, user), place(topics, topic)) {
            sums.entry((user, topic)).or_default().add(amount);
        }
    }
    let mut flows: Vec<_> =
        sums.into_iter().map(|((user, topic), sum)| (user, topic, sum)).collect();
    flows.sort_by_key(|(user, topic, _)| (*user, *topic));
    flows
}

fn band(svg: &mut String, colour: usize, from: f64, to: f64, width: f64) {
    // What is thinner than this could not be seen.
    let width = width.max(0.6);
    let (x1, x2) = (LEFT, RIGHT);
    let middle = f64::midpoint(x1, x2);
    let (from_end, to_end) = (from + width, to + width);
    let _ = writeln!(
        svg,
        "<path class=\"band c{colour}\" d=\"M{x1} {from:.1}C{middle} {from:.1} {middle} {to:.1} {x2} {to:.1}\
         V{to_end:.1}C{middle} {to_end:.1} {middle} {from_end:.1} {x1} {from_end:.1}Z\"/>"
    );
}

fn head(svg: &mut String, stats: &Stats) {
    text(svg, "title", MARGIN, 42.0, "Who talks to which topics");
    let Amount { lines, bytes } = stats.total();
    let about = match stats.times {
        Some((first, last)) => format!(
            "{} lines, {} bytes · {} to {} UTC",
            shorten_count(lines),
            shorten_count(bytes),
            first.second().replace('T', " "),
            last.second().replace('T', " ")
        ),
        None => "nothing was said".to_owned(),
    };
    text(svg, "muted", MARGIN, 64.0, &about);
    if stats.times.is_some() {
        text(svg, "muted head end", LEFT - BAR - 8.0, 98.0, "lines  user");
        text(svg, "muted head", RIGHT + BAR + 8.0, 98.0, "topic  lines");
    }
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, words: &str) {
    let words = escape(words);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" xml:space=\"preserve\">{words}</text>"
    );
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The end of a topic says more than its middle.
fn shorten(name: &str) -> String {
    // Names are ASCII.
    if name.len() <= NAME_CHARS {
        return name.to_owned();
    }
    let half = NAME_CHARS / 2;
    format!("{}…{}", &name[..half], &name[name.len() - half + 1..])
}

fn shorten_count(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..10_000_000 => format!("{} k", count / 1_000),
        10_000_000..10_000_000_000 => format!("{} M", count / 1_000_000),
        _ => format!("{} G", count / 1_000_000_000),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture has a few hundred points")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use linebus_record::Entry;

    use super::*;

    fn stats(pairs: impl IntoIterator<Item = (String, String)>) -> Stats {
        let mut stats = Stats::default();
        for (user, topic) in pairs {
            let line = format!("2026-11-27T13:47:24.000001Z {user} {topic} x");
            stats.count(&Entry::parse(line.as_bytes()).expect("it is one"));
        }
        stats
    }

    #[test]
    fn each_pair_is_a_band_and_each_name_is_there() {
        let pairs = [("alice", "a.b"), ("alice", "c"), ("bob", "c"), ("bob", "c")];
        let pairs = pairs.map(|(user, topic)| (user.to_owned(), topic.to_owned()));
        let svg = draw(&stats(pairs));
        assert_eq!(svg.matches("<path class=\"band").count(), 3);
        for name in ["alice", "bob", "a.b", ">4 lines, "] {
            assert!(svg.contains(name), "{name}: {svg}");
        }
    }

    #[test]
    fn whoever_is_not_among_the_busiest_is_drawn_together() {
        let pairs = (0..1_000).map(|i| (format!("user{i}"), format!("{}.{i}", "x".repeat(150))));
        let svg = draw(&stats(pairs));
        assert_eq!(svg.matches("<rect").count(), 1 + 2 * (SHOWN + 1));
        assert!(svg.contains("976 more users") && svg.contains("976 more topics"));
        assert!(svg.len() < 50_000, "{}", svg.len());
    }

    #[test]
    fn a_record_without_lines_is_a_picture_all_the_same() {
        let svg = draw(&Stats::default());
        assert!(svg.contains("nothing was said") && svg.ends_with("</svg>\n"));
    }
}
