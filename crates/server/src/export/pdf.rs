//! A deposit on pages to print: letter size, across, with a summary, the rows and their sums.
//!
//! Texts are set in Helvetica, which every reader has, so that no font is carried along. Lengths
//! are tenths of a point in whole numbers; the page's matrix scales them.

use cobro_clip::DepositRow;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use super::{Report, kind, method};

/// The page, in tenths of a point.
const WIDTH: i32 = 7920;
const HEIGHT: i32 = 6120;
const MARGIN: i32 = 420;

/// The distance from one row to the next.
const LEADING: i32 = 150;

/// The rows of the first page, which has the summary as well, and of the others.
const ROWS_FIRST: usize = 23;
const ROWS_NEXT: usize = 31;

/// The size of the table's letters, in tenths of a point.
const SMALL: i32 = 80;

/// A column: its title, where it begins, where it ends, and whether it is set against its end.
struct Column {
    title: &'static str,
    from: i32,
    to: i32,
    is_amount: bool,
}

const fn text(title: &'static str, from: i32, to: i32) -> Column {
    Column { title, from, to, is_amount: false }
}

const fn amount(title: &'static str, from: i32, to: i32) -> Column {
    Column { title, from, to, is_amount: true }
}

const COLUMNS: [Column; 12] = [
    text("Recibo", 420, 900),
    text("Fecha", 900, 1430),
    text("Tipo", 1430, 1980),
    text("Forma de pago", 1980, 2620),
    text("Tarjeta", 2620, 3740),
    text("Meses", 3740, 4060),
    text("Referencia", 4060, 4800),
    amount("Monto", 4800, 5320),
    amount("Propina", 5320, 5800),
    amount("Comisión", 5800, 6320),
    amount("IVA", 6320, 6820),
    amount("Neto", 6820, 7480),
];

/// Widths of Helvetica's letters from the blank on, in thousandths of the size (the font's
/// published metrics).
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Widths of digits and of what stands between them are the same in the bold face.
const REGULAR: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

