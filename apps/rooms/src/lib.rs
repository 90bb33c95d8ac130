//! The conference rooms on the bus: room files, devices, simulator, keeper.

pub mod backup;
pub mod devices;
pub mod keeper;
pub mod ports;
pub mod simulate;
pub mod store;
mod telnet;
pub mod transport;
