//! The nearest known word to an unknown one, for "did you mean".

/// The word of `known` that `word` is probably a slip of, if there is one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = normal(word);
    known
        .into_iter()
        .map(|candidate| (distance(&word, &normal(candidate)), candidate))
        .filter(|(far, candidate)| *far <= allowed(&word, candidate))
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Case and the kind of hyphen are no difference at all.
fn normal(word: &str) -> String {
    word.chars().map(|c| if c == '_' || c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// A third of the longer word may differ.
fn allowed(word: &str, candidate: &str) -> usize {
    (word.chars().count().max(candidate.chars().count()) / 3).max(1)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_does_not() {
        let known = ["static-site", "database-copy", "dns-weights", "shift-targets"];
        for (word, wanted) in [
            ("static_site", Some("static-site")),
            ("Static-Sites", Some("static-site")),
            ("dns-wieghts", Some("dns-weights")),
            ("datbase-copy", Some("database-copy")),
            ("kubernetes", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), wanted, "{word}");
        }
    }

    #[test]
    fn neighbours_swapped_are_one_slip() {
        assert_eq!(distance("bake", "bkae"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("한글", "한국"), 1);
    }
}
