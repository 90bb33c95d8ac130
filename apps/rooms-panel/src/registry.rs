//! Accounts, sessions, panels, catalogue, permissions and settings: read once, kept in memory, and
//! written through. When the database does not answer, what is known goes on; only changes wait.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::clock;
use crate::doors::{Token, password};
use crate::records::{
    Account, Directory, EnrolledPanel, Enrolment, Grant, Listing, Role, Session, TokenHash,
};
use crate::store::{Store, StoreError};

/// The small tables, in memory and in the database.
#[derive(Debug)]
pub struct Registry {
    store: Store,
    directory: RwLock<Arc<Directory>>,
}

impl Registry {
    /// Reads them. If there is no account, one is made: an administrator, whose one-time password
    /// is returned.
    ///
    /// # Errors
    /// The database does not answer, or refuses.
    pub async fn load(store: Store) -> Result<(Self, Option<String>), StoreError> {
        let now = clock::now();
        store.remove_expired(now).await?;
        let directory = store.load().await?;
        let is_new = directory.accounts.is_empty();
        let registry = Self { store, directory: RwLock::new(Arc::new(directory)) };
        if !is_new {
            return Ok((registry, None));
        }
        let one_time = password::one_time();
        registry
            .put_account(Account {
                name: "admin".to_owned(),
                hash: password::hash(&one_time),
                role: Role::Administrator,
                is_disabled: false,
                must_change: true,
                created: now,
                version: 0,
            })
            .await?;
        // Until somebody says otherwise, every room may call every other.
        registry
            .put_grant(Grant {
                id: 1,
                from: None,
                to: None,
                days: 0b111_1111,
                from_minute: 0,
                to_minute: crate::catalogue::DAY_MINUTES,
            })
            .await?;
        Ok((registry, Some(one_time)))
    }

    /// As it is now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.read().clone()
    }

    /// The database itself, for what is not kept in memory.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A new account, or a change of the version that the writer has seen.
    ///
    /// # Errors
    /// Somebody else has changed it meanwhile, or the database does not answer.
    pub async fn put_account(&self, mut account: Account) -> Result<(), StoreError> {
        account.version = self.store.put_account(&account).await?;
        self.change(|directory| drop(directory.accounts.insert(account.name.clone(), account)));
        Ok(())
    }

    /// The account and its sessions are gone.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn remove_account(&self, name: &str) -> Result<(), StoreError> {
        self.store.remove_account(name).await?;
        self.change(|directory| drop(directory.accounts.remove(name)));
        self.end_sessions(name, None).await
    }

    /// Somebody has logged in. Without a database the session lives in memory only.
    pub async fn begin_session(&self, session: Session) {
        self.change(|directory| drop(directory.sessions.insert(session.token, session.clone())));
        if let Err(error) = self.store.put_session(&session).await {
            tracing::warn!("a login will not outlast this process: {error}");
        }
    }

    /// Somebody has logged out.
    ///
    /// # Errors
    /// The database does not answer; here it is over nevertheless.
    pub async fn end_session(&self, token: TokenHash) -> Result<(), StoreError> {
        self.change(|directory| drop(directory.sessions.remove(&token)));
        self.store.remove_session(token).await
    }

    /// Everybody who is logged in with this account is so no longer, but for one.
    ///
    /// # Errors
    /// The database does not answer; here they are over nevertheless.
    pub async fn end_sessions(
        &self,
        account: &str,
        but: Option<TokenHash>,
    ) -> Result<(), StoreError> {
        let goes_on = |session: &Session| session.account != account || Some(session.token) == but;
        self.change(|directory| directory.sessions.retain(|_, session| goes_on(session)));
        self.store.remove_sessions_of(account, but).await
    }

    /// Makes a code that makes a tablet the panel of a room.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn put_enrolment(&self, enrolment: Enrolment) -> Result<(), StoreError> {
        self.store.put_enrolment(&enrolment).await?;
        self.change(|directory| drop(directory.enrolments.insert(enrolment.code, enrolment)));
        Ok(())
    }

    /// Uses a code: the room and the token of its new panel, or none if the code is no more or
    /// never was.
    ///
    /// # Errors
    /// The database does not answer; the code stays good.
    pub async fn enrol(&self, code: &Token) -> Result<Option<(EnrolledPanel, Token)>, StoreError> {
        let now = clock::now();
        // Taken out first, so that of two at a time one gets it.
        let mut taken = None;
        self.change(|directory| taken = directory.enrolments.remove(&code.hash()));
        let Some(enrolment) = taken.filter(|enrolment| now < enrolment.expires) else {
            return Ok(None);
        };
        let token = Token::random();
        let panel = EnrolledPanel {
            token: token.hash(),
            room: enrolment.room.clone(),
            name: enrolment.name.clone(),
            by: enrolment.by.clone(),
            enrolled: now,
            revoked: None,
        };
        let written = match self.put_panel(panel.clone()).await {
            Ok(()) => self.store.remove_enrolment(enrolment.code).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.change(|directory| drop(directory.enrolments.insert(enrolment.code, enrolment)));
            return Err(error);
        }
        Ok(Some((panel, token)))
    }

    /// A new panel, or one that is revoked.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn put_panel(&self, panel: EnrolledPanel) -> Result<(), StoreError> {
        self.store.put_panel(&panel).await?;
        self.change(|directory| drop(directory.panels.insert(panel.token, panel)));
        Ok(())
    }

    /// What administrators say of a room; a change of the version that the writer has seen.
    ///
    /// # Errors
    /// Somebody else has changed it meanwhile, or the database does not answer.
    pub async fn put_listing(&self, mut listing: Listing) -> Result<(), StoreError> {
        listing.version = self.store.put_listing(&listing).await?;
        self.change(|directory| drop(directory.listings.insert(listing.room.clone(), listing)));
        Ok(())
    }

    /// Rooms may call others.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn put_grant(&self, grant: Grant) -> Result<(), StoreError> {
        self.store.put_grant(&grant).await?;
        self.change(|directory| drop(directory.grants.insert(grant.id, grant)));
        Ok(())
    }

    /// They may no longer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn remove_grant(&self, id: i64) -> Result<(), StoreError> {
        self.store.remove_grant(id).await?;
        self.change(|directory| drop(directory.grants.remove(&id)));
        Ok(())
    }

    /// A setting.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.store.put_setting(key, value).await?;
        self.change(|directory| {
            drop(directory.settings.insert(key.to_owned(), value.to_owned()));
        });
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Directory)) {
        let mut directory = self.directory.write();
        change(Arc::make_mut(&mut directory));
    }
}
