//! How many columns a text takes on a terminal: two for Korean, Chinese and Japanese characters and most emoji, none
//! for combining marks.

/// Blocks of characters two columns wide.
const WIDE: [(u32, u32); 15] = [
    (0x1100, 0x115F),
    (0x231A, 0x231B),
    (0x23E9, 0x23EC),
    (0x2E80, 0x303E),
    (0x3041, 0x33FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0xA4CF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x1F300, 0x1FAFF),
    (0x20000, 0x3FFFD),
];

/// Blocks of characters that take no column: combining marks, joiners, and the vowels and finals of Korean written in
/// single letters, as macOS spells file names.
const NONE: [(u32, u32); 7] = [
    (0x0300, 0x036F),
    (0x1160, 0x11FF),
    (0x1AB0, 0x1AFF),
    (0x200B, 0x200F),
    (0x20D0, 0x20FF),
    (0xD7B0, 0xD7FF),
    (0xFE00, 0xFE0F),
];

fn columns(c: char) -> usize {
    let is_in = |blocks: &[(u32, u32)]| blocks.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(c)));
    match c {
        ' '..='~' => 1,
        _ if c.is_control() || is_in(&NONE) => 0,
        _ if is_in(&WIDE) => 2,
        _ => 1,
    }
}

/// The columns a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The text, filled up with spaces to `to` columns.
pub fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// The text without anything that would steer a terminal: a tab becomes an arrow, other control characters a sign.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => '→',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_is_two_columns_wide_however_it_is_spelled() {
        assert_eq!(width("box"), 3);
        assert_eq!(width("쇼핑몰"), 6);
        assert_eq!(width("\u{1112}\u{1161}\u{11ab}"), 2, "한 in single letters");
        assert_eq!(width("e\u{301}→"), 2);
        assert_eq!(pad("한", 4), "한  ");
        assert_eq!(pad("longer", 2), "longer");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(visible("a\tb\u{1b}[31mc\r"), "a→b\u{FFFD}[31mc\u{FFFD}");
    }
}
