//! The report: ratios beside their targets, then the figures that they are made of.

use std::fmt::Write as _;
use std::path::Path;

use crate::clock::Slice;
use crate::http::{
    BARE, COLLECT, CREATE, CREATE_ALONE, CREATE_FILLED, CREATE_INSIDE, CREATE_SPREAD, DIRECT,
    PAYMENT, PROXIED,
};
use crate::pages::{FEW, FEW_PAID, MANY, MANY_PAID};
use crate::postgres::{HOT_64, HOT_128, OVER_HTTP, PGBENCH, SPREAD_64, SPREAD_128, WITH_BOOK};
use crate::start::Start;
use crate::terminals::{ALONE, BESIDE, Memory};

/// A write of 4 KiB with a sync, alone.
pub(crate) const SYNC: &str = "write of 4 KiB with sync";

/// What follows this line is written by people and stays when the report is written anew.
const NOTES: &str = "<!-- What follows is kept when this page is written anew. -->";

/// The slices of one case, one per round.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    slices: Vec<Slice>,
}

impl Series {
    /// No slices yet.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, slices: Vec::new() }
    }

    /// Adds the slice of a round.
    pub(crate) fn push(&mut self, slice: Slice) {
        self.slices.push(slice);
    }

    fn figures(&self, of: impl Fn(&Slice) -> f64) -> Figures {
        Figures::of(self.slices.iter().map(of).collect())
    }
}

/// The middle and the ends of several figures.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    median: f64,
    least: f64,
    most: f64,
}

impl Figures {
    fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |place: usize| all.get(place).copied().unwrap_or(f64::NAN);
        let last = all.len().saturating_sub(1);
        let median = (at(last / 2) + at(all.len() / 2)) / 2.0;
        Self { median, least: at(0), most: at(last) }
    }
}

/// On which side of its target a figure should be.
#[derive(Clone, Copy, Debug)]
enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound:.2}"),
            Self::AtMost(bound) => format!("≤ {bound:.0}"),
        }
    }
}

/// A ratio of two series, round by round.
struct Ratio {
    what: &'static str,
    over: &'static str,
    under: &'static str,
    /// How many operations of `under` stand for one of `over`.
    times: f64,
    target: Option<f64>,
}

const fn ratio(
    what: &'static str,
    over: &'static str,
    under: &'static str,
    times: f64,
    target: Option<f64>,
) -> Ratio {
    Ratio { what, over, under, times, target }
}

const RATIOS: [Ratio; 16] = [
    ratio("durable create ÷ bare request", CREATE, BARE, 1.0, Some(0.40)),
    ratio("the same, 1,000 sellers", CREATE_SPREAD, BARE, 1.0, None),
    ratio("payment ÷ three bare requests", PAYMENT, BARE, 3.0, Some(0.20)),
    ratio("collect by token ÷ payment", COLLECT, PAYMENT, 1.0, Some(0.70)),
    ratio("create ÷ one commit per request", CREATE, CREATE_ALONE, 1.0, Some(6.0)),
    ratio("create over HTTP ÷ in process", CREATE, CREATE_INSIDE, 1.0, None),
    ratio("1,000,000 payments stored ÷ none", CREATE_FILLED, CREATE_SPREAD, 1.0, Some(0.85)),
    ratio("through the proxy ÷ plain HTTP, one connection", PROXIED, DIRECT, 1.0, Some(0.50)),
    ratio("payments: 10,000 terminals, 1,000 streams ÷ none", BESIDE, ALONE, 1.0, Some(0.80)),
    // At most one and a half times the cost.
    ratio("list page: 1,000,000 payments ÷ 10,000", MANY, FEW, 1.0, Some(0.67)),
    ratio("deposit page: the same", MANY_PAID, FEW_PAID, 1.0, Some(0.67)),
    ratio("PostgreSQL: commands, 64 callers ÷ pgbench", SPREAD_64, PGBENCH, 1.0, Some(3.0)),
    ratio("PostgreSQL: commands, 128 callers ÷ pgbench", SPREAD_128, PGBENCH, 1.0, Some(3.0)),
    ratio("PostgreSQL: one merchant ÷ spread, 64 callers", HOT_64, SPREAD_64, 1.0, Some(0.45)),
    ratio("PostgreSQL: one merchant ÷ spread, 128 callers", HOT_128, SPREAD_128, 1.0, Some(0.45)),
    ratio("PostgreSQL: payments over HTTP ÷ in process", OVER_HTTP, WITH_BOOK, 1.0, Some(0.45)),
];

/// Everything that a run found.
pub(crate) struct Report {
    quick: bool,
    build_s: Option<(f64, f64)>,
    start: Option<Start>,
    memory: Option<Memory>,
    series: Vec<Series>,
    pub(crate) postgres_version: Option<String>,
}

