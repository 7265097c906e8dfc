//! Who is alive: which process an [`Owner`] stands for, and which one does a lane's background
//! work.
//!
//! This is a matter of real time, never of the world's clock. On SQLite the lock of the data
//! directory proves that no other process is there. On PostgreSQL each process holds advisory
//! locks on a connection of its own; the server lets go of them when the process dies.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cobro_domain::payment::Owner;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_postgres::Client;

use crate::driver::DbError;
use crate::error::{StoreError, TxError};
use crate::postgres::{Failure, LEADER_LOCK, OWNER_LOCK, Server, runtime};
use crate::rows::MetaRow;
use crate::store::{Location, Store};

/// How often a session without work looks whether its connection is still there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// An answer that takes longer never comes.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How long an owner's lock must have been free before the owner counts as dead: the time that a
/// process may need to make a lost connection anew.
pub const GRACE: Duration = Duration::from_secs(10);

/// The name of the last owner's number in the table `meta`. Read and written on lane 0 only.
const LAST_OWNER: &str = "owner";

/// This process among those that serve one store. Opened once per process and store; dropping it
/// gives its locks back and blocks for one round trip to the database.
#[derive(Debug)]
pub struct Session {
    owner: Owner,
    locks: Option<Locks>,
}

#[derive(Debug)]
struct Locks {
    questions: Option<mpsc::Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

enum Question {
    Alive(Owner, Answer),
    Leads(i64, Answer),
    Alone(Answer),
}

type Answer = Box<dyn FnOnce(bool) + Send>;

impl Session {
    /// Takes an owner's number that was never used before. On PostgreSQL an owner counts as dead
    /// once its lock was seen to be free for as long as `grace` ([`GRACE`]).
    ///
    /// # Errors
    /// When the database cannot be reached or fails.
    pub async fn open(
        location: &Location,
        store: &Store,
        grace: Duration,
    ) -> Result<Self, StoreError> {
        let next = store.write(Store::key_of(0), |tx| {
            let name = LAST_OWNER.to_owned();
            match tx.get::<MetaRow>(&(name.clone(),))? {
                Some(last) => {
                    let next = MetaRow { name, value: last.value.saturating_add(1) };
                    tx.save(&next);
                    Ok::<_, TxError>(next.value)
                }
                None => {
                    tx.insert(&MetaRow { name, value: 1 });
                    Ok(1)
                }
            }
        });
        let owner = Owner(next.await??);
        let locks = match location {
            Location::Sqlite { .. } => None,
            Location::Postgres { url } => Some(Locks::start(url.clone(), owner, grace).await?),
        };
        Ok(Self { owner, locks })
    }

    /// This process.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether an owner's process may still be at work. When the database does not answer, it may.
    ///
    /// Blocks for a round trip to PostgreSQL, up to ten seconds when the server is gone; in
    /// asynchronous code use [`Session::is_alive_async`].
    pub fn is_alive(&self, owner: Owner) -> bool {
        match &self.locks {
            _ if owner == self.owner => true,
            None => false,
            Some(locks) => {
                let (reply, answer) = mpsc::channel();
                locks.ask(Question::Alive(owner, Box::new(move |alive| _ = reply.send(alive))));
                answer.recv().unwrap_or(true)
            }
        }
    }

    /// As [`Session::is_alive`], without blocking.
    pub async fn is_alive_async(&self, owner: Owner) -> bool {
        match &self.locks {
            _ if owner == self.owner => true,
            None => false,
            Some(locks) => {
                let (reply, answer) = oneshot::channel();
                locks.ask(Question::Alive(owner, Box::new(move |alive| _ = reply.send(alive))));
                answer.await.unwrap_or(true)
            }
        }
    }

    /// Whether no other process has a session on this store now. When the database does not answer,
    /// there may be one.
    pub async fn alone_async(&self) -> bool {
        match &self.locks {
            None => true,
            Some(locks) => {
                let (reply, answer) = oneshot::channel();
                locks.ask(Question::Alone(Box::new(move |alone| _ = reply.send(alone))));
                answer.await.unwrap_or(false)
            }
        }
    }

    /// Whether this process does the background work of a lane. Exactly one does; it keeps the
    /// lane until its session ends or loses its connection. When the database does not answer,
    /// this process does not lead.
    ///
    /// Blocks as [`Session::is_alive`] does; in asynchronous code use [`Session::leads_async`].
    pub fn leads(&self, lane: i64) -> bool {
        match &self.locks {
            None => true,
            Some(locks) => {
                let (reply, answer) = mpsc::channel();
                locks.ask(Question::Leads(lane, Box::new(move |leads| _ = reply.send(leads))));
                answer.recv().unwrap_or(false)
            }
        }
    }

    /// As [`Session::leads`], without blocking.
    pub async fn leads_async(&self, lane: i64) -> bool {
        match &self.locks {
            None => true,
            Some(locks) => {
                let (reply, answer) = oneshot::channel();
                locks.ask(Question::Leads(lane, Box::new(move |leads| _ = reply.send(leads))));
                answer.await.unwrap_or(false)
            }
        }
    }
}

impl Locks {
    async fn start(url: String, owner: Owner, grace: Duration) -> Result<Self, StoreError> {
        let (questions, asked) = mpsc::channel();
        let (started, ready) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("cobro-session".into())
            .spawn(move || match Holder::connect(&url, owner, grace) {
                Ok(holder) => {
                    let _ = started.send(Ok(()));
                    holder.run(&asked);
                }
                Err(error) => drop(started.send(Err(error))),
            })
            .map_err(|error| StoreError::Database(error.to_string()))?;
        match ready.await {
            Ok(Ok(())) => Ok(Self { questions: Some(questions), thread: Some(thread) }),
            Ok(Err(DbError::Failed(text))) => Err(StoreError::Database(text)),
            Ok(Err(DbError::Conflict(table))) => Err(StoreError::Conflict(table)),
            Err(_) => Err(StoreError::Panicked),
        }
    }

