//! What outlives the process: users, their bindings and invitations, rooms that were made, and
//! texts of scenarios, in SQLite or PostgreSQL.
//!
//! A thread of its own asks the database, so that one that is slow or gone holds up nothing but who asked. Questions of
//! the gateway ([`Store::ask`]) are answered within seconds, if only with why not; bindings and rooms
//! ([`Store::keep_bindings`], [`Store::keep_room`]) are written behind, and of each only the newest.

#![allow(clippy::disallowed_methods, reason = "a shell: it is here that clocks are read and time-outs kept")]

mod behind;
mod migrations;
mod rows;
mod texts;

use crate::dialplan::Database;
use crate::gateway::{Kept, Query, StoredBinding, StoredRoom};
use behind::{Behind, Item};
use rows::Rows;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest wait for the answer to a question.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions that may wait.
const QUEUE: usize = 256;

/// The answer to a question, by its name.
pub type Answered = (u64, Result<Kept, String>);

/// The database, as the gateway's shell has it.
pub struct Store {
    questions: mpsc::Sender<(u64, Query)>,
    behind: Arc<Behind>,
}

impl Store {
    /// Starts the thread that asks `database`. Answers go to `answers`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(database: &Database, answers: mpsc::Sender<Answered>) -> io::Result<Self> {
        let (questions, asked) = mpsc::channel(QUEUE);
        let behind = Arc::new(Behind::default());
        let (rows, kept) = (Rows::new(database), Arc::clone(&behind));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("store".into()).spawn(move || {
            runtime.block_on(async {
                tokio::join!(serve(&rows, asked, answers), kept.write(&rows));
            });
        })?;
        Ok(Self { questions, behind })
    }

    /// Asks for something, to be answered under `id`.
    ///
    /// # Errors
    /// When too much waits already: this is not asked.
    pub fn ask(&self, id: u64, query: Query) -> Result<(), String> {
        self.questions.try_send((id, query)).map_err(|_| "too much waits for the database".to_owned())
    }

    /// Has the bindings of a user kept, in the place of all that were.
    pub fn keep_bindings(&self, user: String, bindings: Vec<StoredBinding>) {
        self.behind.put(Item::Bindings { user, bindings });
    }

    /// Has this kept of a room, in the place of what was, or nothing.
    pub fn keep_room(&self, name: String, room: Option<StoredRoom>) {
        self.behind.put(Item::Room { name, room });
    }

    /// Of how many users the bindings wait to be written, and of how many rooms what was made of them.
    pub fn waiting(&self) -> (u64, u64) {
        self.behind.count()
    }

    /// Waits until all is written, but not longer than `patience`.
    pub async fn flush(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.behind.emptied()).await;
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.behind.close();
    }
}

async fn serve(rows: &Rows, mut asked: mpsc::Receiver<(u64, Query)>, answers: mpsc::Sender<Answered>) {
    while let Some((id, query)) = asked.recv().await {
        let answer = match tokio::time::timeout(PATIENCE, rows.answer(query)).await {
            Ok(Ok(kept)) => Ok(kept),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("the database did not answer within {} s", PATIENCE.as_secs())),
        };
        if answers.send((id, answer)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
