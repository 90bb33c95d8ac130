//! Drivers of the rooms' devices: bytes and commands in, bytes and facts out.
