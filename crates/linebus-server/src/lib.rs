//! The shell around the broker: listeners, sessions, configuration, shutdown
