//! Small tables of text, aligned also where names are Korean.

use crate::text::{pad, visible, width};

/// A table with a heading.
#[derive(Debug, Clone)]
pub struct Table {
    heads: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns; a head that begins with `>` stands right, as numbers do.
    pub fn new(heads: &[&str]) -> Self {
        Self {
            right: heads.iter().map(|head| head.starts_with('>')).collect(),
            heads: heads.iter().map(|head| head.trim_start_matches('>').to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing are empty, cells beyond the columns are dropped.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) -> &mut Self {
        let mut row: Vec<String> = cells.into_iter().map(|cell| visible(cell.as_ref())).collect();
        row.resize(self.heads.len(), String::new());
        self.rows.push(row);
        self
    }

    /// The table as text, without a final line break and without trailing spaces.
    pub fn render(&self) -> String {
        let all = || std::iter::once(&self.heads).chain(&self.rows);
        let widest = |at: usize| all().map(|row| width(&row[at])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.heads.len()).map(widest).collect();
        let cell = |at: usize, text: &str| {
            let fill = " ".repeat(widths[at].saturating_sub(width(text)));
            if self.right[at] { format!("{fill}{text}") } else { pad(text, widths[at]) }
        };
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().enumerate().map(|(at, text)| cell(at, text)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        all().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_aligned_under_korean() {
        let mut table = Table::new(&["run", "site", ">steps", "state"]);
        table.row(["shop-1", "쇼핑몰", "11", "done"]).row(["a-much-longer-run", "shop", "3", ""]).row(["x"]);
        insta::assert_snapshot!(table.render(), @r"
        run                site    steps  state
        shop-1             쇼핑몰     11  done
        a-much-longer-run  shop        3
        x
        ");
    }
}
