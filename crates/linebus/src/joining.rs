//! Joining several topics while listening to those that are joined already.
//!
//! Answers come in order with messages: a flood on the first topic that nobody reads would hold
//! up the join of the second. So the joins are made in a task of their own.

use anyhow::Context;
use linebus_client::Client;
use tokio::task::JoinHandle;

use crate::exit::Failure;

/// How topics are joined.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Recv,
    RecvInGroup(String),
    Watch,
}

/// The joins that are being made.
#[derive(Debug)]
pub(crate) struct Joining {
    task: JoinHandle<Result<(), linebus_client::Error>>,
    done: bool,
}

impl Joining {
    /// Joins all of `topics`, one after the other, each said on standard error unless `quiet`.
    pub(crate) fn start(client: Client, topics: Vec<String>, kind: Kind, quiet: bool) -> Self {
        let task = tokio::spawn(async move {
            for topic in topics {
                match &kind {
                    Kind::Recv => client.recv(&topic).await?,
                    Kind::RecvInGroup(group) => client.recv_in_group(&topic, group).await?,
                    Kind::Watch => client.watch(&topic).await?,
                }
                if !quiet {
                    eprintln!("linebus: joined {topic}");
                }
            }
            Ok(())
        });
        Self { task, done: false }
    }

    /// Whether there is still something to wait for.
    pub(crate) fn is_going_on(&self) -> bool {
        !self.done
    }

    /// Returns when all is joined.
    ///
    /// # Errors
    /// If one of the topics can't be joined.
    pub(crate) async fn wait(&mut self) -> Result<(), Failure> {
        let joined = (&mut self.task).await.context("joining failed");
        self.done = true;
        Ok(joined??)
    }
}
