//! What every client is due to hear, in order, and whether what it heard is that.
//!
//! A client hears exactly what it is due, up to some point; there, if it was cut off, one `bye`
//! stands in place of all the rest. A line to a group is due to every member and heard by one.

use std::collections::{BTreeMap, VecDeque};

use linebus_protocol::ByeReason;

/// What is wrong, if something is.
pub type Verdict = Result<(), String>;

/// One line that a client is due.
#[derive(Debug)]
pub enum Due {
    /// This line.
    Line(String),
    /// A line that begins so; the rest is for people.
    Start(String),
    /// This line, if the client is the one that hears it in one of these groups.
    Turn(String, Vec<u64>),
}

#[derive(Default)]
struct Account {
    due: VecDeque<Due>,
    /// Says this goodbye sooner or later, in place of the rest.
    cut: Option<ByeReason>,
}

/// One line's way to one group.
#[derive(Default)]
struct Turn {
    /// Members that have yet to show whether it was they who heard it.
    open: usize,
    /// Somebody heard it, or may have been meant to when its connection ended.
    done: bool,
    /// Somebody heard it who was due it for no other reason.
    taken: bool,
    /// There is another line like it, and it can't be told which one a member heard.
    twin: bool,
}

/// What everybody is due.
#[derive(Default)]
pub struct Ledger {
    accounts: BTreeMap<u64, Account>,
    turns: BTreeMap<u64, Turn>,
    /// The latest turn of each group and line.
    latest: BTreeMap<(String, String), u64>,
    turns_begun: u64,
}

impl Ledger {
    /// A line on its way to one more group.
    pub fn turn(&mut self, group: &str, line: &str) -> u64 {
        self.turns_begun += 1;
        let before = self.latest.insert((group.to_owned(), line.to_owned()), self.turns_begun);
        let turn = Turn { done: before.is_some(), twin: before.is_some(), ..Turn::default() };
        self.turns.insert(self.turns_begun, turn);
        if let Some(twin) = before.and_then(|before| self.turns.get_mut(&before)) {
            (twin.done, twin.twin) = (true, true);
        }
        self.turns_begun
    }

    /// Somebody hears the line anyway who may have been the group's choice.
    pub fn settle(&mut self, turns: &[u64]) {
        for turn in turns {
            self.turns.entry(*turn).or_default().done = true;
        }
    }

    /// One more line is due to a client.
    pub fn owe(&mut self, id: u64, due: Due) {
        if let Due::Turn(_, turns) = &due {
            for turn in turns {
                self.turns.entry(*turn).or_default().open += 1;
            }
        }
        self.accounts.entry(id).or_default().due.push_back(due);
    }

    /// Somewhere in what is due, goodbye takes the place of the rest.
    pub fn cut(&mut self, id: u64, reason: ByeReason) {
        self.accounts.entry(id).or_default().cut = Some(reason);
    }

    /// What is due can't be heard any more.
    pub fn lose(&mut self, id: u64) {
        let account = self.accounts.remove(&id).unwrap_or_default();
        for due in account.due {
            if let Due::Turn(_, turns) = due {
                self.settle(&turns);
                turns.iter().for_each(|turn| self.close(*turn));
            }
        }
    }

    /// A client heard a line.
    ///
    /// # Errors
    /// It is not the next that was due.
    pub fn hears(&mut self, id: u64, line: &str) -> Verdict {
        let account = self.accounts.entry(id).or_default();
        if let Some(reason) = account.cut
            && line.starts_with(&format!("bye {reason} "))
        {
            self.lose(id);
            return Ok(());
        }
        loop {
            let due = self.accounts.entry(id).or_default().due.pop_front();
            match due {
                Some(Due::Line(due)) if due == line => return Ok(()),
                Some(Due::Start(due)) if line.starts_with(&due) => return Ok(()),
                Some(Due::Turn(due, turns)) if due == line => return self.take(&due, &turns),
                Some(Due::Turn(due, turns)) => self.pass(&due, &turns)?,
                Some(due) => return Err(format!("heard `{line}` when due {due:?}")),
                None => return Err(format!("heard `{line}` when nothing was due")),
            }
        }
    }

    /// Everything that was on its way to a client has been heard.
    ///
    /// # Errors
    /// Something was due that was not heard.
    pub fn drained(&mut self, id: u64) -> Verdict {
        let account = self.accounts.entry(id).or_default();
        if let Some(reason) = account.cut {
            return Err(format!("was cut off without a `bye {reason}`"));
        }
        while let Some(due) = self.accounts.entry(id).or_default().due.pop_front() {
            match due {
                Due::Turn(due, turns) => self.pass(&due, &turns)?,
                due => return Err(format!("never heard what was due: {due:?}")),
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &str, turns: &[u64]) -> Verdict {
        self.settle(turns);
        if let [turn] = turns {
            let known = self.turns.entry(*turn).or_default();
            if std::mem::replace(&mut known.taken, true) && !known.twin {
                return Err(format!("heard `{line}`, as another member of the group did"));
            }
        }
        turns.iter().for_each(|turn| self.close(*turn));
        Ok(())
    }

    fn pass(&mut self, line: &str, turns: &[u64]) -> Verdict {
        for turn in turns {
            let known = self.turns.entry(*turn).or_default();
            if known.open == 1 && !known.done {
                return Err(format!("passed `{line}`, and so did everyone in its group"));
            }
            self.close(*turn);
        }
        Ok(())
    }

    /// One member fewer has yet to show whether it heard the line.
    fn close(&mut self, turn: u64) {
        let known = self.turns.entry(turn).or_default();
        known.open -= 1;
        if known.open == 0 {
            self.turns.remove(&turn);
        }
    }
}
