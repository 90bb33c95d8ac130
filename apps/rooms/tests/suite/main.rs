//! `rooms` as people run it, and its parts against what nobody here wrote.

mod acceptance;
mod bridges;
mod check;
mod devices;
mod models;
mod programs;
mod simulate;
