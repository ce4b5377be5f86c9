//! Patterns with `*` (any run of characters) and `?` (one character), as listener rules and bucket policies use them.

/// Whether `text` matches `pattern` in full. Linear in practice: on a mismatch only the last `*` is tried again.
pub fn matches(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |a: u8, b: u8| if ignore_case { a.eq_ignore_ascii_case(&b) } else { a == b };
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            // a `?` stands for one character, so it eats the continuation bytes of UTF-8 as well
            Some(b'?') => {
                t += 1;
                while text.get(t).is_some_and(|b| b & 0xC0 == 0x80) {
                    t += 1;
                }
                p += 1;
            }
            Some(&c) if same(c, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((sp, st)) => {
                    star = Some((sp, st + 1));
                    p = sp + 1;
                    t = st + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks_match_as_aws_says() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("/api/*", "/api/orders/7", true),
            ("/api/*", "/apix", false),
            ("*.shop.test", "www.shop.test", true),
            ("*.shop.test", "shop.test", false),
            ("/img/?.png", "/img/가.png", true),
            ("/img/?.png", "/img/ab.png", false),
            ("a*b*c", "aXXbYYbZc", true),
            ("a*b*c", "aXXbYYbZ", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} against {text}");
        }
        assert!(matches("WWW.*", "www.shop.test", true));
        assert!(!matches("WWW.*", "www.shop.test", false));
    }
}
