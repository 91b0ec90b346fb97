//! A table of text: aligned for people, tabs for pipes, Markdown for documents.

use unicode_width::UnicodeWidthStr as _;

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Columns padded to equal width.
    Aligned,
    /// The same with a bold header.
    Bold,
    /// One tab between cells, for `cut` and spreadsheets.
    Tabs,
    /// A GitHub table.
    Markdown,
}

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells under a header.
pub(crate) struct Table {
    header: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: Vec<(String, Align)>) -> Self {
        Self { header, rows: Vec::new() }
    }

    /// Adds a row; control characters in ids cannot reach the terminal.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.header.len(), "a row has a cell for each column");
        self.rows.push(cells.into_iter().map(|cell| cell.replace(char::is_control, "�")).collect());
    }

    pub(crate) fn render(&self, style: Style) -> String {
        match style {
            Style::Tabs => self.lines(|cells| cells.join("\t")),
            Style::Aligned => self.lines(|cells| self.aligned(cells).trim_end().to_owned()),
            Style::Bold => {
                let plain = self.render(Style::Aligned);
                let (header, rows) = plain.split_once('\n').unwrap_or((&plain, ""));
                format!("\u{1b}[1m{header}\u{1b}[0m\n{rows}")
            }
            Style::Markdown => self.markdown(),
        }
    }

    fn lines(&self, line: impl Fn(&[String]) -> String) -> String {
        let all = std::iter::once(self.names()).chain(self.rows.iter().cloned());
        all.map(|cells| line(&cells) + "\n").collect()
    }

    fn names(&self) -> Vec<String> {
        self.header.iter().map(|(name, _)| name.clone()).collect()
    }

    fn aligned(&self, cells: &[String]) -> String {
        let pad = |(column, cell): (usize, &String)| {
            let blanks = " ".repeat(self.width(column) - columns(cell));
            match self.header[column].1 {
                Align::Left => format!("{cell}{blanks}"),
                Align::Right => format!("{blanks}{cell}"),
            }
        };
        cells.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ")
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| &row[column]);
        let widths = cells.chain([&self.header[column].0]).map(|cell| columns(cell));
        widths.max().unwrap_or(0)
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let rule = self.header.iter().map(|(_, align)| match align {
            Align::Left => "---".to_owned(),
            Align::Right => "---:".to_owned(),
        });
        let rows = self.rows.iter().map(|row| row.iter().map(|c| c.replace('|', "\\|")).collect());
        let all = [self.names(), rule.collect()].into_iter().chain(rows);
        all.map(|cells: Vec<String>| line(&cells) + "\n").collect()
    }
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} bytes") } else { format!("{value:.1} {}", units[unit]) }
}

/// How many columns of a terminal a text takes: letters of East Asia take two, accents none.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table =
            Table::new(vec![("run".to_owned(), Align::Left), ("P@5".to_owned(), Align::Right)]);
        table.row(vec!["bm25|é".to_owned(), "0.5".to_owned()]);
        table.row(vec!["x\u{1b}[2J".to_owned(), "10.25".to_owned()]);
        table
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let mut table =
            Table::new(vec![("token".to_owned(), Align::Left), ("n".to_owned(), Align::Right)]);
        table.row(vec!["東京".to_owned(), "1".to_owned()]);
        table.row(vec!["e\u{301}te".to_owned(), "2".to_owned()]);
        assert_eq!(table.render(Style::Aligned), "token  n\n東京   1\ne\u{301}te    2\n");
    }

    #[test]
    fn people_get_columns() {
        let lines = ["run       P@5", "bm25|é    0.5", "x�[2J   10.25"].join("\n") + "\n";
        assert_eq!(table().render(Style::Aligned), lines);
        assert!(table().render(Style::Bold).starts_with("\u{1b}[1mrun       P@5\u{1b}[0m\nbm25"));
    }

    #[test]
    fn pipes_get_tabs() {
        let mut table = table();
        table.row(vec!["unanswered".to_owned(), String::new()]);
        let lines = ["run\tP@5", "bm25|é\t0.5", "x�[2J\t10.25", "unanswered\t"].join("\n") + "\n";
        assert_eq!(table.render(Style::Tabs), lines);
    }

    #[test]
    fn documents_get_markdown() {
        let lines = ["| run | P@5 |", "| --- | ---: |", "| bm25\\|é | 0.5 |", "| x�[2J | 10.25 |"];
        assert_eq!(table().render(Style::Markdown), lines.join("\n") + "\n");
    }
}
