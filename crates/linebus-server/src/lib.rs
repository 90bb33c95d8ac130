//! The shell around the broker: listeners, sessions, configuration, shutdown.
//!
//! ```no_run
//! use linebus_server::{Config, Control, Listeners, controls, run};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::default();
//! let listeners = Listeners::bind(&config)?;
//! for address in listeners.addresses() {
//!     println!("listening {address}");
//! }
//! let (controller, controls) = controls();
//! tokio::spawn(async move {
//!     tokio::signal::ctrl_c().await.unwrap_or(());
//!     controller.ask(Control::Shutdown);
//! });
//! run(listeners, &config, controls).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The caller owns the listeners, the configuration and the end; the broker inside owns the
//! meaning of every line; this crate owns sockets, tasks and the clock.

pub mod accounts;
mod admission;
mod clock;
pub mod config;
mod control;
mod files;
mod http;
mod link;
mod listener;
mod log_quota;
mod logins;
mod metrics;
mod recording;
mod reload;
mod server;
mod session;
mod tls;
mod workers;

pub use config::{Config, Problem};
pub use control::{Control, Controller, Controls, controls};
pub use linebus_record as record;
pub use listener::{BindError, Listeners};
pub use reload::Source;
pub use server::run;
