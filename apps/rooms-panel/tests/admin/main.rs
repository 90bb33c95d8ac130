//! The administration's pages, as a browser asks for them: through all doors, over a real bus and a
//! real database, with somebody on the bus who answers as the interface process does.

mod changes;
mod doors;
mod files;
mod history;
mod support;
