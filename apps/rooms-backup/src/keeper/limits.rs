//! How much a keeper takes.

use std::time::Duration;

use crate::parts::PART_BYTES_MAX;
use crate::retry::Patience;
use crate::{DATA_SET_BYTES_MAX, DATA_SETS_MAX};

/// How much a keeper takes; beyond, it refuses and says so.
#[derive(Debug, Clone)]
pub struct KeeperLimits {
    /// Of one content; beyond: `too-large`.
    pub data_set_bytes_max: usize,
    /// Of one owner, those that are gone among them; beyond: `too-many`.
    pub data_sets_max: usize,
    /// Beyond: `too-many`.
    pub owners_max: usize,
    /// Under way at one time; beyond: `busy`.
    pub transfers_max: usize,
    /// Of all contents under way, as announced; beyond: `busy`.
    pub transfer_bytes_max: usize,
    /// A transfer of which nothing came for so long is forgotten; its owner announces it again.
    pub silence_max: Duration,
    /// Catalogues that are held for those who asked; beyond, the oldest is forgotten, and who
    /// still wants it is told `unknown` and asks again.
    pub catalogues_max: usize,
    /// Of all contents that are being fetched and held in memory for it; beyond, the one for which
    /// nobody has asked the longest is forgotten, and read again when it is asked for.
    pub fetched_bytes_max: usize,
    /// How long to wait for parts before asking again.
    pub patience: Patience,
    /// The size of the parts that it asks for.
    pub part_bytes: usize,
}

impl Default for KeeperLimits {
    fn default() -> Self {
        Self {
            data_set_bytes_max: DATA_SET_BYTES_MAX,
            data_sets_max: DATA_SETS_MAX,
            owners_max: 256,
            transfers_max: 64,
            transfer_bytes_max: 4 * DATA_SET_BYTES_MAX,
            silence_max: Duration::from_secs(120),
            catalogues_max: 16,
            fetched_bytes_max: 4 * DATA_SET_BYTES_MAX,
            patience: Patience::default(),
            part_bytes: PART_BYTES_MAX,
        }
    }
}
