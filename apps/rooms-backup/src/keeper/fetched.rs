//! The contents that are being fetched, so that the store reads and checks each of them once, and
//! not for every question of 64 parts.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::hash::Hash;
use crate::name::OwnerName;

/// Contents that were asked for and not yet to their end.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// The one that was asked for last is the last.
    contents: VecDeque<(OwnerName, Hash, Arc<[u8]>)>,
}

impl Fetched {
    /// Takes a content out.
    pub(super) fn take(&mut self, owner: &OwnerName, hash: Hash) -> Option<Arc<[u8]>> {
        let is_it = |(of, known, _): &(OwnerName, Hash, _)| of == owner && *known == hash;
        let at = self.contents.iter().position(is_it)?;
        self.contents.remove(at).map(|(_, _, content)| content)
    }

    /// Holds a content until it is asked for again. Of all together at most `bytes_max` are held:
    /// those go first for which nobody has asked the longest.
    pub(super) fn hold(
        &mut self,
        owner: OwnerName,
        hash: Hash,
        content: Arc<[u8]>,
        bytes_max: usize,
    ) {
        self.contents.push_back((owner, hash, content));
        let mut bytes: usize = self.contents.iter().map(|(_, _, content)| content.len()).sum();
        while bytes > bytes_max
            && let Some((_, _, content)) = self.contents.pop_front()
        {
            bytes -= content.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_asked_for_last_are_held_up_to_the_limit() {
        let owner: OwnerName = "rooms".parse().expect("a name");
        let mut fetched = Fetched::default();
        let hashes: Vec<_> = (0..4_u8).map(|number| Hash::of(&[number])).collect();
        let hold = |fetched: &mut Fetched, at: usize, bytes: usize| {
            fetched.hold(owner.clone(), hashes[at], vec![0; bytes].into(), 10);
        };
        (0..3).for_each(|at| hold(&mut fetched, at, 4));
        let first = fetched.take(&owner, hashes[0]);
        assert_eq!(first, None, "12 bytes would be too many");
        let second = fetched.take(&owner, hashes[1]).expect("it is held");
        assert_eq!(fetched.take(&owner, hashes[1]), None, "it was taken");
        assert_eq!(fetched.take(&"others".parse().expect("a name"), hashes[2]), None);
        hold(&mut fetched, 1, second.len());
        hold(&mut fetched, 3, 6);
        assert_eq!(fetched.take(&owner, hashes[2]), None, "nobody has asked for it the longest");
        assert!(fetched.take(&owner, hashes[1]).is_some());
        hold(&mut fetched, 0, 11);
        assert!(fetched.contents.is_empty(), "too large by itself");
    }
}
