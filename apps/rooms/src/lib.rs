//! The conference rooms on the bus: room files, devices, simulator, keeper.

pub mod room_file;
pub mod transport;
