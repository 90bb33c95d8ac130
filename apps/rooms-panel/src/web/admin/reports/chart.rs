//! Drawings of numbers: where their bars are. The templates draw them in two inks.

/// The drawing's width.
pub(super) const WIDTH: f64 = 720.0;
/// The height of the columns.
const COLUMN_MAX: f64 = 140.0;
/// Where columns begin: left of them is the scale.
const LEFT: f64 = 48.0;
/// Each line's height.
const LINE: f64 = 26.0;
/// Where lines begin: left of them are their names.
const NAMES: f64 = 260.0;
/// The longest line; right of it stands its number.
const LINE_MAX: f64 = 340.0;
/// A longer name is cut in the drawing; the table has it whole.
const NAME_MAX: usize = 34;

/// Upright bars in a row.
pub(super) struct Columns {
    /// The largest number, which is what the scale says.
    pub(super) most: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) bars: Vec<Column>,
}

/// Text is what stands there when somebody points at it.
pub(super) struct Column {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) text: String,
}

impl Columns {
    pub(super) fn of(values: impl Iterator<Item = (String, f64)>) -> Self {
        let values: Vec<_> = values.collect();
        let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
        let step = (WIDTH - LEFT) / values.len().max(1) as f64;
        let mut x = LEFT;
        let bars = values.iter().map(|(name, value)| {
            let height = scaled(*value, most, COLUMN_MAX);
            let bar = Column {
                x: number(x),
                y: number(COLUMN_MAX - height),
                width: number(step * 0.8),
                height: number(height),
                text: format!("{name}: {value:.1}"),
            };
            x += step;
            bar
        });
        let bars = bars.collect();
        let end =
            |value: Option<&(String, f64)>| value.map_or(String::new(), |(name, _)| name.clone());
        Self {
            most: format!("{most:.1}"),
            first: end(values.first()),
            last: end(values.last()),
            bars,
        }
    }
}

/// Lying bars, one below the other, each of two parts.
pub(super) struct Lines {
    pub(super) height: String,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) name: String,
    /// Where its text stands.
    pub(super) text_y: String,
    pub(super) y: String,
    /// Of the part in the first ink.
    pub(super) width: String,
    /// Where the second begins.
    pub(super) second_x: String,
    pub(super) second_width: String,
    /// Where its number stands.
    pub(super) value_x: String,
    pub(super) value: String,
}

impl Lines {
    /// A name, its two numbers, and what stands beside it.
    pub(super) fn of(values: impl Iterator<Item = (String, f64, f64, String)>) -> Self {
        let values: Vec<_> = values.collect();
        let most = values.iter().map(|(_, one, other, _)| one + other).fold(0.0, f64::max);
        let mut y = 0.0;
        let lines = values.into_iter().map(|(name, one, other, value)| {
            let (first, second) = (scaled(one, most, LINE_MAX), scaled(other, most, LINE_MAX));
            let line = Line {
                name: cut(&name),
                text_y: number(y + 17.0),
                y: number(y + 5.0),
                width: number(first),
                second_x: number(NAMES + first),
                second_width: number(second),
                value_x: number(NAMES + first + second + 8.0),
                value,
            };
            y += LINE;
            line
        });
        let lines = lines.collect();
        Self { lines, height: number(y) }
    }
}

fn scaled(value: f64, most: f64, length: f64) -> f64 {
    if most > 0.0 { value / most * length } else { 0.0 }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

fn cut(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_is_the_longest_bar() {
        let values = [("a", 2.0), ("b", 4.0), ("c", 0.0)];
        let columns = Columns::of(values.iter().map(|(name, value)| ((*name).to_owned(), *value)));
        let heights: Vec<_> = columns.bars.iter().map(|bar| bar.height.as_str()).collect();
        assert_eq!(heights, ["70.0", "140.0", "0.0"]);
        let lines = Lines::of([("x".repeat(40), 1.0, 3.0, String::new())].into_iter());
        let line = &lines.lines[0];
        assert_eq!(
            (line.width.as_str(), line.second_x.as_str(), line.second_width.as_str()),
            ("85.0", "345.0", "255.0")
        );
        assert_eq!(line.name.chars().count(), NAME_MAX);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(Lines::of(std::iter::empty()).height, "0.0");
        let zero = Columns::of([("a".to_owned(), 0.0)].into_iter());
        assert_eq!((zero.bars[0].height.as_str(), zero.bars[0].y.as_str()), ("0.0", "140.0"));
    }
}
