//! `cobro export settlement ID`: a deposit as a report for people who keep books.
//!
//! The numbers are those of the API: rows and totals come from the same settlement, and what is
//! written is checked to add up to its totals before a byte goes out.

mod csv;
mod pdf;
mod xlsx;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use cobro_clip::{DepositRow, DepositRows};
use cobro_domain::Clock;
use cobro_domain::merchant::Merchant;
use cobro_domain::settlement::{Settlement, SettlementState};
use cobro_engine::deposits::{Deposits, SettlementLine};
use cobro_store::Store;
use cobro_store::store::Durability;

use crate::ambient::SystemClock;
use crate::config::{StoreArgs, StoreConfig};
use crate::data::{Databases, main_databases, sqlite_databases};

/// How many lines are read at once.
const STEP: usize = 1000;

/// The dialect whose deposits are exported.
const DIALECT: &str = "clip";

/// What can be exported.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// A deposit with its payments and totals
    Settlement(SettlementArgs),
}

/// Which deposit, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct SettlementArgs {
    /// The number of its report, or its UUID
    id: String,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The world that it belongs to [default: the demo world]
    #[arg(long, value_name = "ID")]
    world: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values, UTF-8
    Csv,
    /// A workbook
    Xlsx,
    /// Pages to print
    Pdf,
}

/// A closed deposit with all that a report says of it.
#[derive(Clone, Debug)]
struct Report {
    merchant: Merchant,
    settlement: Settlement,
    /// The report's number.
    number: String,
    rows: Vec<DepositRow>,
}

/// Totals of rows, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    amount_minor: i64,
    tip_minor: i64,
    fee_minor: i64,
    tax_minor: i64,
}

impl Totals {
    /// What was taken, tips included.
    const fn gross_minor(self) -> i64 {
        self.amount_minor + self.tip_minor
    }

    const fn retention_minor(self) -> i64 {
        self.fee_minor + self.tax_minor
    }

    const fn net_minor(self) -> i64 {
        self.gross_minor() - self.retention_minor()
    }
}

impl Report {
    fn totals(&self) -> Totals {
        self.rows.iter().fold(Totals::default(), |sum, row| Totals {
            amount_minor: sum.amount_minor + row.amount_minor,
            tip_minor: sum.tip_minor + row.tip_minor,
            fee_minor: sum.fee_minor + row.fee_minor,
            tax_minor: sum.tax_minor + row.tax_minor,
        })
    }

    /// An amount with all of its currency's decimals.
    fn amount(&self, minor: i64) -> String {
        fixed_decimals(minor, self.settlement.currency.exponent())
    }

    /// Whether the rows are those of the totals that the API shows.
    fn check(&self) -> anyhow::Result<()> {
        let (totals, said) = (self.totals(), &self.settlement);
        let fits = totals.gross_minor() == said.gross_minor
            && totals.fee_minor == said.fee.fee_minor
            && totals.tax_minor == said.fee.tax_minor
            && i64::try_from(self.rows.len()).ok() == Some(said.rows);
        if !fits {
            bail!("the rows of {} do not add up to its totals: run cobro verify", self.number);
        }
        Ok(())
    }
}

/// Minor units with all decimals: with exponent 2, 9300 is `93.00` and -5 is `-0.05`.
fn fixed_decimals(minor: i64, exponent: u32) -> String {
    let decimals = usize::try_from(exponent).unwrap_or(0);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = decimals + 1);
    let sign = if minor < 0 { "-" } else { "" };
    match digits.split_at_checked(digits.len().saturating_sub(decimals)) {
        Some((whole, fraction)) if decimals > 0 => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits}"),
    }
}

/// Whether a row is a payment or a refund of a payment that was paid out before.
fn kind(row: &DepositRow) -> &'static str {
    if row.amount_minor < 0 { "Devolución" } else { "Pago" }
}

/// The way of payment in the report's language.
fn method(row: &DepositRow) -> &'static str {
    if row.method == "Credit" { "Crédito" } else { "Débito" }
}

/// Writes the report.
pub(crate) async fn run(command: ExportCommand) -> anyhow::Result<()> {
    let ExportCommand::Settlement(args) = command;
    let is_binary = args.format != Format::Csv;
    if is_binary && args.output.is_none() && std::io::stdout().is_terminal() {
        bail!("this form is not for a terminal: name a file with --output");
    }
    let config = args.store.resolve()?;
    let store = open(&config, args.world.as_deref())?;
    let report = read(&store, &args.id).await?;
    report.check()?;
    let bytes = match args.format {
        Format::Csv => csv::write(&report)?,
        Format::Xlsx => xlsx::write(&report)?,
        Format::Pdf => pdf::write(&report),
    };
    match &args.output {
        Some(path) => {
            std::fs::write(path, bytes).with_context(|| format!("{}", path.display()))?;
        }
        None => std::io::stdout().lock().write_all(&bytes)?,
    }
    Ok(())
}

/// Opens a world's database to be read, also while a server runs on it.
fn open(config: &StoreConfig, world: Option<&str>) -> anyhow::Result<Store> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let databases = match world {
        None | Some(cobro_engine::worlds::MAIN) => main_databases(config),
        Some(id) => other_world(&config.data, id)?,
    };
    let (store, _) = databases.open_to_read(&clock)?;
    Ok(store)
}

/// The databases of a world beside the demo world.
fn other_world(data: &Path, id: &str) -> anyhow::Result<Databases> {
    let tag = id.strip_prefix("w_").filter(|tag| tag.bytes().all(|b| b.is_ascii_hexdigit()));
    let file = tag.map(|tag| data.join("worlds").join(format!("{tag}.sqlite")));
    let Some(file) = file.filter(|file| file.exists()) else {
        bail!("there is no world {id}");
    };
    Ok(sqlite_databases(&file, Durability::ProcessOnly))
}

async fn read(store: &Store, id: &str) -> anyhow::Result<Report> {
    let deposits = Deposits::new(store);
    let found = deposits.find(id).await.ok().filter(|(_, merchant)| merchant.channel == DIALECT);
    let Some((settlement, merchant)) = found else { bail!("there is no settlement {id}") };
    let SettlementState::Closed { report: number, .. } = settlement.state.clone() else {
        bail!("the settlement {id} is not closed yet");
    };
    let (reader, mut rows) = (DepositRows::of(&merchant), Vec::new());
    let mut after = None;
    loop {
        let lines = deposits.lines(merchant.id, settlement.day, after, STEP).await?;
        rows.extend(lines.iter().map(|line| reader.row(line)));
        let Some(last) = lines.last() else { break };
        after = Some(SettlementLine::place(last));
    }
    rows.sort_by_key(|row| row.day);
    Ok(Report { merchant, settlement, number, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_all_their_decimals() {
        let table = [
            (9300, 2, "93.00"),
            (58, 2, "0.58"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (-123_456_789, 2, "-1234567.89"),
            (1500, 0, "1500"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ];
        for (minor, exponent, expected) in table {
            assert_eq!(fixed_decimals(minor, exponent), expected);
        }
    }
}
