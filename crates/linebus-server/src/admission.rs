//! Who is taken on: how many connections there may be in all and of one address, and how fast one
//! address may make new ones. What a connection then does is the broker's affair.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Limits on connections; 0 means no limit, but for `connections_max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Most connections at a time. One more is told `bye busy`.
    pub connections_max: usize,
    /// Most connections of one address at a time (an IPv6 /64 is one address). One more is told
    /// `bye busy`.
    pub connections_per_address_max: usize,
    /// New connections of one address per second, so many of which may come at once. One more is
    /// told `bye busy`.
    pub connections_per_address_per_second: u32,
    /// Limits per address hold for this machine's own clients, too.
    pub also_loopback: bool,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            connections_max: 50_000,
            connections_per_address_max: 64,
            connections_per_address_per_second: 50,
            also_loopback: false,
        }
    }
}

/// Why a connection is not taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    Connections(usize),
    PerAddress(usize),
    PerSecond(u32),
}

impl NotAdmitted {
    /// All words that there are.
    pub(crate) const WORDS: [&str; 3] =
        ["connections", "connections_per_address", "connections_per_address_per_second"];

    /// One word for logs and metrics.
    pub(crate) fn word(self) -> &'static str {
        let [all, per_address, per_second] = Self::WORDS;
        match self {
            Self::Connections(_) => all,
            Self::PerAddress(_) => per_address,
            Self::PerSecond(_) => per_second,
        }
    }
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connections(max) => {
                write!(f, "all {max} connections are taken; try again later")
            }
            Self::PerAddress(max) => write!(f, "your address has {max} connections already"),
            Self::PerSecond(max) => {
                write!(
                    f,
                    "your address makes more than {max} connections per second; wait a little"
                )
            }
        }
    }
}

/// Most connections that are being told why they are not taken on, beyond the limit of all. One
/// more is closed without a word.
const REFUSED_MAX: usize = 256;

/// Counts who is there.
#[derive(Debug, Default)]
pub(crate) struct Doorkeeper {
    counts: Mutex<Counts>,
    /// One clone for each connection that is being refused.
    refused: Arc<()>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// Addresses with connections, or whose last ones are not paid for yet. The standard hasher is
    /// seeded: the keys are the network's choice.
    addresses: HashMap<IpAddr, Address>,
    /// So many addresses were left when those that mean nothing any more were last taken out.
    swept: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Address {
    connections: usize,
    /// When all its new connections so far will have been paid for, at the rate that is allowed.
    paid: Duration,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    doorkeeper: Arc<Doorkeeper>,
    address: Option<IpAddr>,
}

/// A connection that is being told why it is not taken on.
#[derive(Debug)]
pub(crate) struct Refused(#[expect(dead_code, reason = "counted by its clones")] Arc<()>);

impl Doorkeeper {
    /// Room for one more to be told why; none if too many are.
    pub(crate) fn refuse(&self) -> Option<Refused> {
        let room = Arc::strong_count(&self.refused) <= REFUSED_MAX;
        room.then(|| Refused(Arc::clone(&self.refused)))
    }

    /// Takes on a connection from `address`; none for one of this machine that is not limited.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        limits: &Admission,
        now: Duration,
    ) -> Result<Admitted, NotAdmitted> {
        let address = address
            .map(|address| address.to_canonical())
            .filter(|address| limits.also_loopback || !address.is_loopback())
            .map(network);
        let mut counts = self.counts.lock();
        if counts.all >= limits.connections_max {
            return Err(NotAdmitted::Connections(limits.connections_max));
        }
        if let Some(address) = address {
            counts.sweep(now);
            let known = counts.addresses.entry(address).or_default();
            let most = limits.connections_per_address_max;
            if most > 0 && known.connections >= most {
                return Err(NotAdmitted::PerAddress(most));
            }
            let per_second = limits.connections_per_address_per_second;
            if per_second > 0 {
                let second = Duration::from_secs(1);
                let paid = known.paid.max(now) + second / per_second;
                if paid > now + second {
                    return Err(NotAdmitted::PerSecond(per_second));
                }
                known.paid = paid;
            }
            known.connections += 1;
        }
        counts.all += 1;
        Ok(Admitted { doorkeeper: Arc::clone(self), address })
    }
}

impl Counts {
    /// Forgets addresses that are not connected, each time their number has doubled.
    fn sweep(&mut self, now: Duration) {
        if self.addresses.len() > 2 * self.swept.max(512) {
            self.addresses.retain(|_, known| known.connections > 0 || known.paid > now);
            self.swept = self.addresses.len();
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.doorkeeper.counts.lock();
        counts.all -= 1;
        if let Some(known) = self.address.and_then(|address| counts.addresses.get_mut(&address)) {
            known.connections -= 1;
        }
    }
}

/// What counts as one address: whoever has one IPv6 address usually has its /64 (RFC 6177).
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000);

