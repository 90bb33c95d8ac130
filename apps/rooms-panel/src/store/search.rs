//! Pages of the history, the newest first. A page is found by where the one before ended, so what
//! comes in meanwhile neither repeats nor hides a row.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rooms_messages::RoomName;

use super::Store;
use super::error::StoreError;
use super::sql::{Cells, Row, Sql, literal, select};
use crate::records::{Alert, Audit, Call, Help};

/// More values than this are looked for by pattern, not by name.
const NAMES_MAX: usize = 3000;

/// Which rows of those that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only those after this one in the list: [`Found::next`] of the page before.
    pub before: Option<(Timestamp, i64)>,
    /// At most so many.
    pub limit: u32,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The newest first.
    pub rows: Vec<T>,
    /// Where the next page begins, if there is more.
    pub next: Option<(Timestamp, i64)>,
}

/// Which calls; all of them by default.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// One of these is on either side.
    pub rooms: Option<BTreeSet<RoomName>>,
    /// Who wished it begins so, in capital or small letters.
    pub by: String,
    /// It was over for this reason.
    pub reason: Option<String>,
    /// It began then or later.
    pub from: Option<Timestamp>,
    /// It began earlier.
    pub until: Option<Timestamp>,
    /// Who wished it or the reason has this in it, in capital or small letters.
    pub text: String,
}

