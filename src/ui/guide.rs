//! The guided run: before each step, what it does and why, its changes, and what taking it back would mean.

use std::fmt::Write as _;

use crate::text::visible;

use super::paint::Paint;

/// A step as it is put to the person.
#[derive(Debug, Clone)]
pub struct Card<'a> {
    /// Its place, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Its id.
    pub id: &'a str,
    /// What it does, in one short line.
    pub title: &'a str,
    /// What it does and why, in a sentence or two.
    pub explanation: &'a str,
    /// Its changes: `- what is there`, `+ what will be`, `~ what changes`, or a plain line. None if it is so already.
    pub lines: Option<&'a [String]>,
    /// What taking it back means.
    pub back: &'a str,
    /// Whether that costs something, or cannot be done.
    pub grave: bool,
}

/// The card as text. Shows at most `most` lines of the changes.
pub fn card(card: &Card<'_>, most: usize, paint: Paint) -> String {
    let mut text = String::new();
    let head = format!("Step {} of {} · {} · {}", card.number, card.of, card.id, card.title);
    let _ = writeln!(text, "\n{}", paint.strong(&visible(&head)));
    for line in wrap(card.explanation, 100) {
        let _ = writeln!(text, "  {line}");
    }
    match card.lines {
        None => {
            let _ = writeln!(text, "  {}", paint.faint("= already so, nothing to do"));
        }
        Some(lines) => {
            for line in lines.iter().take(most) {
                let _ = writeln!(text, "  {}", change(line, paint));
            }
            if lines.len() > most {
                let _ = writeln!(text, "    … and {} more lines (--whole shows all)", lines.len() - most);
            }
        }
    }
    let back = format!("back: {}", visible(card.back));
    let _ = write!(text, "  {}", if card.grave { paint.mind(&back) } else { back });
    text
}

/// A line of a diff in its colour; the sign says the same without.
pub fn change(line: &str, paint: Paint) -> String {
    let line = visible(line);
    match line.trim_start().chars().next() {
        Some('-') => paint.bad(&line),
        Some('+') => paint.good(&line),
        Some('~') => paint.mind(&line),
        _ => line,
    }
}

/// Text broken at spaces.
fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().map(visible) {
        match lines.last_mut() {
            Some(line) if crate::text::width(line) + 1 + crate::text::width(&word) <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handover(lines: Option<&[String]>) -> Card<'_> {
        Card {
            number: 6,
            of: 11,
            id: "database-handover",
            title: "the new database becomes the one that is written to",
            explanation: "The old database refuses writes, the rest is carried over and compared, and the new one takes \
                          over. Visitors cannot write for that long, 30 s at most.",
            lines,
            back: "loses the writes since the handover",
            grave: true,
        }
    }

    #[test]
    fn a_card_reads_without_colour() {
        let lines = ["- writer: demo-db".into(), "+ writer: shop-db".into(), "~ role shop: LOGIN".into(), "x".into()];
        let shown = card(&handover(Some(&lines)), 3, Paint::PLAIN);
        let so = card(&Card { grave: false, back: "nothing to take back", ..handover(None) }, 3, Paint::PLAIN);
        insta::assert_snapshot!(format!("{shown}\n{so}"));
    }

    #[test]
    fn colour_changes_no_word() {
        let lines = ["- a".to_owned(), "+ b".to_owned()];
        let coloured = card(&handover(Some(&lines)), 9, Paint::COLOUR);
        let bare = regex::Regex::new("\u{1b}\\[[0-9]+m").unwrap().replace_all(&coloured, "").into_owned();
        assert_eq!(bare, card(&handover(Some(&lines)), 9, Paint::PLAIN));
        assert_ne!(bare, coloured);
    }
}
