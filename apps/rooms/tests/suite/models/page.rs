//! SIMULATOR.md is right: what is ordered there is answered so.

use std::collections::VecDeque;
use std::path::Path;

use super::rig::Rig;

/// Longer than any order on the page waits for its answer.
const PATIENCE_SECONDS: u64 = 10;

#[test]
fn orders_on_the_page_are_answered_as_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("SIMULATOR.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let (mut block, mut orders) = (None, 0);
    for (line, number) in page.lines().zip(1..) {
        match (&mut block, line) {
            (None, "```telnet") => block = Some(Session::begin()),
            (Some(session), "```") => {
                session.ends(number);
                block = None;
            }
            (Some(session), _) => orders += usize::from(session.line(line, number)),
            (None, _) => {}
        }
    }
    assert!(block.is_none() && orders > 20, "{orders} orders were tried");
}

/// A person with telnet. Each block begins with devices as they were built, and controllers.
struct Session {
    rig: Rig,
    said: VecDeque<String>,
}

impl Session {
    fn begin() -> Self {
        let mut rig = Rig::of_example();
        rig.run(10);
        Self { rig, said: VecDeque::new() }
    }

    /// Whether it was an order.
    fn line(&mut self, line: &str, number: usize) -> bool {
        if let Some(order) = line.strip_prefix("send simulator ") {
            self.ends(number);
            let last = self.rig.order(order);
            self.said.extend(self.rig.answers());
            self.said.extend((!last.is_empty()).then_some(last));
            return true;
        }
        if let Some(answer) = line.strip_prefix("recv simulator ") {
            if self.said.is_empty() {
                self.rig.run(PATIENCE_SECONDS);
                self.said.extend(self.rig.answers());
            }
            assert_eq!(self.said.pop_front().as_deref(), Some(answer), "line {number}");
            return false;
        }
        assert!(["recv simulator", "ok recv simulator"].contains(&line), "line {number}: {line}");
        false
    }

    fn ends(&self, number: usize) {
        assert!(self.said.is_empty(), "before line {number} it also says {:?}", self.said);
    }
}
