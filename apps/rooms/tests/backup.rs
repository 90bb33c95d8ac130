//! Backup and restore as people run them, and a keeper that is killed and started again.

mod backup {
    pub(super) mod commands;
    pub(super) mod killed;
    pub(super) mod processes;
    pub(super) mod trouble;
}
