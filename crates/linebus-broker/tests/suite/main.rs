//! The broker from outside, without IO. One program, so that tests of different files run side by
//! side and are linked once.

mod backlog;
mod groups;
mod permissions;
mod properties;
mod routing;
mod simulation;
mod stats;
mod stress;
