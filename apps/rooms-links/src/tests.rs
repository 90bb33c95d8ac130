//! One test per row of the tables and per rule, the model check, and long random runs.

mod check;
mod model;
mod world;
