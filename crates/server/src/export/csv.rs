//! A deposit as comma-separated values: one row for each payment or refund, and their totals.

use cobro_clip::DepositRow;

use super::{Report, kind, method};

const HEAD: [&str; 18] = [
    "Reporte",
    "Fecha de depósito",
    "Recibo",
    "Fecha",
    "Tipo",
    "Forma de pago",
    "Marca",
    "Terminación",
    "Banco emisor",
    "Meses",
    "Referencia",
    "Usuario",
    "Monto",
    "Propina",
    "Comisión",
    "IVA",
    "Retención",
    "Neto",
];

/// How many columns stand before the first amount.
const TEXTS: usize = 12;

/// The report as UTF-8 text with the line ends of RFC 4180.
pub(super) fn write(report: &Report) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    out.write_record(HEAD)?;
    for row in &report.rows {
        out.write_record(texts(report, row).iter().chain(&amounts(report, row)))?;
    }
    let totals = report.totals();
    let mut last = vec!["Total".to_owned(), report.settlement.day.to_string()];
    last.resize(TEXTS, String::new());
    last.extend(
        [
            totals.amount_minor,
            totals.tip_minor,
            totals.fee_minor,
            totals.tax_minor,
            totals.retention_minor(),
            totals.net_minor(),
        ]
        .map(|minor| report.amount(minor)),
    );
    out.write_record(last)?;
    Ok(out.into_inner()?)
}

fn texts(report: &Report, row: &DepositRow) -> [String; TEXTS] {
    [
        report.number.clone(),
        report.settlement.day.to_string(),
        row.receipt_no.clone(),
        row.day.to_string(),
        kind(row).to_owned(),
        method(row).to_owned(),
        row.brand.clone(),
        row.last_digits.clone(),
        row.issuer.clone(),
        row.terms.map(|months| months.to_string()).unwrap_or_default(),
        inert(row.invoice.as_deref()),
        inert(row.user.as_deref()),
    ]
}

fn amounts(report: &Report, row: &DepositRow) -> [String; 6] {
    [
        row.amount_minor,
        row.tip_minor,
        row.fee_minor,
        row.tax_minor,
        row.retention_minor(),
        row.settled_minor(),
    ]
    .map(|minor| report.amount(minor))
}

/// Text that somebody else wrote, such that no spreadsheet takes it for a formula.
fn inert(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        let table = [
            (Some("=1+1"), "'=1+1"),
            (Some("@SUM(A1)"), "'@SUM(A1)"),
            (Some("-12"), "'-12"),
            (Some("pedido 12"), "pedido 12"),
            (Some(""), ""),
            (None, ""),
        ];
        for (text, expected) in table {
            assert_eq!(inert(text), expected);
        }
    }
}