    /// Hands a question over. Without a thread the answer's sender is dropped, which answers.
    fn ask(&self, question: Question) {
        if let Some(questions) = &self.questions {
            let _ = questions.send(question);
        }
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread that holds the locks.
struct Holder {
    // Dropped before the runtime that drives it.
    client: Option<Client>,
    runtime: Runtime,
    server: Server,
    owner: Owner,
    holds_owner: bool,
    led: BTreeSet<i64>,
    /// Owners whose lock was free, and since when.
    absent: HashMap<Owner, Instant>,
    grace: Duration,
}

impl Holder {
    fn connect(url: &str, owner: Owner, grace: Duration) -> Result<Self, DbError> {
        let mut holder = Self {
            client: None,
            runtime: runtime()?,
            server: Server::new(url)?,
            owner,
            holds_owner: false,
            led: BTreeSet::new(),
            absent: HashMap::new(),
            grace,
        };
        holder.settle()?;
        if holder.holds_owner {
            Ok(holder)
        } else {
            Err(DbError::Failed(format!("another process is owner {}", owner.0)))
        }
    }

    fn run(mut self, asked: &mpsc::Receiver<Question>) {
        loop {
            match asked.recv_timeout(HEARTBEAT) {
                Ok(Question::Alive(owner, answer)) => answer(self.is_alive(owner)),
                Ok(Question::Leads(lane, answer)) => answer(self.leads(lane)),
                Ok(Question::Alone(answer)) => answer(self.alone()),
                Err(RecvTimeoutError::Timeout) => {
                    // An idle connection that was cut shows only when it is used.
                    if self.client.is_some() && self.ask("SELECT true").is_ok() {
                        continue;
                    }
                    if let Err(failure) = self.settle() {
                        tracing::warn!(error = failure.text, "the session has no connection");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.client.is_some() {
            let _ = self.ask("SELECT pg_advisory_unlock_all() IS NOT NULL");
        }
    }

    /// Sees to it that there is a connection and that it holds this owner's lock. The lock may
    /// still be held by a connection of ours that the server has not given up yet.
    fn settle(&mut self) -> Result<(), Failure> {
        if self.client.is_none() {
            let server = &self.server;
            let connected = self.runtime.block_on(async {
                tokio::time::timeout(ANSWER_MAX, server.connect())
                    .await
                    .unwrap_or_else(|_| Err(Failure::lost("the server does not answer")))
            });
            self.client = Some(connected?);
        }
        if !self.holds_owner {
            let owner = self.owner.0;
            self.holds_owner =
                self.ask(&format!("SELECT pg_try_advisory_lock({OWNER_LOCK}, {owner})"))?;
        }
        Ok(())
    }

    /// Asks the server a yes-or-no question; forgets all locks when the connection is lost.
    fn ask(&mut self, question: &str) -> Result<bool, Failure> {
        let Some(client) = &self.client else {
            return Err(Failure::lost("there is no connection"));
        };
        let answer = self.runtime.block_on(async {
            let asked = async { Ok(client.query_one(question, &[]).await?.try_get(0)?) };
            tokio::time::timeout(ANSWER_MAX, asked)
                .await
                .unwrap_or_else(|_| Err(Failure::lost("the server does not answer")))
        });
        if let Err(Failure { lost: true, .. }) = &answer {
            self.client = None;
            self.holds_owner = false;
            self.led.clear();
        }
        answer
    }

    /// As [`Holder::ask`], once more on a new connection when the old one was lost.
    fn ask_settled(&mut self, question: &str) -> Result<bool, Failure> {
        self.settle()?;
        match self.ask(question) {
            Err(Failure { lost: true, .. }) => {
                self.settle()?;
                self.ask(question)
            }
            answer => answer,
        }
    }

    fn is_alive(&mut self, owner: Owner) -> bool {
        let Ok(number) = i32::try_from(owner.0) else {
            return false;
        };
        // Shared, so that two who ask do not take each other for the owner; of the transaction,
        // so that it is given back at once.
        let free = format!("SELECT pg_try_advisory_xact_lock_shared({OWNER_LOCK}, {number})");
        match self.ask_settled(&free) {
            Ok(true) => {
                let since = *self.absent.entry(owner).or_insert_with(Instant::now);
                since.elapsed() < self.grace
            }
            Ok(false) => {
                self.absent.remove(&owner);
                true
            }
            Err(failure) => {
                tracing::warn!(error = failure.text, "who is alive is not known");
                true
            }
        }
    }

    fn alone(&mut self) -> bool {
        // Locks of two numbers have the second one in `objid`.
        let owner = self.owner.0;
        let others = format!(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' \
             AND classid = {OWNER_LOCK} AND objsubid = 2 AND objid <> {owner} \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        );
        self.ask_settled(&others).unwrap_or_else(|failure| {
            tracing::warn!(error = failure.text, "who else is there is not known");
            false
        })
    }

    fn leads(&mut self, lane: i64) -> bool {
        // What was led is led for as long as the connection lives, so that one is asked for.
        if self.led.contains(&lane) && self.ask("SELECT true").is_ok() {
            return true;
        }
        match self.ask_settled(&format!("SELECT pg_try_advisory_lock({LEADER_LOCK}, {lane})")) {
            Ok(leads) => {
                if leads {
                    self.led.insert(lane);
                }
                leads
            }
            Err(failure) => {
                tracing::warn!(error = failure.text, lane, "who leads is not known");
                false
            }
        }
    }
}
