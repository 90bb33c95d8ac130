//! Three rooms for a long time, whatever comes: late commands, cut lines, remote controls, restarts.
//! Time passes as the timers want it. A failure prints its seed.

use arbtest::arbitrary::Unstructured;
use arbtest::arbtest;

use super::world::{ALWAYS, Action, Setup, World};
use crate::{Incoming, Pairing};

/// More quiet actions than that, and it goes round in circles.
const QUIET_MAX: usize = 1000;

#[test]
fn three_rooms_for_a_long_time_end_well() {
    arbtest(|u| {
        let setup = Setup {
            rooms: 3,
            incoming: *u.choose(&[Incoming::Open, Incoming::Ask])?,
            pairing: Pairing::DialAnswer,
            presses: ALWAYS,
            faults: ALWAYS,
            missing: None,
            restarts: true,
            sleeps: true,
            cut_at_once: 3,
            deafness: true,
            late: true,
        };
        let mut world = World::new(&setup);
        let mut past = Vec::new();
        while !u.is_empty() {
            let calm = u.ratio(1, 2)?;
            let actions = if calm { world.quiet_actions() } else { world.actions(&setup) };
            act(&mut world, &actions, u, &setup, &mut past)?;
        }
        for _ in 0..QUIET_MAX {
            if world.complaint().is_none() {
                return Ok(());
            }
            let actions = world.quiet_actions();
            act(&mut world, &actions, u, &setup, &mut past)?;
        }
        panic!("{:?} after\n{past:?}", world.complaint());
    })
    .size_max(4096)
    .budget_ms(1000);
}

fn act(
    world: &mut World,
    actions: &[Action],
    u: &mut Unstructured<'_>,
    setup: &Setup,
    past: &mut Vec<Action>,
) -> arbtest::arbitrary::Result<()> {
    if actions.is_empty() {
        return Ok(());
    }
    let action = match u.choose(actions)? {
        Action::Ring(_) => Action::Pass,
        action => *action,
    };
    past.push(action);
    if let Err(broken) = world.act(action, setup) {
        panic!("{broken} after\n{past:?}");
    }
    Ok(())
}
