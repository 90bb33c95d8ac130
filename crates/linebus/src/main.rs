//! A message bus that a person can use with telnet
fn main() {}
