//! What only its bearer knows: in a cookie there, as a hash here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::records::TokenHash;

/// Digits of the code that makes a tablet a panel.
const CODE_DIGITS: u32 = 8;

/// A secret of a session, a panel, or an enrolment.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// 256 random bits.
    #[must_use]
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
    }

    /// Eight digits that a person can type, good for one use within minutes.
    #[must_use]
    pub fn code() -> Self {
        let number = u64::from_le_bytes(random_bytes()) % 10_u64.pow(CODE_DIGITS);
        Self(format!("{number:0width$}", width = CODE_DIGITS as usize))
    }

    /// What somebody says is one.
    #[must_use]
    pub fn said(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_whitespace()).collect())
    }

    /// What the bearer keeps.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept here.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// What a form of this bearer's pages carries: another site can't know it.
    #[must_use]
    pub fn csrf(&self) -> String {
        let digest = Sha256::new().chain_update(b"form of ").chain_update(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(secret)")
    }
}

/// # Panics
/// The system has no randomness; nothing secret can be made then.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (Token::random(), Token::random());
        assert_eq!(one.as_str().len(), 43);
        assert_ne!(one, other);
        assert_ne!(one.csrf(), other.csrf());
        assert_ne!(one.csrf(), one.hash().to_string());
        assert_eq!(format!("{one:?}"), "Token(secret)");
    }

    #[test]
    fn a_code_is_eight_digits_and_may_be_typed_with_blanks() {
        let code = Token::code();
        assert!(code.as_str().len() == 8 && code.as_str().bytes().all(|b| b.is_ascii_digit()));
        let (a, b) = code.as_str().split_at(4);
        assert_eq!(Token::said(&format!(" {a} {b}")).hash(), code.hash());
    }
}
