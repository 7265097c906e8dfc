//! What a slice of work cost: time, CPU time by whose it is, and what others used meanwhile.
//!
//! CPU times come from `/proc`; on other systems they are unknown and count as zero.

use std::collections::HashMap;
use std::time::Duration;

/// How many units of `/proc/…/stat` make a second: `USER_HZ`, which Linux fixes at 100.
const TICKS_PER_SECOND: u64 = 100;

/// Whose CPU time is told apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    /// Servers that this program started. The first is the one that is measured.
    pub(crate) servers: Vec<u32>,
    /// The first process of PostgreSQL.
    pub(crate) database: Option<u32>,
}

/// CPU time in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CpuUse {
    /// This program and what it started, but for servers: the clients, and what runs in process.
    pub(crate) own_us: u64,
    /// The server that was measured.
    pub(crate) server_us: u64,
    /// PostgreSQL.
    pub(crate) database_us: u64,
    /// Everybody else, the kernel's own threads among them.
    pub(crate) others_us: u64,
    /// All that there was.
    pub(crate) capacity_us: u64,
}

/// One slice of work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slice {
    /// How many operations were done.
    pub(crate) operations: u64,
    /// How long they took.
    pub(crate) elapsed: Duration,
    /// The CPU time that they took.
    pub(crate) cpu: CpuUse,
    /// How long half of the requests took at most, in microseconds.
    pub(crate) p50_us: u32,
    /// How long 99 of 100 requests took at most, in microseconds.
    pub(crate) p99_us: u32,
}

impl Slice {
    /// A slice without anything but its work.
    pub(crate) fn new(operations: u64, elapsed: Duration, mut latencies_us: Vec<u32>) -> Self {
        latencies_us.sort_unstable();
        let at = |hundredth: usize| {
            let place = latencies_us.len() * hundredth / 100;
            latencies_us.get(place).or(latencies_us.last()).copied().unwrap_or(0)
        };
        let (p50_us, p99_us) = (at(50), at(99));
        Self { operations, elapsed, p50_us, p99_us, ..Self::default() }
    }

    /// Several slices of the same work as one; half of them were as fast as it says, and none had
    /// a slower hundredth.
    pub(crate) fn joined(slices: &[Self]) -> Self {
        let mut p50s: Vec<u32> = slices.iter().map(|slice| slice.p50_us).collect();
        p50s.sort_unstable();
        let sum = |of: fn(&Self) -> u64| slices.iter().map(of).sum();
        Self {
            operations: sum(|slice| slice.operations),
            elapsed: slices.iter().map(|slice| slice.elapsed).sum(),
            cpu: CpuUse {
                own_us: sum(|slice| slice.cpu.own_us),
                server_us: sum(|slice| slice.cpu.server_us),
                database_us: sum(|slice| slice.cpu.database_us),
                others_us: sum(|slice| slice.cpu.others_us),
                capacity_us: sum(|slice| slice.cpu.capacity_us),
            },
            p50_us: p50s.get(p50s.len() / 2).copied().unwrap_or(0),
            p99_us: slices.iter().map(|slice| slice.p99_us).max().unwrap_or(0),
        }
    }

    /// Operations a second.
    pub(crate) fn rate(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Microseconds of CPU time per operation.
    pub(crate) fn per_operation(&self, cpu_us: u64) -> f64 {
        cpu_us as f64 / self.operations.max(1) as f64
    }

    /// The share of the machine that others used, from 0 to 1.
    pub(crate) fn others(&self) -> f64 {
        self.cpu.others_us as f64 / self.cpu.capacity_us.max(1) as f64
    }
}

/// A moment from which CPU time is counted.
pub(crate) struct Mark {
    watched: Watched,
    before: Reading,
}

#[derive(Default)]
struct Reading {
    own: u64,
    measured: u64,
    servers: u64,
    database: u64,
    busy: u64,
    all: u64,
}

impl Mark {
    /// Begins to count.
    pub(crate) fn new(watched: &Watched) -> Self {
        Self { watched: watched.clone(), before: read(watched) }
    }

    /// What was used since.
    pub(crate) fn elapsed(&self) -> CpuUse {
        let (now, before) = (read(&self.watched), &self.before);
        let us = |later: u64, earlier: u64| {
            later.saturating_sub(earlier) * (1_000_000 / TICKS_PER_SECOND)
        };
        let all_own_us = us(now.own, before.own);
        let database_us = us(now.database, before.database);
        CpuUse {
            own_us: all_own_us.saturating_sub(us(now.servers, before.servers)),
            server_us: us(now.measured, before.measured),
            database_us,
            others_us: us(now.busy, before.busy).saturating_sub(all_own_us + database_us),
            capacity_us: us(now.all, before.all),
        }
    }
}

struct Process {
    parent: u32,
    /// Of itself and of its children that have ended.
    ticks: u64,
}

fn read(watched: &Watched) -> Reading {
    let processes = processes();
    let tree = |root: u32| -> u64 {
        let mut sum = 0;
        for (id, process) in &processes {
            let mut at = Some(*id);
            while let Some(here) = at.filter(|here| *here != root) {
                at = processes.get(&here).map(|process| process.parent).filter(|id| *id != 0);
            }
            if at.is_some() {
                sum += process.ticks;
            }
        }
        sum
    };
    let (busy, all) = machine();
    Reading {
        own: tree(std::process::id()),
        measured: watched.servers.first().map_or(0, |id| tree(*id)),
        servers: watched.servers.iter().map(|id| tree(*id)).sum(),
        database: watched.database.map_or(0, tree),
        busy,
        all,
    }
}

fn processes() -> HashMap<u32, Process> {
    let mut found = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let text = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in parentheses may hold anything. After it come state, parent, and as the 11th
        // to 14th of the fields from 0 the times: own and children's, in user and kernel mode.
        let Some((_, rest)) = text.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |place: usize| -> Option<u64> {
            fields.get(place).and_then(|field| field.parse().ok())
        };
        let ticks: u64 = (11..15).filter_map(number).sum();
        let parent = number(1).and_then(|parent| u32::try_from(parent).ok()).unwrap_or(0);
        found.insert(id, Process { parent, ticks });
    }
    found
}

/// The machine's busy ticks and all its ticks, over all CPUs.
fn machine() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    // user nice system idle iowait irq softirq steal; guests are counted within user.
    let ticks: Vec<u64> =
        line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    (all - idle, all)
}

/// The parent of a process; `None` when there is no such process.
pub(crate) fn parent_of(id: u32) -> Option<u32> {
    processes().get(&id).map(|process| process.parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn percentiles_and_rates() {
        let slice = Slice::new(100, Duration::from_millis(500), (1..=100).rev().collect());
        assert_eq!((slice.p50_us, slice.p99_us), (51, 100));
        assert!((slice.rate() - 200.0).abs() < 1e-6);
        assert_eq!(Slice::new(0, Duration::ZERO, Vec::new()).p99_us, 0);
    }

    #[test]
    fn own_work_is_not_taken_for_that_of_others() {
        let mark = Mark::new(&Watched::default());
        let began = Instant::now();
        let mut sum = 0_u64;
        while began.elapsed() < Duration::from_millis(300) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let used = mark.elapsed();
        if cfg!(target_os = "linux") {
            assert!(used.own_us >= 50_000, "{used:?}");
            assert!(used.capacity_us >= 200_000, "{used:?}");
            assert!(used.own_us + used.others_us <= used.capacity_us + 60_000, "{used:?}");
        }
    }
}
