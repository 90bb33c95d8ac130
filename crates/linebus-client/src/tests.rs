//! The client's promises, each against a peer that follows a script. The clock stands still but
//! where everybody waits for it, so that no test takes longer than its work.

mod answers;
mod asking;
mod backpressure;
mod connecting;
mod loss;
mod peer;
mod sending;