/// The document's bytes.
pub(super) fn write(report: &Report) -> Vec<u8> {
    let pages = split(&report.rows);
    let mut pdf = Pdf::new();
    let (catalog, tree, regular, bold, about) =
        (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), Ref::new(5));
    let page_ref = |place: usize| Ref::new(6 + 2 * i32::try_from(place).unwrap_or(0));
    pdf.catalog(catalog).pages(tree).lang(TextStr("es-MX"));
    pdf.document_info(about)
        .title(TextStr(&format!("Depósito {}", report.number)))
        .producer(TextStr("Cobro"));
    let count = pages.len();
    let kids = (0..count).map(page_ref);
    pdf.pages(tree).kids(kids).count(i32::try_from(count).unwrap_or(i32::MAX));
    for (font, face) in [(regular, &b"Helvetica"[..]), (bold, &b"Helvetica-Bold"[..])] {
        let mut written = pdf.type1_font(font);
        written.base_font(Name(face)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (place, rows) in pages.iter().enumerate() {
        let content = Ref::new(page_ref(place).get() + 1);
        let mut page = pdf.page(page_ref(place));
        page.parent(tree).contents(content).media_box(Rect::new(0.0, 0.0, 792.0, 612.0));
        let mut resources = page.resources();
        resources.fonts().pair(REGULAR, regular).pair(BOLD, bold);
        resources.finish();
        page.finish();
        let mut sheet = Sheet::new();
        let top = if place == 0 { summary(&mut sheet, report) } else { HEIGHT - MARGIN };
        let end = table(&mut sheet, report, rows, top);
        if place + 1 == count {
            sums(&mut sheet, report, end);
        }
        foot(&mut sheet, report, place + 1, count);
        pdf.stream(content, &sheet.content.finish());
    }
    pdf.finish()
}

/// The rows by page; a deposit without rows has one page.
fn split(rows: &[DepositRow]) -> Vec<&[DepositRow]> {
    let (first, rest) = rows.split_at(rows.len().min(ROWS_FIRST));
    std::iter::once(first).chain(rest.chunks(ROWS_NEXT)).collect()
}

/// Title and summary; answers where the table begins.
fn summary(sheet: &mut Sheet, report: &Report) -> i32 {
    let (settlement, totals) = (&report.settlement, report.totals());
    let mut y = HEIGHT - MARGIN - 140;
    sheet.write(BOLD, 180, MARGIN, y, "Reporte de depósito");
    sheet.write_to(REGULAR, 100, WIDTH - MARGIN, y, &format!("Reporte {}", report.number));
    y -= 200;
    sheet.rule(y + 70, 12);
    let currency = settlement.currency.code();
    let left = [
        ("Comercio", report.merchant.name.clone()),
        ("Fecha de depósito", settlement.day.to_string()),
        ("Moneda", currency.to_owned()),
        ("Transacciones", settlement.rows.to_string()),
    ];
    for (place, (label, text)) in (0..).zip(&left) {
        let y = y - 90 - place * LEADING;
        sheet.write(BOLD, 90, MARGIN, y, label);
        sheet.write(REGULAR, 90, MARGIN + 1000, y, &fitting(text, 90, 2200));
    }
    let right = [
        ("Ventas", totals.amount_minor),
        ("Propinas", totals.tip_minor),
        ("Total bruto", totals.gross_minor()),
        ("Comisión", -totals.fee_minor),
        ("IVA de la comisión", -totals.tax_minor),
        ("Neto depositado", totals.net_minor()),
    ];
    for (place, (label, minor)) in (0..).zip(right) {
        let is_sum = place == 2 || place == 5;
        let font = if is_sum { BOLD } else { REGULAR };
        let y = y - 90 - place * LEADING;
        sheet.write(font, 90, 4800, y, label);
        sheet.write_to(font, 90, WIDTH - MARGIN, y, &grouped(&report.amount(minor)));
    }
    y - 90 - 6 * LEADING - 60
}

/// The table's head and rows; answers where the next row would stand.
fn table(sheet: &mut Sheet, report: &Report, rows: &[DepositRow], top: i32) -> i32 {
    sheet.band(top - LEADING - 20, LEADING + 20);
    for column in &COLUMNS {
        let y = top - LEADING + 30;
        if column.is_amount {
            sheet.write_to(BOLD, SMALL, column.to, y, column.title);
        } else {
            sheet.write(BOLD, SMALL, column.from + 20, y, column.title);
        }
    }
    let mut y = top - 2 * LEADING;
    for row in rows {
        for (column, text) in COLUMNS.iter().zip(cells(report, row)) {
            if column.is_amount {
                sheet.write_to(REGULAR, SMALL, column.to, y, &text);
            } else {
                let room = column.to - column.from - 50;
                sheet.write(REGULAR, SMALL, column.from + 20, y, &fitting(&text, SMALL, room));
            }
        }
        sheet.rule(y - 45, 3);
        y -= LEADING;
    }
    y
}

fn cells(report: &Report, row: &DepositRow) -> [String; 12] {
    let digits =
        if row.last_digits.is_empty() { String::new() } else { "•••• ".to_owned() };
    let amount = |minor| grouped(&report.amount(minor));
    [
        row.receipt_no.clone(),
        row.day.to_string(),
        kind(row).to_owned(),
        method(row).to_owned(),
        format!("{} {digits}{}", row.brand, row.last_digits),
        row.terms.map(|months| months.to_string()).unwrap_or_default(),
        row.invoice.clone().unwrap_or_default(),
        amount(row.amount_minor),
        amount(row.tip_minor),
        amount(row.fee_minor),
        amount(row.tax_minor),
        amount(row.settled_minor()),
    ]
}

fn sums(sheet: &mut Sheet, report: &Report, y: i32) {
    let totals = report.totals();
    sheet.rule(y + 105, 10);
    sheet.write(BOLD, SMALL, MARGIN + 20, y, "Total");
    let amounts = [
        totals.amount_minor,
        totals.tip_minor,
        totals.fee_minor,
        totals.tax_minor,
        totals.net_minor(),
    ];
    for (column, minor) in COLUMNS.iter().filter(|column| column.is_amount).zip(amounts) {
        sheet.write_to(BOLD, SMALL, column.to, y, &grouped(&report.amount(minor)));
    }
}

fn foot(sheet: &mut Sheet, report: &Report, page: usize, pages: usize) {
    let y = MARGIN - 140;
    let left = format!("{} · reporte {}", report.merchant.name, report.number);
    sheet.write(REGULAR, 70, MARGIN, y, &fitting(&left, 70, 4000));
    sheet.write_to(REGULAR, 70, WIDTH - MARGIN, y, &format!("Página {page} de {pages}"));
}

/// An amount with commas between groups of three digits, as Mexico writes it.
fn grouped(amount: &str) -> String {
    let (sign, rest) = amount.strip_prefix('-').map_or(("", amount), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, ""), |parts| parts);
    let mut out = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// As much of a text as fits, with dots where something is left out.
fn fitting(text: &str, size: i32, room: i32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if width(&short, size) + width("…", size) + width(letter.encode_utf8(&mut [0; 4]), size)
            > room
        {
            break;
        }
        short.push(letter);
    }
    short + "…"
}

