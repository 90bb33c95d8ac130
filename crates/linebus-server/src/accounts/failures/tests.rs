//! What an address has failed is remembered long enough, and no longer, and for few addresses.

use super::*;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("it is an address"))
}

#[test]
fn the_wait_doubles_up_to_its_maximum_and_is_forgotten() {
    let mut failures = Failures::new(20, 16);
    let now = Instant::now();
    let waits: Vec<_> = (0..8).map(|_| failures.add(None, now).as_millis()).collect();
    assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    let later = now + FORGOTTEN_AFTER - Duration::from_millis(1);
    assert_eq!(failures.add(None, later), DELAY_MAX);
    assert_eq!(failures.add(None, later + FORGOTTEN_AFTER), DELAY_FIRST);
}

#[test]
fn an_address_fails_so_often_in_a_minute_and_then_waits_for_the_next() {
    let mut failures = Failures::new(3, 16);
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    let client = address("192.0.2.1");
    for seconds in 0..3 {
        assert_eq!(failures.check(client, after(seconds)), Ok(()));
        failures.add(client, after(seconds));
    }
    assert_eq!(failures.check(client, after(20)), Err(Duration::from_secs(40)));
    assert_eq!(failures.check(address("192.0.2.2"), after(20)), Ok(()));
    assert_eq!(failures.check(client, after(60)), Ok(()));
    failures.add(client, after(60));
    assert_eq!(failures.check(client, after(60)), Ok(()), "a new minute has begun");
}

#[test]
fn one_network_is_one_address() {
    let mut failures = Failures::new(1, 16);
    let now = Instant::now();
    failures.add(address("2001:db8:1:2:3::4"), now);
    failures.add(address("::ffff:192.0.2.1"), now);
    failures.add(None, now);
    let stopped = |text| failures.check(address(text), now).is_err();
    assert!(stopped("2001:db8:1:2:ffff::1") && !stopped("2001:db8:1:3::1"));
    assert!(stopped("192.0.2.1") && !stopped("192.0.2.2"));
    assert!(failures.check(None, now).is_err() && !stopped("127.0.0.1") && !stopped("::1"));
}

#[test]
fn the_addresses_that_are_remembered_are_few_and_the_latest() {
    let mut failures = Failures::new(1, 100);
    let now = Instant::now();
    let numbered = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
    for number in 0..1_000 {
        failures.add(numbered(number), now);
        // It fails again and again and is not forgotten for all the others.
        failures.add(address("192.0.2.1"), now);
        assert!(failures.len() <= 100, "{}", failures.len());
    }
    assert!(failures.check(address("192.0.2.1"), now).is_err());
    assert!((960..1_000).all(|number| failures.check(numbered(number), now).is_err()));
    assert!(failures.check(numbered(0), now).is_ok());
}
