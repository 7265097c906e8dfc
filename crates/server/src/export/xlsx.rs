//! A deposit as a workbook: a sheet with the summary, and one with the rows and their sums as
//! formulas.

use cobro_clip::DepositRow;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet};
use rust_xlsxwriter::{ExcelDateTime, XlsxError};

use super::{Report, kind, method};

/// The columns of the rows, with their widths in characters.
const COLUMNS: [(&str, u16); 16] = [
    ("Recibo", 11),
    ("Fecha", 12),
    ("Tipo", 12),
    ("Forma de pago", 14),
    ("Marca", 18),
    ("Terminación", 12),
    ("Banco emisor", 28),
    ("Meses", 8),
    ("Referencia", 24),
    ("Usuario", 28),
    ("Monto", 14),
    ("Propina", 12),
    ("Comisión", 12),
    ("IVA", 12),
    ("Retención", 12),
    ("Neto", 14),
];

/// The first column with an amount.
const FIRST_AMOUNT: u16 = 10;

/// The rows above the table's first.
const HEAD_ROWS: u32 = 1;

struct Formats {
    head: Format,
    title: Format,
    label: Format,
    date: Format,
    amount: Format,
    total: Format,
    total_label: Format,
}

impl Formats {
    fn new() -> Self {
        let amount = Format::new().set_num_format("#,##0.00;[Red]-#,##0.00");
        let strong = |format: Format| format.set_bold().set_border_top(FormatBorder::Thin);
        Self {
            head: Format::new()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(Color::RGB(0x1f_3a_5f))
                .set_align(FormatAlign::Center),
            title: Format::new().set_bold().set_font_size(16),
            label: Format::new().set_bold(),
            date: Format::new().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left),
            total: strong(amount.clone()),
            total_label: strong(Format::new()),
            amount,
        }
    }
}

/// The workbook's bytes.
pub(super) fn write(report: &Report) -> anyhow::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::parse_from_str(&report.settlement.day.to_string())?;
    let properties = rust_xlsxwriter::DocProperties::new()
        .set_title(format!("Depósito {}", report.number))
        .set_creation_datetime(&created);
    workbook.set_properties(&properties);
    let formats = Formats::new();
    summary(workbook.add_worksheet(), report, &formats)?;
    table(workbook.add_worksheet(), report, &formats)?;
    Ok(workbook.save_to_buffer()?)
}

fn summary(sheet: &mut Worksheet, report: &Report, formats: &Formats) -> Result<(), XlsxError> {
    sheet.set_name("Resumen")?.set_column_width(0, 26)?.set_column_width(1, 30)?;
    sheet.write_with_format(0, 0, "Reporte de depósito", &formats.title)?;
    let (settlement, totals) = (&report.settlement, report.totals());
    let texts = [
        ("Comercio", report.merchant.name.clone()),
        ("Número de reporte", report.number.clone()),
        ("Moneda", settlement.currency.code().to_owned()),
    ];
    for (row, (label, text)) in (2..).zip(texts) {
        sheet.write_with_format(row, 0, label, &formats.label)?.write(row, 1, text)?;
    }
    sheet.write_with_format(5, 0, "Fecha de depósito", &formats.label)?;
    date(sheet, 5, 1, &settlement.day.to_string(), formats)?;
    sheet.write_with_format(6, 0, "Transacciones", &formats.label)?;
    sheet.write_with_format(6, 1, count(settlement.rows), &left())?;
    let amounts = [
        ("Monto de ventas", totals.amount_minor, 'K'),
        ("Propinas", totals.tip_minor, 'L'),
        ("Comisión", totals.fee_minor, 'M'),
        ("IVA de la comisión", totals.tax_minor, 'N'),
    ];
    let end = end_row(report);
    for (row, (label, minor, column)) in (8..).zip(amounts) {
        sheet.write_with_format(row, 0, label, &formats.label)?;
        let formula = format!("=Detalle!{column}{}", end + 1);
        let formula = Formula::new(formula).set_result(report.amount(minor));
        sheet.write_formula_with_format(row, 1, formula, &formats.amount)?;
    }
    let sums = [
        ("Total bruto", totals.gross_minor(), "=B9+B10"),
        ("Retención total", totals.retention_minor(), "=B11+B12"),
        ("Neto depositado", totals.net_minor(), "=B13-B14"),
    ];
    for (row, (label, minor, formula)) in (12..).zip(sums) {
        let formula = Formula::new(formula).set_result(report.amount(minor));
        sheet.write_with_format(row, 0, label, &formats.total_label)?;
        sheet.write_formula_with_format(row, 1, formula, &formats.total)?;
    }
    Ok(())
}

