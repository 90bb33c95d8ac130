//! Tables, as Markdown that also reads well on a terminal: columns are padded to one width.

use std::fmt;

/// A table with its heading.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(title: &str, header: &[&str]) -> Table {
        Table {
            title: title.to_owned(),
            header: header.iter().map(|&word| word.to_owned()).collect(),
            rows: Vec::new(),
        }
    }
}

/// The first column is left-aligned, numbers in the others to the right.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&self.header]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, row: &[String]| {
            for (column, width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                match column {
                    0 => write!(f, "| {cell:<width$} ")?,
                    _ => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")
        };
        line(f, &self.header)?;
        for (column, width) in widths.iter().enumerate() {
            match column {
                0 => write!(f, "|{:-<1$}", "", width + 2)?,
                _ => write!(f, "|{:->1$}:", "", width + 1)?,
            }
        }
        writeln!(f, "|")?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let mut table = Table::new("Speed", &["shape", "rate"]);
        table.rows.push(vec!["1 → 1".to_owned(), "12.5 M".to_owned()]);
        table.rows.push(vec!["1 → 1000".to_owned(), "9 k".to_owned()]);
        let expected = "\
| shape    |   rate |
|----------|-------:|
| 1 → 1    | 12.5 M |
| 1 → 1000 |    9 k |
";
        assert_eq!(table.to_string(), expected);
    }
}