impl Report {
    /// An empty report.
    pub(crate) const fn new(quick: bool, build_s: Option<(f64, f64)>) -> Self {
        Self {
            quick,
            build_s,
            start: None,
            memory: None,
            series: Vec::new(),
            postgres_version: None,
        }
    }

    /// Adds what was found of starting.
    pub(crate) fn add_start(&mut self, start: Start) {
        self.start = Some(start);
    }

    /// Adds what was found of the memory of terminals and streams.
    pub(crate) fn add_memory(&mut self, memory: Memory) {
        self.memory = Some(memory);
    }

    /// Adds cases.
    pub(crate) fn add(&mut self, series: Vec<Series>) {
        self.series.extend(series);
    }

    /// The report as Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        text.push_str(HEAD);
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let others = Figures::of(
            self.series.iter().flat_map(|series| &series.slices).map(Slice::others).collect(),
        );
        let length = if self.quick { "A short run" } else { "A full run" };
        let _ = write!(text, "{length}, {cpus} CPUs");
        if let Some(version) = &self.postgres_version {
            let _ = write!(text, ", PostgreSQL {version}");
        }
        if !self.series.is_empty() {
            let _ = write!(
                text,
                ". While it ran, others used {} of the machine (median of all slices; at most {})",
                percent(others.median),
                percent(others.most)
            );
        }
        text.push_str(".\n\n");
        self.ratios(&mut text);
        self.cases(&mut text);
        text
    }

    fn ratios(&self, text: &mut String) {
        text.push_str(
            "| what | median | lowest to highest round | target | met |\n|---|---|---|---|---|\n",
        );
        for ratio in &RATIOS {
            let (Some(over), Some(under)) = (self.find(ratio.over), self.find(ratio.under)) else {
                continue;
            };
            let rounds = over.slices.iter().zip(&under.slices);
            let all = rounds.map(|(over, under)| over.rate() * ratio.times / under.rate());
            let target = ratio.target.map(Target::AtLeast);
            line(text, ratio.what, Figures::of(all.collect()), target, "");
        }
        self.single_figures(text);
        if let Some((cpu_s, wall_s)) = self.build_s {
            let figures = Figures { median: cpu_s, least: cpu_s, most: cpu_s };
            line(
                text,
                "CPU time of a clean release build",
                figures,
                Some(Target::AtMost(400.0)),
                " s",
            );
            let _ = writeln!(text, "\nThe build took {wall_s:.0} s.");
        }
        text.push('\n');
    }

    /// What is not a ratio: starts and memory.
    fn single_figures(&self, text: &mut String) {
        let mut row = |what: &str, all: &[f64], target: Option<Target>, unit: &str| {
            line(text, what, Figures::of(all.to_vec()), target, unit);
        };
        let mut others = Vec::new();
        if let Some(start) = &self.start {
            let limit = Some(Target::AtMost(50.0));
            row("start to first answer, new data directory", &start.first_ms, limit, " ms");
            row("start to first answer, used data directory", &start.again_ms, limit, " ms");
            row("`cobro run -- true` to its end", &start.run_ms, None, " ms");
            row("idle memory", &start.idle_mib, Some(Target::AtMost(25.0)), " MB");
            others.push(("starts", start.others));
        }
        if let Some(memory) = &self.memory {
            row("memory of a terminal that asks", &memory.terminal_kib, None, " KiB");
            row("memory of an open live stream", &memory.stream_kib, None, " KiB");
            others.push(("memory of terminals and streams", memory.others));
        }
        for (what, share) in others {
            row(&format!("others' share: {what}"), &[share * 100.0], None, " %");
        }
    }

    fn cases(&self, text: &mut String) {
        if self.series.is_empty() {
            return;
        }
        text.push_str(CASES);
        for series in &self.series {
            let rate = series.figures(Slice::rate);
            let ms = |us: u32| f64::from(us) / 1000.0;
            let p50 = series.figures(|slice| ms(slice.p50_us)).median;
            let p99 = series.figures(|slice| ms(slice.p99_us)).median;
            let cpu = |of: fn(&Slice) -> u64| {
                series.figures(|slice| slice.per_operation(of(slice))).median
            };
            let latency = if p99 > 0.0 { format!("{p50:.2} / {p99:.2}") } else { "–".to_owned() };
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.0} to {:.0} | {latency} | {} | {} | {} | {} |",
                series.name,
                rate.median,
                rate.least,
                rate.most,
                micros(cpu(|slice| slice.cpu.own_us)),
                micros(cpu(|slice| slice.cpu.server_us)),
                micros(cpu(|slice| slice.cpu.database_us)),
                percent(series.figures(Slice::others).median),
            );
        }
        text.push('\n');
    }

    fn find(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }

    /// Writes the report to a file; notes at its end stay.
    pub(crate) fn write(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let before = std::fs::read_to_string(path).unwrap_or_default();
        let notes = before
            .find(NOTES)
            .and_then(|at| before.get(at..))
            .map_or_else(|| format!("{NOTES}\n"), str::to_owned);
        Ok(std::fs::write(path, format!("{text}{notes}"))?)
    }
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`. What is compared is measured in one run and in turns: every round
takes a slice of each case, beginning with another one each time, and a ratio is the median of the
ratios of the rounds. A busy machine disturbs both sides of a ratio alike, but not quite: the share
that others used is given with every figure, and ratios of a busy machine are rough.

";

const CASES: &str = "\
Over HTTP there are 64 connections that stay open, each with one request at a time, from a load
client on the same machine. Every intent has an idempotency key of its own and is made on a free
terminal (one seller has 2,000 of them); cancelling it afterwards is not measured. The bare route parses the same body with
`serde_json` and answers it. A collect is one signed request, whose card is decrypted from the vault;
a payment is three requests. Cobro runs as `cobro serve`, built with the profile `release`,
on SQLite with full sync. In process, a
\"command\" is one transaction of a payment: create, green key, begin, approve, put the result away;
the acquirer says yes at once. With the simulated acquirer, a payment is also a durable line in the
acquirer's own book. Through the proxy, a small request goes over one connection that `CONNECT`
made, with TLS that the server ends. A terminal that polls asks every five seconds what it shows,
10,000 of them over 64 connections; a stream is `/_cobro/v1/live` of one terminal, and a tenth of the
payments is made at a terminal that has one. `pgbench` runs `-c 64 -j 2 -M prepared`, scale 20, on the
same cluster.

CPU time is in microseconds per operation: of the clients (with what runs in process), of the server,
of PostgreSQL. \"Others\" is the share of the machine that was used by anything else, the kernel's own
threads included.

| case | a second | lowest to highest round | p50 / p99 ms | clients | server | PostgreSQL | others |
|---|---|---|---|---|---|---|---|
";

fn line(text: &mut String, what: &str, figures: Figures, target: Option<Target>, unit: &str) {
    let digits = if unit.is_empty() { 2 } else { 1 };
    let bound = target.map_or_else(|| "–".to_owned(), |target| format!("{}{unit}", target.text()));
    let met = match target {
        None => "–",
        Some(target) if target.is_met(figures.median) => "yes",
        Some(_) => "**no**",
    };
    let Figures { median, least, most } = figures;
    let _ = writeln!(
        text,
        "| {what} | {median:.digits$}{unit} | {least:.digits$} to {most:.digits$} | {bound} | {met} |"
    );
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn micros(us: f64) -> String {
    if us < 0.05 { "–".to_owned() } else { format!("{us:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn series(name: &'static str, rates: &[u64]) -> Series {
        let mut series = Series::new(name);
        for rate in rates {
            series.push(Slice::new(*rate, Duration::from_secs(1), vec![1000; 10]));
        }
        series
    }

    #[test]
    fn figures_have_a_middle_and_ends() {
        let all = Figures::of(vec![3.0, 1.0, 2.0, 10.0]);
        assert_eq!(all, Figures { median: 2.5, least: 1.0, most: 10.0 });
        assert_eq!(Figures::of(vec![7.0]).median, 7.0);
        assert!(Figures::of(Vec::new()).median.is_nan());
    }

    #[test]
    fn ratios_are_those_of_rounds_and_say_whether_they_are_met() {
        let mut report = Report::new(true, Some((401.0, 200.0)));
        report.add(vec![series(BARE, &[100, 1000, 100]), series(CREATE, &[50, 100, 40])]);
        report.add(vec![series(PAYMENT, &[5, 50, 5])]);
        let text = report.text();
        for expected in [
            "| durable create ÷ bare request | 0.40 | 0.10 to 0.50 | ≥ 0.40 | yes |",
            "| payment ÷ three bare requests | 0.15 | 0.15 to 0.15 | ≥ 0.20 | **no** |",
            "| CPU time of a clean release build | 401.0 s | 401.0 to 401.0 | ≤ 400 s | **no** |",
            "| create, one seller | 50 | 40 to 100 | 1.00 / 1.00 |",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("pgbench ÷"), "{text}");
    }

    #[test]
    fn notes_stay() {
        let path = std::env::temp_dir().join(format!("cobro-bench-notes-{}", std::process::id()));
        std::fs::write(&path, format!("old\n{NOTES}\n\nmine\n")).unwrap();
        Report::new(true, None).write(&path, "new\n").unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(written, format!("new\n{NOTES}\n\nmine\n"));
    }
}