fn left() -> Format {
    Format::new().set_align(FormatAlign::Left)
}

fn table(sheet: &mut Worksheet, report: &Report, formats: &Formats) -> Result<(), XlsxError> {
    sheet.set_name("Detalle")?.set_freeze_panes(HEAD_ROWS, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    for (column, (name, width)) in (0..).zip(COLUMNS) {
        sheet.set_column_width(column, f64::from(width))?;
        sheet.write_with_format(0, column, name, &formats.head)?;
    }
    for (place, row) in (HEAD_ROWS..).zip(&report.rows) {
        line(sheet, place, report, row, formats)?;
    }
    let end = end_row(report);
    sheet.write_with_format(end, 0, "Total", &formats.total_label)?;
    for column in 1..FIRST_AMOUNT {
        sheet.write_blank(end, column, &formats.total_label)?;
    }
    let totals = report.totals();
    let sums = [
        totals.amount_minor,
        totals.tip_minor,
        totals.fee_minor,
        totals.tax_minor,
        totals.retention_minor(),
        totals.net_minor(),
    ];
    for (column, minor) in (FIRST_AMOUNT..).zip(sums) {
        let letter = char::from(b'A' + u8::try_from(column).unwrap_or(0));
        // A sum of no rows would name its own cell.
        let formula = match end {
            HEAD_ROWS => "=0".to_owned(),
            end => format!("=SUM({letter}2:{letter}{end})"),
        };
        let formula = Formula::new(formula).set_result(report.amount(minor));
        sheet.write_formula_with_format(end, column, formula, &formats.total)?;
    }
    Ok(())
}

/// The row of the sums, counted from 0.
fn end_row(report: &Report) -> u32 {
    HEAD_ROWS + u32::try_from(report.rows.len()).unwrap_or(u32::MAX - HEAD_ROWS)
}

fn line(
    sheet: &mut Worksheet,
    place: u32,
    report: &Report,
    row: &DepositRow,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.write_string(place, 0, &row.receipt_no)?;
    date(sheet, place, 1, &row.day.to_string(), formats)?;
    sheet.write_string(place, 2, kind(row))?.write_string(place, 3, method(row))?;
    sheet.write_string(place, 4, &row.brand)?.write_string(place, 5, &row.last_digits)?;
    sheet.write_string(place, 6, &row.issuer)?;
    if let Some(months) = row.terms {
        sheet.write_number(place, 7, count(months))?;
    }
    // Written as text, which no program takes for a formula.
    sheet.write_string(place, 8, row.invoice.as_deref().unwrap_or_default())?;
    sheet.write_string(place, 9, row.user.as_deref().unwrap_or_default())?;
    let amounts = [
        row.amount_minor,
        row.tip_minor,
        row.fee_minor,
        row.tax_minor,
        row.retention_minor(),
        row.settled_minor(),
    ];
    for (column, minor) in (FIRST_AMOUNT..).zip(amounts) {
        sheet.write_number_with_format(place, column, cell(report, minor), &formats.amount)?;
    }
    Ok(())
}

fn date(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    day: &str,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let day = ExcelDateTime::parse_from_str(day)?;
    sheet.write_datetime_with_format(row, column, &day, &formats.date)?;
    Ok(())
}

/// An amount as the format's cells hold numbers; it is read from its decimals, not reckoned.
fn cell(report: &Report, minor: i64) -> f64 {
    report.amount(minor).parse().unwrap_or_default()
}

fn count(number: i64) -> f64 {
    f64::from(i32::try_from(number).unwrap_or(i32::MAX))
}
