//! Transcript runner and process spawner for the tests of linebus
