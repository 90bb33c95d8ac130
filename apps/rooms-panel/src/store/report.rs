//! What a while looked like: hours and calls of each room by day, who called whom and what went
//! wrong, and the devices that needed care most. The database does the sums.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use rooms_messages::RoomName;

use super::Store;
use super::error::StoreError;
use super::sql::{Cells, Sql};

/// So many pairs and so many devices are named.
const NAMED_MAX: u32 = 20;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What a while looked like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// By day, then by room; only those with calls.
    pub days: Vec<RoomDay>,
    /// Those with the most calls first.
    pub pairs: Vec<PairCalls>,
    /// Those with the most alerts first.
    pub devices: Vec<DeviceAlerts>,
}

/// A room on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomDay {
    /// The day.
    pub day: Date,
    /// The room.
    pub room: RoomName,
    /// The calls in which it was connected on that day; one that goes past midnight counts on both.
    pub calls: i64,
    /// How long it was connected on that day.
    pub connected: SignedDuration,
}

/// Two rooms, whoever of them called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairCalls {
    /// The first in the alphabet.
    pub one: RoomName,
    /// The other.
    pub other: RoomName,
    /// All calls that began, those that failed too.
    pub calls: i64,
    /// How many ended for which reason, other than that somebody wished so.
    pub failures: BTreeMap<String, i64>,
}

/// A device and how often it needed care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAlerts {
    /// Its room.
    pub room: RoomName,
    /// Its name.
    pub device: String,
    /// The alerts that began.
    pub alerts: i64,
}

impl Store {
    /// Sums up the time from `from` until before `until`, in days of a zone that is `offset` from UTC.
    /// A call that has not ended is taken to last until `until`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn report(
        &self,
        from: Timestamp,
        until: Timestamp,
        offset: Offset,
    ) -> Result<Report, StoreError> {
        Ok(Report {
            days: self.room_days(from, until, offset).await?,
            pairs: self.pairs(from, until).await?,
            devices: self.devices(from, until).await?,
        })
    }

    async fn room_days(
        &self,
        from: Timestamp,
        until: Timestamp,
        offset: Offset,
    ) -> Result<Vec<RoomDay>, StoreError> {
        // In milliseconds of the zone, in which days begin at whole multiples of a day.
        let shift = i64::from(offset.seconds()) * 1000;
        let (from, until) = (from.as_millisecond() + shift, until.as_millisecond() + shift);
        let mut sql =
            Sql::new("WITH RECURSIVE local (near, far, a, b) AS (SELECT near, far, connected + ");
        sql.bind(shift).push(", COALESCE(ended + ").bind(shift).push(", ").bind(until);
        sql.push(") FROM call WHERE connected < ").bind(until - shift);
        sql.push(" AND (ended IS NULL OR ended > ").bind(from - shift);
        // Only what is within the time that was asked for.
        sql.push(")), span (near, far, a, b) AS (SELECT near, far, CASE WHEN a < ").bind(from);
        sql.push(" THEN ").bind(from).push(" ELSE a END, CASE WHEN b > ").bind(until);
        sql.push(" THEN ").bind(until);
        // A call's days, one after the other.
        sql.push(&format!(
            " ELSE b END FROM local), piece (near, far, day, a, b) AS (
                SELECT near, far, a / {DAY_MS}, a, b FROM span
                UNION ALL
                SELECT near, far, day + 1, a, b FROM piece WHERE (day + 1) * {DAY_MS} < b
            ), part (near, far, day, ms) AS (
                SELECT near, far, day,
                    CASE WHEN b > (day + 1) * {DAY_MS} THEN (day + 1) * {DAY_MS} ELSE b END
                    - CASE WHEN a < day * {DAY_MS} THEN day * {DAY_MS} ELSE a END
                FROM piece
            ), side (room, day, ms) AS (
                SELECT near, day, ms FROM part UNION ALL SELECT far, day, ms FROM part
            )
            SELECT day, room, count(*), CAST(sum(ms) AS BIGINT)
            FROM side GROUP BY day, room ORDER BY day, room"
        ));
        let read = |cells: &mut Cells<'_>| {
            let begin = Timestamp::from_millisecond(cells.number()? * DAY_MS);
            Ok(RoomDay {
                day: Offset::UTC.to_datetime(begin.map_err(StoreError::unreadable)?).date(),
                room: cells.parsed()?,
                calls: cells.number()?,
                connected: SignedDuration::from_millis(cells.number()?),
            })
        };
        let rows = self.answers(sql).await?;
        rows.iter().map(|row| read(&mut Cells::of(row))).collect()
    }

    async fn pairs(&self, from: Timestamp, until: Timestamp) -> Result<Vec<PairCalls>, StoreError> {
        let mut sql = Sql::new(
            "WITH begun (one, other, reason) AS (
                SELECT CASE WHEN near < far THEN near ELSE far END,
                    CASE WHEN near < far THEN far ELSE near END, reason
                FROM call",
        );
        sql.and("since >= ").bind_time(from).and("since < ").bind_time(until);
        sql.push(&format!(
            "), top (one, other, calls) AS (
                SELECT one, other, count(*) FROM begun GROUP BY one, other
                ORDER BY count(*) DESC, one, other LIMIT {NAMED_MAX}
            )
            SELECT top.one, top.other, top.calls, begun.reason, count(*)
            FROM top JOIN begun ON begun.one = top.one AND begun.other = top.other
            GROUP BY top.one, top.other, top.calls, begun.reason
            ORDER BY top.calls DESC, top.one, top.other"
        ));
        let mut pairs: Vec<PairCalls> = Vec::new();
        for row in self.answers(sql).await? {
            let mut cells = Cells::of(&row);
            let (one, other, calls) = (cells.parsed()?, cells.parsed()?, cells.number()?);
            let (reason, count) = (cells.text()?, cells.number()?);
            if pairs.last().is_none_or(|last| last.one != one || last.other != other) {
                pairs.push(PairCalls { one, other, calls, failures: BTreeMap::new() });
            }
            if !matches!(reason.as_str(), "" | "normal") {
                let pair = pairs.last_mut().expect("one was just added");
                pair.failures.insert(reason, count);
            }
        }
        Ok(pairs)
    }

    async fn devices(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DeviceAlerts>, StoreError> {
        let mut sql = Sql::new("SELECT room, device, count(*) FROM alert");
        sql.and("since >= ").bind_time(from).and("since < ").bind_time(until);
        sql.push(" GROUP BY room, device ORDER BY count(*) DESC, room, device LIMIT ");
        sql.bind(i64::from(NAMED_MAX));
        let read = |cells: &mut Cells<'_>| {
            Ok(DeviceAlerts {
                room: cells.parsed()?,
                device: cells.text()?,
                alerts: cells.number()?,
            })
        };
        let rows = self.answers(sql).await?;
        rows.iter().map(|row| read(&mut Cells::of(row))).collect()
    }
}
