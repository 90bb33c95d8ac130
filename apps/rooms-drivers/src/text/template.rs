//! Texts with places for values: `kf {set_id} {volume:02x}`. Each character is one byte.

/// A text with places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place { name: String, width: usize, hexadecimal: bool },
}

impl Template {
    /// Reads a text; `{{` is a brace.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        bytes(text)?;
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                plain.push('{');
                rest = after;
                continue;
            }
            let (place, after) =
                rest.split_once('}').ok_or("a { has no }; a brace is written {{")?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(place_of(place)?);
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Template { pieces })
    }

    /// The places' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text with values in its places; what has no value is left out.
    pub(super) fn fill<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Place { name, width, hexadecimal } => {
                    let value = value(name).unwrap_or_default();
                    match value.parse::<u32>() {
                        Ok(number) if *hexadecimal => text.push_str(&format!("{number:0width$x}")),
                        Ok(number) if *width > 0 => text.push_str(&format!("{number:0width$}")),
                        _ => text.push_str(value),
                    }
                }
            }
        }
        text
    }
}

/// `volume`, `volume:03`, `volume:02x`.
fn place_of(place: &str) -> Result<Piece, String> {
    let (name, form) = place.split_once(':').unwrap_or((place, ""));
    let digits = form.strip_suffix('x').unwrap_or(form);
    let width = if digits.is_empty() { Ok(0) } else { digits.parse() };
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-".contains(&byte));
    match width {
        Ok(width @ 0..=9) if is_name => {
            Ok(Piece::Place { name: name.to_owned(), width, hexadecimal: form.ends_with('x') })
        }
        _ => Err(format!(
            "{{{place}}} is not understood; write {{name}}, {{name:03}} or {{name:02x}}"
        )),
    }
}

/// Characters as bytes.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let byte = |char: char| {
        u8::try_from(char)
            .map_err(|_| format!("{char:?} is more than a byte; use \\u0000 to \\u00FF"))
    };
    text.chars().map(byte).collect()
}

/// Bytes as characters.
pub(super) fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
