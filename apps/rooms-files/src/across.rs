//! What may stand only once among all rooms: ids, addresses, numbers. Two that claim the same
//! would act on each other's device or call.

use std::collections::HashMap;
use std::path::PathBuf;

use super::mistake::{Mistake, Severity};

/// A value that a place in a file has for itself.
pub(super) struct Claim {
    /// What it is: `room id`.
    pub(super) what: &'static str,
    pub(super) value: String,
    pub(super) within: Within,
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) key: String,
}

/// Where nobody else may have it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// The same file.
    File,
    /// All other files.
    Others,
    /// All files.
    All,
    /// All files, but others who say so may have it, too: a controller takes many connections.
    Shared,
}

/// A mistake for each place that claims what an earlier one has.
pub(super) fn check(claims: &[Claim]) -> Vec<Mistake> {
    let mut first: HashMap<_, &Claim> = HashMap::new();
    let mut mistakes = Vec::new();
    for claim in claims {
        let file = (claim.within == Within::File).then_some(&claim.file);
        let earlier = *first.entry((claim.what, &claim.value, file)).or_insert(claim);
        let shared = earlier.within == Within::Shared && claim.within == Within::Shared;
        let own = claim.within == Within::Others && earlier.file == claim.file;
        if std::ptr::eq(earlier, claim) || shared || own {
            continue;
        }
        mistakes.push(Mistake {
            file: claim.file.clone(),
            line: claim.line,
            key: claim.key.clone(),
            text: format!(
                "the {} {:?} is taken: {} in line {} of {}",
                claim.what,
                claim.value,
                earlier.key,
                earlier.line,
                earlier.file.display()
            ),
            severity: Severity::Error,
        });
    }
    mistakes
}