/// The width of a text in the regular face; accented letters are as wide as their bare ones, near
/// enough.
fn width(text: &str, size: i32) -> i32 {
    let of = |byte: u8| match byte {
        0x20..=0x7e => WIDTHS.get(usize::from(byte - 0x20)).copied().unwrap_or(556),
        0x85 => 1000,
        0x95 => 350,
        _ => 600,
    };
    let sum: i32 = encoded(text).into_iter().map(|byte| i32::from(of(byte))).sum();
    sum * size / 1000
}

/// A text in the encoding of the fonts; what it lacks is a question mark.
fn encoded(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| match letter {
            '…' => 0x85,
            '•' => 0x95,
            '–' => 0x96,
            '—' => 0x97,
            '€' => 0x80,
            letter => u8::try_from(u32::from(letter))
                .ok()
                .filter(|byte| matches!(byte, 0x20..=0x7e | 0xa1..=0xff))
                .unwrap_or(b'?'),
        })
        .collect()
}

/// What is drawn on one page.
struct Sheet {
    content: Content,
}

impl Sheet {
    fn new() -> Self {
        let mut content = Content::new();
        content.transform([0.1, 0.0, 0.0, 0.1, 0.0, 0.0]);
        Self { content }
    }

    /// A text that begins at `x`.
    fn write(&mut self, font: Name<'_>, size: i32, x: i32, y: i32, text: &str) {
        let content = &mut self.content;
        content.begin_text().set_font(font, length(size));
        content.next_line(length(x), length(y)).show(Str(&encoded(text))).end_text();
    }

    /// A text that ends at `x`.
    fn write_to(&mut self, font: Name<'_>, size: i32, x: i32, y: i32, text: &str) {
        let wide = width(text, size);
        // Letters of the bold face are a little wider; digits are not.
        let is_number = !text.contains(char::is_alphabetic);
        let extra = if font == BOLD && !is_number { wide / 16 } else { 0 };
        self.write(font, size, x - wide - extra, y, text);
    }

    /// A line across the page.
    fn rule(&mut self, y: i32, thickness: i32) {
        let content = &mut self.content;
        content.save_state().set_fill_gray(0.75);
        content.rect(length(MARGIN), length(y), length(WIDTH - 2 * MARGIN), length(thickness));
        content.fill_nonzero().restore_state();
    }

    /// A shaded band across the page.
    fn band(&mut self, y: i32, high: i32) {
        let content = &mut self.content;
        content.save_state().set_fill_gray(0.92);
        content.rect(length(MARGIN), length(y), length(WIDTH - 2 * MARGIN), length(high));
        content.fill_nonzero().restore_state();
    }
}

/// A length as the format writes it.
fn length(tenths: i32) -> f32 {
    f32::from(i16::try_from(tenths).unwrap_or(i16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped() {
        let table = [
            ("0.05", "0.05"),
            ("123.00", "123.00"),
            ("1234.50", "1,234.50"),
            ("-1234567.89", "-1,234,567.89"),
            ("1500", "1,500"),
        ];
        for (amount, expected) in table {
            assert_eq!(grouped(amount), expected);
        }
    }

    #[test]
    fn texts_are_cut_to_their_room() {
        assert_eq!(width("0000", 1000), 4 * 556);
        assert_eq!(fitting("pedido", 80, 1000), "pedido");
        let cut = fitting(&"pedido ".repeat(40), 80, 500);
        assert!(cut.ends_with('…') && width(&cut, 80) <= 500);
        assert_eq!(fitting("wide", 80, 0), "…");
        assert_eq!(encoded("Café ☕"), b"Caf\xe9 ?");
    }
}
