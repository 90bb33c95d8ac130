//! Which rooms are connected, and what is to be done about it: no IO, no clock.