    fn limits() -> Admission {
        Admission {
            connections_max: 5,
            connections_per_address_max: 2,
            connections_per_address_per_second: 0,
            also_loopback: false,
        }
    }

    fn admit(
        doorkeeper: &Arc<Doorkeeper>,
        address: &str,
        limits: &Admission,
        now: Duration,
    ) -> Result<Admitted, NotAdmitted> {
        doorkeeper.admit(Some(address.parse().expect("an address")), limits, now)
    }

    #[test]
    fn an_address_has_its_limit_and_a_place_that_is_left_is_free_again() {
        let doorkeeper = Arc::default();
        let one = admit(&doorkeeper, "192.0.2.1", &limits(), NOW).expect("the first");
        let _two = admit(&doorkeeper, "::ffff:192.0.2.1", &limits(), NOW).expect("the second");
        let third = admit(&doorkeeper, "192.0.2.1", &limits(), NOW);
        assert_eq!(third.expect_err("one too many"), NotAdmitted::PerAddress(2));
        let _other = admit(&doorkeeper, "192.0.2.2", &limits(), NOW).expect("another address");
        drop(one);
        let _again = admit(&doorkeeper, "192.0.2.1", &limits(), NOW).expect("there is room again");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let doorkeeper = Arc::default();
        let _one = admit(&doorkeeper, "2001:db8::1", &limits(), NOW).expect("the first");
        let _two = admit(&doorkeeper, "2001:db8::2", &limits(), NOW).expect("the second");
        admit(&doorkeeper, "2001:db8::3", &limits(), NOW).expect_err("one too many");
        let _other = admit(&doorkeeper, "2001:db8:0:1::1", &limits(), NOW).expect("another");
    }

    #[test]
    fn this_machine_is_exempt_unless_configured_but_counts() {
        let doorkeeper = Arc::default();
        let here: Vec<_> =
            (0..5).map(|_| admit(&doorkeeper, "127.0.0.1", &limits(), NOW)).collect();
        assert!(here.iter().all(Result::is_ok));
        let sixth = admit(&doorkeeper, "127.0.0.1", &limits(), NOW);
        assert_eq!(sixth.expect_err("one too many"), NotAdmitted::Connections(5));
        drop(here);
        let limits = Admission { also_loopback: true, ..limits() };
        let _two = [(); 2].map(|()| admit(&doorkeeper, "127.0.0.1", &limits, NOW).expect("two"));
        admit(&doorkeeper, "127.0.0.1", &limits, NOW).expect_err("one too many");
    }

    #[test]
    fn new_connections_come_at_the_rate_that_is_allowed() {
        let doorkeeper = Arc::default();
        let limits = Admission {
            connections_per_address_max: 0,
            connections_per_address_per_second: 10,
            ..limits()
        };
        let come = |now| admit(&doorkeeper, "192.0.2.1", &limits, now).map(drop);
        let burst = (0..20).filter(|_| come(NOW).is_ok()).count();
        assert_eq!(burst, 10);
        assert_eq!(come(NOW), Err(NotAdmitted::PerSecond(10)));
        assert_eq!(come(NOW + Duration::from_millis(100)), Ok(()));
        assert_eq!(come(NOW + Duration::from_millis(100)), Err(NotAdmitted::PerSecond(10)));
    }

    #[test]
    fn addresses_that_are_gone_are_forgotten() {
        let doorkeeper: Arc<Doorkeeper> = Arc::default();
        for number in 0..100_000_u32 {
            let address = Some(IpAddr::from(number.to_be_bytes()));
            let now = NOW + Duration::from_millis(u64::from(number));
            drop(doorkeeper.admit(address, &limits(), now).expect("it may come"));
        }
        assert!(doorkeeper.counts.lock().addresses.len() < 4_096);
    }
}
