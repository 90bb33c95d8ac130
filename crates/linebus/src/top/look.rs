//! What the terminal can show: colours, and letters beyond ASCII.

use std::env::var;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

use crate::print::escape;

/// Colours are those of any terminal, and nothing is said by colour alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) colour: bool,
    pub(super) unicode: bool,
}

impl Look {
    /// Goes by `NO_COLOR` (no-color.org), by `TERM` for DEC's terminals, which have no colours,
    /// and by the locale: `LC_ALL`, or else `LC_CTYPE`, or else `LANG` (POSIX, 8.2).
    pub(super) fn of_environment() -> Self {
        let set = |name: &str| var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        Self {
            colour: set("NO_COLOR").is_none()
                && !set("TERM").is_some_and(|term| term.starts_with("vt")),
            unicode: locale.is_some_and(|locale| is_utf8(&locale)),
        }
    }

    fn inked(self, style: Style, colour: Color) -> Style {
        if self.colour { style.fg(colour) } else { style }
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn alarm(self) -> Style {
        self.inked(self.strong(), Color::Red)
    }

    pub(super) fn warning(self) -> Style {
        self.inked(self.strong(), Color::Yellow)
    }

    pub(super) fn heading(self) -> Style {
        self.inked(self.strong(), Color::Cyan)
    }

    pub(super) fn chosen(self) -> Style {
        self.heading().add_modifier(Modifier::REVERSED)
    }

    /// What a rule is drawn with.
    pub(super) fn dash(self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }

    /// What stands where something was cut off.
    fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "~" }
    }

    /// Text from others, as it may be shown here.
    pub(super) fn clean(self, text: &str) -> String {
        let mut text = escape(text).replace('\t', " ");
        if !self.unicode && !text.is_ascii() {
            text = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        }
        text
    }

    /// Cleaned, and cut to `width` columns of the terminal.
    pub(super) fn cut(self, text: &str, width: usize) -> String {
        // No character that is left takes less than a column, but those that combine; a few are
        // enough of them.
        let some: String = text.chars().take(width.saturating_mul(4) + 1).collect();
        let mut shown = self.clean(&some);
        if Span::raw(&shown).width() <= width && some.len() == text.len() {
            return shown;
        }
        while Span::raw(&shown).width() > width.saturating_sub(1) {
            shown.pop();
        }
        if width > 0 {
            shown.push_str(self.ellipsis());
        }
        shown
    }
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_fits_and_shows_that_it_was_cut() {
        let [rich, plain] = [true, false].map(|unicode| Look { colour: false, unicode });
        for (text, width, in_unicode, in_ascii) in [
            ("short", 5, "short", "short"),
            ("longer", 5, "long…", "long~"),
            ("x", 0, "", ""),
            ("längs", 5, "längs", "l?ngs"),
            ("\u{1b}[2J", 20, "\\u{1b}[2J", "\\u{1b}[2J"),
            ("a\tb", 3, "a b", "a b"),
            // Two columns each.
            ("漢字漢字", 5, "漢字…", "????"),
        ] {
            assert_eq!(rich.cut(text, width), in_unicode);
            assert_eq!(plain.cut(text, width), in_ascii);
        }
        assert_eq!(rich.cut(&"x".repeat(1_000_000), 3), "xx…");
    }

    #[test]
    fn locales_say_whether_they_are_utf8() {
        for locale in ["de_AT.UTF-8", "C.utf8", "en_US.UTF8@euro"] {
            assert!(is_utf8(locale), "{locale}");
        }
        for locale in ["C", "POSIX", "de_AT@euro", "de_AT.ISO-8859-1"] {
            assert!(!is_utf8(locale), "{locale}");
        }
    }
}
