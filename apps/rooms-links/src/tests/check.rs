//! A breadth-first search through everything that can happen, and the proof that from each state,
//! once the world is quiet, every way leads to a good one.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::world::{Action, Setup, World};

/// What was found.
pub(crate) struct Findings {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    /// How many states there are from which some quiet way never gets to a good one.
    pub(crate) dead_ends: usize,
    /// How to get to the first of them, and what is wrong there.
    pub(crate) example: String,
}

struct Node {
    parent: u32,
    action: Option<Action>,
    good: bool,
    quiet: Vec<u32>,
}

/// Visits all states, at most `states_max`.
///
/// # Panics
/// When a promise is broken on the way, or there are more states.
pub(crate) fn search(setup: &Setup, states_max: usize) -> Findings {
    let mut nodes: Vec<Node> = Vec::new();
    let mut known: HashMap<u64, u32> = HashMap::new();
    let mut level = Vec::new();
    let mut steps = 0;
    let start = World::new(setup);
    known.insert(start.fingerprint(), 0);
    nodes.push(Node { parent: 0, action: None, good: start.complaint().is_none(), quiet: vec![] });
    level.push((0_u32, start));
    while !level.is_empty() {
        let mut next = Vec::new();
        for (at, world) in level.drain(..) {
            let quiet = world.quiet_actions();
            for action in world.actions(setup) {
                let mut then = world.clone();
                if let Err(broken) = then.act(action, setup) {
                    eprintln!("{:?}", world.links.links);
                    panic!("{broken}\n{}{action:?}\n", path(&nodes, at));
                }
                steps += 1;
                let index = *known.entry(then.fingerprint()).or_insert_with(|| {
                    let index = u32::try_from(nodes.len()).expect("fewer states than memory");
                    let good = then.complaint().is_none();
                    nodes.push(Node { parent: at, action: Some(action), good, quiet: vec![] });
                    next.push((index, then));
                    index
                });
                if quiet.contains(&action) {
                    nodes[at as usize].quiet.push(index);
                }
            }
            assert!(nodes.len() <= states_max, "more than {states_max} states");
        }
        level = next;
    }
    let settled = settled(&nodes);
    let first = settled.iter().position(|settled| !settled);
    let example = first.map_or_else(String::new, |first| {
        let first = u32::try_from(first).expect("an index of a state");
        let is_settled = |world: &World| settled[known[&world.fingerprint()] as usize];
        format!("{}{}", path(&nodes, first), lost_way(setup, &actions(&nodes, first), is_settled))
    });
    let dead_ends = settled.iter().filter(|settled| !**settled).count();
    Findings { states: nodes.len(), steps, dead_ends, example }
}

/// How a quiet world gets nowhere after some actions: until it is stuck or was there before.
fn lost_way(setup: &Setup, actions: &[Action], is_settled: impl Fn(&World) -> bool) -> String {
    let mut world = World::new(setup);
    for action in actions {
        world.act(*action, setup).expect("it was visited");
    }
    let mut text = "then nobody does anything:\n".to_owned();
    let mut been = HashSet::new();
    while been.insert(world.fingerprint()) {
        let next = world.quiet_actions().into_iter().find_map(|action| {
            let mut then = world.clone();
            then.act(action, setup).expect("it was visited");
            (!is_settled(&then)).then_some((action, then))
        });
        let Some((action, then)) = next else { break };
        writeln!(text, "{action:?}").expect("writing to a string");
        world = then;
    }
    text + &world.complaint().unwrap_or_default()
}

/// Takes away states that are good, then those whose quiet ways all lead to such, until none is
/// left to take. What remains goes round in circles or is stuck.
fn settled(nodes: &[Node]) -> Vec<bool> {
    let mut before: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
    let mut ways: Vec<_> = nodes.iter().map(|node| node.quiet.len()).collect();
    let mut settled: Vec<_> = nodes.iter().map(|node| node.good).collect();
    let mut queue = Vec::new();
    for (at, node) in (0_u32..).zip(nodes) {
        for next in &node.quiet {
            before[*next as usize].push(at);
        }
        if node.good {
            queue.push(at);
        }
    }
    while let Some(at) = queue.pop() {
        for previous in &before[at as usize] {
            let previous_index = *previous as usize;
            ways[previous_index] -= 1;
            if ways[previous_index] == 0 && !settled[previous_index] {
                settled[previous_index] = true;
                queue.push(*previous);
            }
        }
    }
    settled
}

fn actions(nodes: &[Node], mut at: u32) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(action) = nodes[at as usize].action {
        actions.push(action);
        at = nodes[at as usize].parent;
    }
    actions.reverse();
    actions
}

fn path(nodes: &[Node], at: u32) -> String {
    actions(nodes, at).iter().map(|action| format!("{action:?}\n")).collect()
}
