//! The conference rooms on the bus: room files, devices, simulator, keeper.

pub mod devices;
pub mod ports;
pub mod room_file;
pub mod simulate;
pub mod transport;
