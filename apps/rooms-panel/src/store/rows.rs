//! How each record is a row of its table.

use rooms_messages::RoomName;

use super::error::StoreError;
use super::sql::{Cells, Row, Values};
use crate::records::{
    Account, Alert, Audit, Call, EnrolledPanel, Enrolment, Grant, Help, Listing, Session,
};

impl Row for Account {
    const TABLE: &'static str = "account";
    const COLUMNS: &'static [&'static str] =
        &["name", "hash", "role", "is_disabled", "must_change", "created", "version"];

    fn bind(&self, to: &mut Values<'_>) {
        to.text(&self.name)
            .text(&self.hash)
            .text(self.role.as_str())
            .number(self.is_disabled)
            .number(self.must_change)
            .time(self.created)
            .number(self.version);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            name: cells.text()?,
            hash: cells.text()?,
            role: cells.parsed()?,
            is_disabled: cells.flag()?,
            must_change: cells.flag()?,
            created: cells.time()?,
            version: cells.number()?,
        })
    }
}

impl Row for Session {
    const TABLE: &'static str = "session";
    const COLUMNS: &'static [&'static str] = &["token", "account", "created", "expires"];

    fn bind(&self, to: &mut Values<'_>) {
        to.text(&self.token.to_string()).text(&self.account).time(self.created).time(self.expires);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            token: cells.parsed()?,
            account: cells.text()?,
            created: cells.time()?,
            expires: cells.time()?,
        })
    }
}

impl Row for EnrolledPanel {
    const TABLE: &'static str = "panel";
    const COLUMNS: &'static [&'static str] =
        &["token", "room", "name", "by_whom", "enrolled", "revoked"];

    fn bind(&self, to: &mut Values<'_>) {
        to.text(&self.token.to_string())
            .text(self.room.as_str())
            .text(&self.name)
            .text(&self.by)
            .time(self.enrolled)
            .maybe_time(self.revoked);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            token: cells.parsed()?,
            room: cells.parsed()?,
            name: cells.text()?,
            by: cells.text()?,
            enrolled: cells.time()?,
            revoked: cells.maybe_time()?,
        })
    }
}

impl Row for Enrolment {
    const TABLE: &'static str = "enrolment";
    const COLUMNS: &'static [&'static str] = &["code", "room", "name", "by_whom", "expires"];

    fn bind(&self, to: &mut Values<'_>) {
        to.text(&self.code.to_string())
            .text(self.room.as_str())
            .text(&self.name)
            .text(&self.by)
            .time(self.expires);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            code: cells.parsed()?,
            room: cells.parsed()?,
            name: cells.text()?,
            by: cells.text()?,
            expires: cells.time()?,
        })
    }
}

impl Row for Listing {
    const TABLE: &'static str = "listing";
    const COLUMNS: &'static [&'static str] =
        &["room", "city", "title", "zone", "position", "is_listed", "notes", "version"];

    fn bind(&self, to: &mut Values<'_>) {
        to.text(self.room.as_str())
            .text(&self.city)
            .text(&self.title)
            .text(&self.zone)
            .number(self.position)
            .number(self.is_listed)
            .text(&self.notes)
            .number(self.version);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            room: cells.parsed()?,
            city: cells.text()?,
            title: cells.text()?,
            zone: cells.text()?,
            position: cells.number()?,
            is_listed: cells.flag()?,
            notes: cells.text()?,
            version: cells.number()?,
        })
    }
}

impl Row for Grant {
    const TABLE: &'static str = "permission";
    const COLUMNS: &'static [&'static str] =
        &["id", "near", "far", "days", "from_minute", "to_minute"];

    fn bind(&self, to: &mut Values<'_>) {
        to.number(self.id)
            .maybe_text(self.from.as_ref().map(RoomName::as_str))
            .maybe_text(self.to.as_ref().map(RoomName::as_str))
            .number(self.days)
            .number(self.from_minute)
            .number(self.to_minute);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: cells.number()?,
            from: cells.maybe_parsed()?,
            to: cells.maybe_parsed()?,
            days: cells.small()?,
            from_minute: cells.small()?,
            to_minute: cells.small()?,
        })
    }
}

impl Row for Call {
    const TABLE: &'static str = "call";
    const COLUMNS: &'static [&'static str] =
        &["id", "near", "far", "by_whom", "since", "connected", "ended", "reason", "side"];

    fn bind(&self, to: &mut Values<'_>) {
        to.number(self.id)
            .text(self.near.as_str())
            .text(self.far.as_str())
            .text(&self.by)
            .time(self.since)
            .maybe_time(self.connected)
            .maybe_time(self.ended)
            .text(&self.reason)
            .maybe_text(self.side.as_ref().map(RoomName::as_str));
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: cells.number()?,
            near: cells.parsed()?,
            far: cells.parsed()?,
            by: cells.text()?,
            since: cells.time()?,
            connected: cells.maybe_time()?,
            ended: cells.maybe_time()?,
            reason: cells.text()?,
            side: cells.maybe_parsed()?,
        })
    }
}

impl Row for Audit {
    const TABLE: &'static str = "audit";
    const COLUMNS: &'static [&'static str] =
        &["id", "at", "who", "room", "what", "answer", "reason", "answered"];

    fn bind(&self, to: &mut Values<'_>) {
        to.number(self.id)
            .time(self.at)
            .text(&self.who)
            .maybe_text(self.room.as_ref().map(RoomName::as_str))
            .text(&self.what)
            .text(&self.answer)
            .text(&self.reason)
            .maybe_time(self.answered);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: cells.number()?,
            at: cells.time()?,
            who: cells.text()?,
            room: cells.maybe_parsed()?,
            what: cells.text()?,
            answer: cells.text()?,
            reason: cells.text()?,
            answered: cells.maybe_time()?,
        })
    }
}

impl Row for Alert {
    const TABLE: &'static str = "alert";
    const COLUMNS: &'static [&'static str] =
        &["id", "room", "device", "code", "level", "text", "since", "until", "muted_by"];

    fn bind(&self, to: &mut Values<'_>) {
        to.number(self.id)
            .text(self.room.as_str())
            .text(&self.device)
            .text(&self.code)
            .text(&self.level)
            .text(&self.text)
            .time(self.since)
            .maybe_time(self.until)
            .text(&self.muted_by);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: cells.number()?,
            room: cells.parsed()?,
            device: cells.text()?,
            code: cells.text()?,
            level: cells.text()?,
            text: cells.text()?,
            since: cells.time()?,
            until: cells.maybe_time()?,
            muted_by: cells.text()?,
        })
    }
}

impl Row for Help {
    const TABLE: &'static str = "help";
    const COLUMNS: &'static [&'static str] =
        &["id", "room", "by_whom", "text", "since", "acknowledged_by", "acknowledged", "closed"];

    fn bind(&self, to: &mut Values<'_>) {
        to.number(self.id)
            .text(self.room.as_str())
            .text(&self.by)
            .text(&self.text)
            .time(self.since)
            .text(&self.acknowledged_by)
            .maybe_time(self.acknowledged)
            .maybe_time(self.closed);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: cells.number()?,
            room: cells.parsed()?,
            by: cells.text()?,
            text: cells.text()?,
            since: cells.time()?,
            acknowledged_by: cells.text()?,
            acknowledged: cells.maybe_time()?,
            closed: cells.maybe_time()?,
        })
    }
}
