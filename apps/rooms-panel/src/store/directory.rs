//! The small tables: read whole, written through row by row.

use jiff::Timestamp;

use super::Store;
use super::error::StoreError;
use super::sql::{Cells, Row, Sql, Values, insert, select, upsert};
use crate::records::{
    Account, Directory, EnrolledPanel, Enrolment, Grant, Listing, Session, TokenHash,
};

impl Store {
    /// Reads all of the small tables.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(&self) -> Result<Directory, StoreError> {
        let accounts = self.all::<Account>().await?;
        let sessions = self.all::<Session>().await?;
        let panels = self.all::<EnrolledPanel>().await?;
        let enrolments = self.all::<Enrolment>().await?;
        let listings = self.all::<Listing>().await?;
        let grants = self.all::<Grant>().await?;
        let settings = self.all::<Setting>().await?;
        Ok(Directory {
            accounts: accounts.into_iter().map(|row| (row.name.clone(), row)).collect(),
            sessions: sessions.into_iter().map(|row| (row.token, row)).collect(),
            panels: panels.into_iter().map(|row| (row.token, row)).collect(),
            enrolments: enrolments.into_iter().map(|row| (row.code, row)).collect(),
            listings: listings.into_iter().map(|row| (row.room.clone(), row)).collect(),
            grants: grants.into_iter().map(|row| (row.id, row)).collect(),
            settings: settings.into_iter().map(|row| (row.name, row.value)).collect(),
        })
    }

    /// Writes an account whose `version` is the one that the writer has seen, 0 for a new one, and
    /// returns its new version.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Changed`] if the database has another version.
    pub async fn put_account(&self, account: &Account) -> Result<i64, StoreError> {
        let next = Account { version: account.version + 1, ..account.clone() };
        self.put_version(&next, account.version, &account.name).await
    }

    /// Removes an account and its sessions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_account(&self, name: &str) -> Result<(), StoreError> {
        self.remove::<Account>(name).await
    }

    /// Writes a session; its account has to be there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        self.put(session).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_session(&self, token: TokenHash) -> Result<(), StoreError> {
        self.remove::<Session>(&token.to_string()).await
    }

    /// Ends all sessions of an account, but for one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_sessions_of(
        &self,
        account: &str,
        but: Option<TokenHash>,
    ) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM session");
        sql.and("account = ").bind(account);
        if let Some(token) = but {
            sql.and("token <> ").bind(token.to_string());
        }
        self.execute(sql).await?;
        Ok(())
    }

    /// Removes the sessions and enrolments whose time is up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        for table in [Session::TABLE, Enrolment::TABLE] {
            let mut sql = Sql::new(format!("DELETE FROM {table}"));
            sql.and("expires <= ").bind_time(now);
            self.execute(sql).await?;
        }
        Ok(())
    }

    /// Writes a panel.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_panel(&self, panel: &EnrolledPanel) -> Result<(), StoreError> {
        self.put(panel).await
    }

    /// Writes a code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_enrolment(&self, enrolment: &Enrolment) -> Result<(), StoreError> {
        self.put(enrolment).await
    }

    /// Removes a code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_enrolment(&self, code: TokenHash) -> Result<(), StoreError> {
        self.remove::<Enrolment>(&code.to_string()).await
    }

    /// Writes a line of the catalogue, with `version` as in [`Self::put_account`].
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Changed`] if the database has another version.
    pub async fn put_listing(&self, listing: &Listing) -> Result<i64, StoreError> {
        let next = Listing { version: listing.version + 1, ..listing.clone() };
        self.put_version(&next, listing.version, listing.room.as_str()).await
    }

    /// Writes a permission.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        self.put(grant).await
    }

    /// Removes a permission.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_grant(&self, id: i64) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM permission");
        sql.and("id = ").bind(id);
        self.execute(sql).await?;
        Ok(())
    }

    /// Writes a setting.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.put(&Setting { name: name.to_owned(), value: value.to_owned() }).await
    }

    async fn all<R: Row>(&self) -> Result<Vec<R>, StoreError> {
        self.rows(select::<R>()).await
    }

    async fn put<R: Row>(&self, row: &R) -> Result<(), StoreError> {
        self.execute(upsert([row])).await?;
        Ok(())
    }

    async fn remove<R: Row>(&self, key: &str) -> Result<(), StoreError> {
        let mut sql = Sql::new(format!("DELETE FROM {}", R::TABLE));
        sql.and(R::COLUMNS[0]).push(" = ").bind(key);
        self.execute(sql).await?;
        Ok(())
    }

    /// Writes `row`, which has the version after `seen`, in one statement that looks at the version.
    async fn put_version<R: Row>(&self, row: &R, seen: i64, key: &str) -> Result<i64, StoreError> {
        let sql = if seen == 0 {
            let mut sql = insert([row]);
            sql.push(" ON CONFLICT DO NOTHING");
            sql
        } else {
            update(row, seen, key)
        };
        if self.execute(sql).await? == 0 {
            return Err(StoreError::Changed);
        }
        Ok(seen + 1)
    }
}

/// `UPDATE` of all columns, if the version is the one that was seen.
fn update<R: Row>(row: &R, seen: i64, key: &str) -> Sql {
    let mut sql = Sql::new(format!("UPDATE {} SET ({}) = (", R::TABLE, R::COLUMNS.join(", ")));
    row.bind(&mut Values::of(&mut sql));
    sql.push(")").and(R::COLUMNS[0]).push(" = ").bind(key);
    sql.and("version = ").bind(seen);
    sql
}

/// A key and what it stands for.
struct Setting {
    name: String,
    value: String,
}

impl Row for Setting {
    const TABLE: &'static str = "setting";
    const COLUMNS: &'static [&'static str] = &["name", "value"];

    fn bind(&self, to: &mut Values<'_>) {
        to.text(&self.name).text(&self.value);
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
        Ok(Self { name: cells.text()?, value: cells.text()? })
    }
}
