//! What the lists of the history have in common: their days and their pages.

use std::fmt::Display;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::store::{Page, StoreError};
use crate::web::fields::Fields;

/// Rows of a page.
const ROWS: u32 = 50;
/// The address's key for where a page begins.
const BEFORE: &str = "before";

/// From and until which day, both of them too: days of the server's zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) from: Option<Date>,
    pub(super) until: Option<Date>,
}

impl Days {
    /// Those of a form.
    pub(super) fn read(fields: &Fields) -> Result<Self, String> {
        let days = Self { from: day(fields.get("from"))?, until: day(fields.get("until"))? };
        if let (Some(from), Some(until)) = (days.from, days.until)
            && until < from
        {
            return Err(format!("{until} is before {from}: exchange them."));
        }
        Ok(days)
    }

    /// When the first one begins.
    pub(super) fn begin(&self) -> Option<Timestamp> {
        self.from.and_then(midnight)
    }

    /// When the last one is over.
    pub(super) fn end(&self) -> Option<Timestamp> {
        self.until.and_then(|day| day.checked_add(1.day()).ok()).and_then(midnight)
    }
}

/// When a day begins.
pub(super) fn midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned_datetime(TimeZone::system()).ok().map(|begin| begin.timestamp())
}

fn day(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.parse().map_err(|_| format!("{text:?} is no day such as 2026-11-27."))?;
    Ok(Some(day))
}

/// Which page of a list an address means.
pub(super) fn page_in(fields: &Fields) -> Result<Page, String> {
    let said = fields.get(BEFORE);
    if said.is_empty() {
        return Ok(Page { before: None, limit: ROWS });
    }
    let place = said.split_once('.').and_then(|(at, id)| {
        Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, id.parse().ok()?))
    });
    match place {
        Some(place) => Ok(Page { before: Some(place), limit: ROWS }),
        None => Err(format!("before={said} is no place in the list: begin at its first page.")),
    }
}

/// The address of the next page, with the same filter.
pub(super) fn older(path: &str, fields: &Fields, next: Option<(Timestamp, i64)>) -> Option<String> {
    let (at, id) = next?;
    let place = format!("{}.{id}", at.as_millisecond());
    Some(address(path, fields, &[(BEFORE, &place)]))
}

/// An address with the filter of another, but no page of it.
pub(super) fn address(path: &str, fields: &Fields, more: &[(&str, &str)]) -> String {
    let kept = fields.0.iter().filter(|(name, value)| name != BEFORE && !value.is_empty());
    let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
    let coded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs: Vec<_> = kept
        .chain(more.iter().copied())
        .map(|(n, v)| format!("{}={}", coded(n), coded(v)))
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// What the database has answered, or none, for a page that says so and shows the rest.
pub(super) fn answered<T>(answer: Result<T, StoreError>) -> Option<T> {
    answer.inspect_err(|error| tracing::warn!("the history can't be read: {error}")).ok()
}

/// A day as a form has it.
pub(super) fn shown(day: Option<impl Display>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Fields(pairs.iter().map(own).collect())
    }

    #[test]
    fn the_next_page_has_the_same_filter_and_begins_where_this_one_ends() {
        let asked = fields(&[("text", "a&b=ü"), ("who", ""), ("before", "5.6")]);
        let next = Some((Timestamp::from_millisecond(1234).expect("a time"), -7));
        let address = older("/admin/audit", &asked, next).expect("there is more");
        assert_eq!(address, "/admin/audit?text=a%26b%3D%C3%BC&before=1234%2E%2D7");
        let page = page_in(&fields(&[("before", "1234.-7")])).expect("a place");
        assert_eq!(page.before, next);
        assert_eq!(older("/admin/audit", &asked, None), None);
    }

    #[test]
    fn days_that_are_none_are_refused_with_an_example() {
        let read = |from, until| Days::read(&fields(&[("from", from), ("until", until)]));
        assert!(read("yesterday", "").expect_err("no day").contains("such as 2026-11-27"));
        assert!(read("2026-02-02", "2026-02-01").expect_err("backwards").contains("exchange"));
        let one = read("2026-02-01", "2026-02-01").expect("one day");
        let length = one.end().expect("a time").duration_since(one.begin().expect("a time"));
        assert_eq!(length.as_hours(), 24);
        assert!(page_in(&fields(&[("before", "1; DROP TABLE call")])).is_err());
    }
}
