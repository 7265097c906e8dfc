//! What to run: the arguments of the program, and how much is done in a short and in a long run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use crate::report::Report;
use crate::{http, pages, postgres, start, terminals};

/// The parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Start and idle memory.
    Start,
    /// Over HTTP on SQLite.
    Sqlite,
    /// Pages of lists, in process.
    Pages,
    /// Terminals that ask and live streams, very many of both.
    Terminals,
    /// On PostgreSQL.
    Postgres,
}

/// All of them, in the order in which they are reported.
const ALL: [Part; 5] = [Part::Start, Part::Sqlite, Part::Pages, Part::Terminals, Part::Postgres];

/// A run.
#[derive(Debug)]
pub(crate) struct Plan {
    quick: bool,
    parts: Vec<Part>,
    rounds: Option<usize>,
    /// How many terminals ask, and how many streams are open, where it is not what cases say.
    pollers: Option<usize>,
    streams: Option<usize>,
    /// Only cases whose name contains this.
    case: Option<String>,
    /// The server's program.
    pub(crate) cobro: PathBuf,
    /// Where databases are made; on a disk, not in memory.
    pub(crate) work: PathBuf,
    /// The private PostgreSQL: `postgres://user@host:port/database`.
    pub(crate) postgres: Option<String>,
    /// The program of that name.
    pub(crate) pgbench: Option<PathBuf>,
    /// Where the report goes; printed only when absent.
    out: Option<PathBuf>,
    /// CPU seconds and wall-clock seconds of a clean build, if that was measured.
    build_s: Option<(f64, f64)>,
}

impl Plan {
    /// Reads the arguments after `run`.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut plan = Self {
            quick: false,
            parts: Vec::new(),
            rounds: None,
            pollers: None,
            streams: None,
            case: None,
            cobro: PathBuf::new(),
            work: std::env::temp_dir(),
            postgres: None,
            pgbench: None,
            out: None,
            build_s: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--quick" => plan.quick = true,
                "--rounds" => plan.rounds = Some(value()?.parse()?),
                "--terminals" => plan.pollers = Some(value()?.parse()?),
                "--streams" => plan.streams = Some(value()?.parse()?),
                "--case" => plan.case = Some(value()?),
                "--only" => plan.parts.push(match value()?.as_str() {
                    "start" => Part::Start,
                    "sqlite" => Part::Sqlite,
                    "pages" => Part::Pages,
                    "terminals" => Part::Terminals,
                    "postgres" => Part::Postgres,
                    other => anyhow::bail!("there is no part `{other}`"),
                }),
                "--cobro" => plan.cobro = value()?.into(),
                "--work" => plan.work = value()?.into(),
                "--postgres" => plan.postgres = Some(value()?),
                "--pgbench" => plan.pgbench = Some(value()?.into()),
                "--out" => plan.out = Some(value()?.into()),
                "--build" => {
                    let text = value()?;
                    let (cpu, wall) = text.split_once(',').context("--build CPU,WALL")?;
                    plan.build_s = Some((cpu.parse()?, wall.parse()?));
                }
                other => anyhow::bail!("`{other}` is not understood"),
            }
        }
        anyhow::ensure!(plan.cobro.is_file(), "--cobro must name the server's program");
        if plan.parts.is_empty() {
            plan.parts = ALL.to_vec();
        }
        std::fs::create_dir_all(&plan.work)?;
        Ok(plan)
    }

    /// Measures and reports.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut report = Report::new(self.quick, self.build_s);
        for part in &self.parts {
            match part {
                Part::Start => report.add_start(start::measure(self)?),
                Part::Sqlite => report.add(http::measure(self)?),
                Part::Pages => report.add(pages::measure(self)?),
                Part::Terminals => {
                    let (series, memory) = terminals::measure(self)?;
                    report.add(series);
                    report.add_memory(memory);
                }
                Part::Postgres => match (&self.postgres, &self.pgbench) {
                    (Some(url), Some(pgbench)) => {
                        let (series, version) = postgres::measure(self, url, pgbench)?;
                        report.add(series);
                        report.postgres_version = Some(version);
                    }
                    _ => eprintln!("PostgreSQL is left out: no server was given"),
                },
            }
        }
        let text = report.text();
        println!("{text}");
        match &self.out {
            Some(path) => report.write(path, &text),
            None => Ok(()),
        }
    }

    const fn pick<T: Copy>(&self, long: T, short: T) -> T {
        if self.quick { short } else { long }
    }

    /// Whether a case is to be measured.
    pub(crate) fn wants(&self, case: &str) -> bool {
        self.case.as_ref().is_none_or(|part| case.contains(part))
    }

    /// How often everything is measured.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(self.pick(9, 3))
    }

    /// How often a start is measured.
    pub(crate) fn starts(&self) -> usize {
        self.pick(15, 5)
    }

    /// How long one slice of payments or commands takes.
    pub(crate) fn slice(&self) -> Duration {
        self.pick(Duration::from_millis(1500), Duration::from_millis(700))
    }

    /// How many intents a slice makes.
    pub(crate) fn creates(&self) -> usize {
        self.pick(10_000, 5_000)
    }

    /// How many requests a slice of the bare server is.
    pub(crate) fn bare_requests(&self) -> usize {
        self.pick(40_000, 15_000)
    }

    /// How many payments the filled database holds.
    pub(crate) fn stored_payments(&self) -> usize {
        1_000_000
    }

    /// How many terminals ask.
    pub(crate) fn pollers(&self) -> usize {
        self.pollers.unwrap_or(10_000)
    }

    /// How many live streams are open.
    pub(crate) fn streams(&self) -> usize {
        self.streams.unwrap_or(1_000)
    }

    /// In how many new servers the memory of terminals and streams is read.
    pub(crate) fn memory_turns(&self) -> usize {
        self.pick(3, 1)
    }

    /// How long one slice of `pgbench` takes, in seconds.
    pub(crate) fn pgbench_s(&self) -> u32 {
        self.pick(3, 2)
    }
}
