//! Tables that can be downloaded, for the spreadsheets of people.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A heading for each column, and the rows.
pub(super) struct Table {
    /// What its columns are.
    pub(super) head: Vec<&'static str>,
    /// So many columns, the first, are words; the others are numbers.
    pub(super) words: usize,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// As a file.
    pub(super) fn download(&self, name: &str) -> Response {
        let file = format!("attachment; filename=\"{name}.csv\"");
        let Ok(file) = HeaderValue::from_str(&file) else {
            unreachable!("names of tables are words")
        };
        let kind = HeaderValue::from_static("text/csv; charset=utf-8");
        ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, file)], self.csv())
            .into_response()
    }

    /// RFC 4180. A spreadsheet takes what begins like a formula for one, so such a cell begins with
    /// an apostrophe.
    fn csv(&self) -> Vec<u8> {
        let mut out =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let written = (|| {
            out.write_record(&self.head)?;
            self.rows
                .iter()
                .try_for_each(|row| out.write_record(row.iter().map(|cell| tame(cell))))?;
            out.into_inner().map_err(|error| csv::Error::from(error.into_error()))
        })();
        written.expect("rows have a cell for each column, and memory takes them")
    }
}

fn tame(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let table = Table {
            head: vec!["who", "what"],
            words: 2,
            rows: vec![
                row(&["Ann, \"the\" admin", "two\nlines"]),
                row(&["=HYPERLINK(1)", "+1"]),
                row(&["-1", "@x"]),
                row(&["\t=1", "a=b"]),
            ],
        };
        let text = String::from_utf8(table.csv()).expect("text");
        assert_eq!(
            text,
            "who,what\r\n\"Ann, \"\"the\"\" admin\",\"two\nlines\"\r\n'=HYPERLINK(1),'+1\r\n'-1,'@x\r\n'\t=1,a=b\r\n"
        );
    }
}
