//! The keeper, the owner and the restore, alone and with each other.

mod channel;
mod keeper;
mod memory;
mod owner;
mod page;
mod restore;
