//! Statements that Postgres and SQLite both understand, put together from text of this program and
//! values that are only ever bound.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Arguments, AssertSqlSafe, Decode, Encode, Row as _, Type};

use super::error::StoreError;

/// A statement that grows.
#[derive(Default)]
pub(super) struct Sql {
    text: String,
    arguments: AnyArguments,
    has_condition: bool,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Adds text of this program, never of anybody else.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value.
    pub(super) fn bind<'v, T: Encode<'v, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        self.arguments.add(value).expect("text and whole numbers can always be bound");
        let number = self.arguments.len();
        self.push(&format!("${number}"))
    }

    pub(super) fn bind_time(&mut self, time: Timestamp) -> &mut Self {
        self.bind(time.as_millisecond())
    }

    pub(super) fn bind_times(&mut self, time: Option<Timestamp>) -> &mut Self {
        self.bind(time.map(Timestamp::as_millisecond))
    }

    /// `($1, $2, …)`.
    pub(super) fn bind_list<'v>(&mut self, values: impl IntoIterator<Item = &'v str>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", " }).bind(value);
        }
        self.push(")")
    }

    /// Begins one more condition; all have to be met.
    pub(super) fn and(&mut self, text: &str) -> &mut Self {
        let word = if self.has_condition { " AND " } else { " WHERE " };
        self.has_condition = true;
        self.push(word).push(text)
    }

    /// Ready to be run. Postgres plans it for these very values, if it is not `kept`.
    pub(super) fn build(self, kept: bool) -> Query<'static, Any, AnyArguments> {
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments).persistent(kept)
    }
}

/// A pattern for `LIKE … ESCAPE '\'`, in which what somebody wrote stands for itself.
pub(super) fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern
}

/// What is a row of a table.
pub(super) trait Row: Sized {
    const TABLE: &'static str;
    /// The first is the key.
    const COLUMNS: &'static [&'static str];

    /// Binds the values of all columns, in their order, with `, ` between them.
    fn bind(&self, to: &mut Values<'_>);

    /// Reads the values of all columns, in their order.
    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError>;
}

/// `SELECT` of whole rows.
pub(super) fn select<R: Row>() -> Sql {
    Sql::new(format!("SELECT {} FROM {}", R::COLUMNS.join(", "), R::TABLE))
}

/// `INSERT` of rows without what is to happen when a row is there.
pub(super) fn insert<'r, R: Row + 'r>(rows: impl IntoIterator<Item = &'r R>) -> Sql {
    let mut sql = Sql::new(format!("INSERT INTO {} ({}) VALUES ", R::TABLE, R::COLUMNS.join(", ")));
    for (index, row) in rows.into_iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" });
        row.bind(&mut Values::of(&mut sql));
        sql.push(")");
    }
    sql
}

/// `INSERT` of rows, each in place of the one with its key. No key may be there twice.
pub(super) fn upsert<'r, R: Row + 'r>(rows: impl IntoIterator<Item = &'r R>) -> Sql {
    let mut sql = insert(rows);
    let sets = R::COLUMNS[1..].iter().map(|column| format!("{column} = excluded.{column}"));
    let sets = sets.collect::<Vec<_>>().join(", ");
    sql.push(&format!(" ON CONFLICT ({}) DO UPDATE SET {sets}", R::COLUMNS[0]));
    sql
}

/// Where a row's values go.
pub(super) struct Values<'s> {
    sql: &'s mut Sql,
    is_first: bool,
}

impl<'s> Values<'s> {
    pub(super) fn of(sql: &'s mut Sql) -> Self {
        Self { sql, is_first: true }
    }

    fn next(&mut self) -> &mut Sql {
        if !std::mem::take(&mut self.is_first) {
            self.sql.push(", ");
        }
        self.sql
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.next().bind(text);
        self
    }

    pub(super) fn maybe_text(&mut self, text: Option<&str>) -> &mut Self {
        self.next().bind(text);
        self
    }

    pub(super) fn number(&mut self, number: impl Into<i64>) -> &mut Self {
        self.next().bind(number.into());
        self
    }

    pub(super) fn time(&mut self, time: Timestamp) -> &mut Self {
        self.next().bind_time(time);
        self
    }

    pub(super) fn maybe_time(&mut self, time: Option<Timestamp>) -> &mut Self {
        self.next().bind_times(time);
        self
    }
}

/// Where a row's values come from.
pub(super) struct Cells<'r> {
    row: &'r AnyRow,
    at: usize,
}

impl<'r> Cells<'r> {
    pub(super) fn of(row: &'r AnyRow) -> Self {
        Self { row, at: 0 }
    }

    fn next<T: Decode<'r, Any> + Type<Any>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.at)?;
        self.at += 1;
        Ok(value)
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.next()
    }

    pub(super) fn number(&mut self) -> Result<i64, StoreError> {
        self.next()
    }

    pub(super) fn small<N: TryFrom<i64, Error: Display>>(&mut self) -> Result<N, StoreError> {
        self.number()?.try_into().map_err(StoreError::unreadable)
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.number()? != 0)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(self.number()?).map_err(StoreError::unreadable)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let time = self.next::<Option<i64>>()?.map(Timestamp::from_millisecond);
        time.transpose().map_err(StoreError::unreadable)
    }

    /// A name that is checked as if somebody had just written it.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<T, StoreError> {
        self.next::<&str>()?.parse().map_err(StoreError::unreadable)
    }

    pub(super) fn maybe_parsed<T: FromStr<Err: Display>>(
        &mut self,
    ) -> Result<Option<T>, StoreError> {
        let value = self.next::<Option<&str>>()?.map(str::parse);
        value.transpose().map_err(StoreError::unreadable)
    }
}
