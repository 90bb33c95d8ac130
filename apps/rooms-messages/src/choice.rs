//! Words of which one must be chosen, as enums: `on`, `off`, `toggle`.

use thiserror::Error;

/// A word that is none of those that may stand there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{given:?} is none of {}", choices.join(", "))]
pub struct NotOneOf {
    /// The word.
    pub given: String,
    /// What may stand there.
    pub choices: Vec<&'static str>,
}

/// An enum whose variants are words.
macro_rules! choice {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name { $($(#[$about])* $variant,)+ }

        impl $name {
            /// All of them.
            $vis const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            $vis const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::choice::NotOneOf;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word).ok_or_else(|| {
                    $crate::choice::NotOneOf {
                        given: word.to_owned(),
                        choices: Self::ALL.iter().map(|choice| choice.word()).collect(),
                    }
                })
            }
        }
    };
}
pub(crate) use choice;
