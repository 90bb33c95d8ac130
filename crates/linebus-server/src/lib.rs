//! The shell around the broker: listeners, sessions, configuration, shutdown.
//!
//! ```no_run
//! use linebus_server::{Config, Listeners, run};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::default();
//! let listeners = Listeners::bind(&config)?;
//! for address in listeners.addresses() {
//!     println!("listening {address}");
//! }
//! run(listeners, &config, async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The caller owns the listeners, the configuration and the end; the broker inside owns the
//! meaning of every line; this crate owns sockets, tasks and the clock.

mod clock;
pub mod config;
mod link;
mod listener;
mod server;
mod session;
mod tls;
mod workers;

pub use config::{Config, Problem};
pub use listener::{BindError, Listeners};
pub use server::run;
pub use tls::Tls;
