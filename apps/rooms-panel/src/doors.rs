//! Who comes in: tokens, passwords, attempts, and what a page may do in a browser.

pub mod attempts;
pub mod password;
mod token;

pub use token::Token;