/// Which wishes and changes; all of them by default.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// They are of this room.
    pub room: Option<RoomName>,
    /// Who it was begins so, in capital or small letters.
    pub who: String,
    /// They were answered so; an empty word for those without an answer.
    pub answer: Option<String>,
    /// What was wished, who wished it or the reason has this in it, in capital or small letters (SQLite
    /// knows no small letters but those of English).
    pub text: String,
    /// Then or later.
    pub from: Option<Timestamp>,
    /// Earlier.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Searches the calls.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn calls(&self, filter: &CallFilter, page: &Page) -> Result<Found<Call>, StoreError> {
        let mut sql = select::<Call>();
        if let Some(rooms) = &filter.rooms {
            if rooms.is_empty() {
                return Ok(Found { rows: Vec::new(), next: None });
            }
            let rooms = || rooms.iter().map(RoomName::as_str);
            sql.and("(near IN ").bind_list(rooms());
            sql.push(" OR far IN ").bind_list(rooms()).push(")");
        }
        if !filter.by.is_empty() {
            let by = filter.by.to_lowercase();
            let names = self.distinct("by_whom", |name| name.starts_with(&by)).await?;
            if names.is_empty() {
                return Ok(Found { rows: Vec::new(), next: None });
            }
            sql.and("");
            one_of(&mut sql, "by_whom", &names, &format!("{}%", literal(&filter.by)));
        }
        if let Some(reason) = &filter.reason {
            sql.and("reason = ").bind(reason.as_str());
        }
        if !filter.text.is_empty() {
            let text = filter.text.to_lowercase();
            let names = self.distinct("by_whom", |name| name.contains(&text)).await?;
            let reasons = self.distinct("reason", |reason| reason.contains(&text)).await?;
            let pattern = format!("%{}%", literal(&filter.text));
            match (names.is_empty(), reasons.is_empty()) {
                (true, true) => return Ok(Found { rows: Vec::new(), next: None }),
                (false, true) => one_of(sql.and(""), "by_whom", &names, &pattern),
                (true, false) => one_of(sql.and(""), "reason", &reasons, &pattern),
                (false, false) => {
                    one_of(sql.and("("), "by_whom", &names, &pattern);
                    one_of(sql.push(" OR "), "reason", &reasons, &pattern);
                    sql.push(")");
                }
            }
        }
        between(&mut sql, "since", filter.from, filter.until);
        self.page(sql, "since", page, |call: &Call| (call.since, call.id)).await
    }

    /// Searches what was wished and changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Found<Audit>, StoreError> {
        let mut sql = select::<Audit>();
        if let Some(room) = &filter.room {
            sql.and("room = ").bind(room.as_str());
        }
        if let Some(answer) = &filter.answer {
            sql.and("answer = ").bind(answer.as_str());
        }
        if !filter.who.is_empty() {
            like(sql.and(""), "who", &format!("{}%", literal(&filter.who)));
        }
        if !filter.text.is_empty() {
            let pattern = format!("%{}%", literal(&filter.text));
            like(sql.and("("), "what", &pattern);
            like(sql.push(" OR "), "who", &pattern);
            like(sql.push(" OR "), "reason", &pattern);
            sql.push(")");
        }
        between(&mut sql, "at", filter.from, filter.until);
        self.page(sql, "at", page, |audit: &Audit| (audit.at, audit.id)).await
    }

    /// The alerts of a room or of all, those that are over too or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts(
        &self,
        room: Option<&RoomName>,
        only_open: bool,
        page: &Page,
    ) -> Result<Found<Alert>, StoreError> {
        let mut sql = select::<Alert>();
        if let Some(room) = room {
            sql.and("room = ").bind(room.as_str());
        }
        if only_open {
            sql.and("until IS NULL");
        }
        self.page(sql, "since", page, |alert: &Alert| (alert.since, alert.id)).await
    }

    /// Who called for a person, those that are over too or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn helps(&self, only_open: bool, page: &Page) -> Result<Found<Help>, StoreError> {
        let mut sql = select::<Help>();
        if only_open {
            sql.and("closed IS NULL");
        }
        self.page(sql, "since", page, |help: &Help| (help.since, help.id)).await
    }

    async fn page<R: Row>(
        &self,
        mut sql: Sql,
        time: &str,
        page: &Page,
        place: impl Fn(&R) -> (Timestamp, i64),
    ) -> Result<Found<R>, StoreError> {
        if let Some((before, id)) = page.before {
            sql.and(&format!("({time}, id) < (")).bind_time(before).push(", ").bind(id).push(")");
        }
        // One more, to know whether there is more.
        sql.push(&format!(" ORDER BY {time} DESC, id DESC LIMIT "));
        sql.bind(i64::from(page.limit) + 1);
        let mut rows = self.rows::<R>(sql).await?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(place);
        Ok(Found { rows, next })
    }

    /// The values in a column of the calls, in small letters, that are wanted. They are few, and an
    /// index that begins with them is leapt through from one to the next: far less to read than all
    /// calls.
    async fn distinct(
        &self,
        column: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let sql = Sql::new(format!(
            "WITH RECURSIVE leap (value) AS (
                SELECT min({column}) FROM call
                UNION ALL
                SELECT (SELECT min({column}) FROM call WHERE {column} > leap.value)
                FROM leap WHERE leap.value IS NOT NULL
            ) SELECT value FROM leap WHERE value IS NOT NULL"
        ));
        let rows = self.answers(sql).await?;
        let values = rows.iter().map(|row| Cells::of(row).text());
        let values = values.collect::<Result<Vec<_>, _>>()?;
        Ok(values.into_iter().filter(|value| wanted(&value.to_lowercase())).collect())
    }
}

/// The column has one of these values, which are all that fit the pattern.
fn one_of(sql: &mut Sql, column: &str, values: &[String], pattern: &str) {
    if values.len() > NAMES_MAX {
        return like(sql, column, pattern);
    }
    sql.push(column).push(" IN ").bind_list(values.iter().map(String::as_str));
}

fn like(sql: &mut Sql, column: &str, pattern: &str) {
    sql.push(&format!("lower({column}) LIKE lower(")).bind(pattern).push(") ESCAPE '\\'");
}

fn between(sql: &mut Sql, time: &str, from: Option<Timestamp>, until: Option<Timestamp>) {
    if let Some(from) = from {
        sql.and(&format!("{time} >= ")).bind_time(from);
    }
    if let Some(until) = until {
        sql.and(&format!("{time} < ")).bind_time(until);
    }
}
