//! Columns: as wide as their widest cell, one space between, the last one not padded.

use super::paint::{Paint, Style};
use unicode_width::UnicodeWidthStr;

/// One cell, with how it stands out.
#[derive(Clone, Debug)]
pub struct Cell {
    pub text: String,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A table. The first column of `headers` may be empty: that of the dots.
#[derive(Clone, Debug)]
pub struct Table {
    headers: Vec<&'static str>,
    aligned: Vec<Align>,
    rows: Vec<Vec<Cell>>,
}

/// Whether the row of headers is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    Shown,
    Left,
}

/// The narrowest that a column is cut to.
const NARROWEST: usize = 10;

pub fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), style: Style::Plain }
}

pub fn styled(style: Style, text: impl Into<String>) -> Cell {
    Cell { text: text.into(), style }
}

impl Table {
    pub fn new(headers: &[&'static str]) -> Table {
        Table { headers: headers.to_vec(), aligned: vec![Align::Left; headers.len()], rows: Vec::new() }
    }

    pub fn align(mut self, column: usize, align: Align) -> Table {
        self.aligned[column] = align;
        self
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.headers.len(), "a row has a cell for every header");
        self.rows.push(cells);
    }

    /// The table as text; `columns` is the width it must fit, if any.
    pub fn render(&self, paint: Paint, header: Header, columns: Option<usize>) -> String {
        let mut widths: Vec<usize> = (0..self.headers.len())
            .map(|column| {
                // The column of dots keeps its width in an empty table.
                let head = if header == Header::Shown { self.headers[column].width().max(1) } else { 0 };
                self.rows.iter().map(|row| row[column].text.width()).max().unwrap_or(0).max(head)
            })
            .collect();
        if let Some(columns) = columns {
            shrink(&mut widths, columns);
        }
        let mut text = String::new();
        if header == Header::Shown {
            let head: Vec<Cell> = self.headers.iter().map(|head| styled(Style::Underlined, *head)).collect();
            self.write_row(&head, &widths, paint, &mut text);
        }
        for row in &self.rows {
            self.write_row(row, &widths, paint, &mut text);
        }
        text
    }

    fn write_row(&self, row: &[Cell], widths: &[usize], paint: Paint, text: &mut String) {
        let last = row.len() - 1;
        for (column, cell) in row.iter().enumerate() {
            let shown = cut(&cell.text, widths[column], paint);
            let padding = " ".repeat(widths[column].saturating_sub(shown.width()));
            // A header is underlined over the whole width of its column.
            if cell.style == Style::Underlined && paint.is_coloured() {
                text.push_str(&paint.text(cell.style, &format!("{shown}{padding}")));
                text.push_str(if column == last { "\n" } else { " " });
                continue;
            }
            let painted = paint.text(cell.style, &shown);
            match self.aligned[column] {
                Align::Right => text.push_str(&format!("{padding}{painted}")),
                Align::Left if column == last => text.push_str(&painted),
                Align::Left => text.push_str(&format!("{painted}{padding}")),
            }
            text.push_str(if column == last { "\n" } else { " " });
        }
    }
}

/// Narrows the widest columns until the row fits, none below [`NARROWEST`].
fn shrink(widths: &mut [usize], columns: usize) {
    let total: usize = widths.iter().sum::<usize>() + widths.len().saturating_sub(1);
    for _ in columns..total {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            Some(_) | None => return,
        }
    }
}

/// `text` in at most `width` columns, with an ellipsis where it was cut.
pub fn cut(text: &str, width: usize, paint: Paint) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let ellipsis = paint.ellipsis();
    let room = width.saturating_sub(ellipsis.width());
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept + ellipsis
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn table() -> Table {
        let mut table = Table::new(&["", "UNIT", "LOAD", "DESCRIPTION"]);
        table.row(vec![cell(" "), cell("cron.service"), cell("loaded"), cell("Regular background program")]);
        table.row(vec![cell("●"), cell("é.mount"), cell("not-found"), cell("é.mount")]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_needed() {
        expect![[r#"
              UNIT         LOAD      DESCRIPTION
              cron.service loaded    Regular background program
            ● é.mount      not-found é.mount
        "#]]
        .assert_eq(&table().render(Paint::PLAIN, Header::Shown, None));
    }

    #[test]
    fn narrow_terminals_cut_the_widest_column() {
        expect![[r#"
              cron.service loaded    Regular backg…
            ● é.mount      not-found é.mount
        "#]]
        .assert_eq(&table().render(Paint::PLAIN, Header::Left, Some(39)));
    }
}
