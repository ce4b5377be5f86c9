//! Names: as Route 53 writes them, as the state keeps them, and as they go over the wire.

use std::fmt::Write;

use super::Fault;

/// The longest name and the longest label. Source: RFC 1035, 2.3.4.
const LONGEST: usize = 255;
const LONGEST_LABEL: usize = 63;

/// A name on the wire, its case kept: labels after their lengths, and the root's zero.
pub fn wire(text: &str) -> Result<Vec<u8>, Fault> {
    let fault = |code, why| Fault { code, why, value: text.to_owned() };
    let mut wire = Vec::with_capacity(text.len() + 2);
    if text == "." {
        wire.push(0);
        return Ok(wire);
    }
    if text.is_empty() {
        return Err(fault("DomainNameEmpty", "Domain name is empty"));
    }
    let bytes = text.as_bytes();
    let (mut at, mut label) = (0, 0);
    wire.push(0);
    let close = |wire: &mut Vec<u8>, label: usize| {
        let length = wire.len() - label - 1;
        match u8::try_from(length) {
            Ok(0) => Err(fault("DomainLabelEmpty", "Domain label is empty")),
            Ok(length) if usize::from(length) <= LONGEST_LABEL => {
                wire[label] = length;
                Ok(())
            }
            _ => Err(fault("DomainLabelTooLong", "Domain label is too long")),
        }
    };
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'.' => {
                close(&mut wire, label)?;
                label = wire.len();
                wire.push(0);
                if at == bytes.len() {
                    return end(wire, &fault);
                }
            }
            b'\\' => {
                let (byte, length) = escaped(&bytes[at..]).ok_or_else(|| fault("UnsupportedCharacter", UNSUPPORTED))?;
                wire.push(byte);
                at += length;
            }
            b'!'..=b'~' => wire.push(byte),
            _ => return Err(fault("UnsupportedCharacter", UNSUPPORTED)),
        }
    }
    close(&mut wire, label)?;
    wire.push(0);
    end(wire, &fault)
}

const UNSUPPORTED: &str = "Value contains unsupported characters";

fn end(wire: Vec<u8>, fault: &impl Fn(&'static str, &'static str) -> Fault) -> Result<Vec<u8>, Fault> {
    if wire.len() > LONGEST { Err(fault("DomainNameTooLong", "Domain name is too long")) } else { Ok(wire) }
}

/// What stands after a backslash: three octal digits, or a character as it is; and how long that is.
pub(super) fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = rest {
        return Some(((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), 3));
    }
    rest.first().filter(|c| c.is_ascii_graphic() && !c.is_ascii_digit()).map(|c| (*c, 1))
}

/// The key a name is found by: the wire's bytes in lower case.
pub fn key(text: &str) -> Option<Box<[u8]>> {
    wire(text).ok().map(lowered)
}

/// Lower case; a length is never taken for a letter, as it is at most 63.
pub(super) fn lowered(mut wire: Vec<u8>) -> Box<[u8]> {
    wire.make_ascii_lowercase();
    wire.into()
}

/// The labels of a name on the wire.
pub fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let (&length, after) = rest.split_first()?;
        let label = after.get(..length.into()).filter(|l| !l.is_empty())?;
        rest = &after[length.into()..];
        Some(label)
    })
}

/// A name of a request as the state keeps it.
pub fn plain(text: &str) -> Result<String, Fault> {
    Ok(written(&lowered(wire(text)?)))
}

fn written(key: &[u8]) -> String {
    let mut text = String::with_capacity(key.len());
    for label in labels(key) {
        if !text.is_empty() {
            text.push('.');
        }
        for byte in label {
            if byte.is_ascii_alphanumeric() || b"-_*".contains(byte) {
                text.push(char::from(*byte));
            } else {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text
}

/// A name of the state as Route 53 writes it: with the final dot, the asterisk escaped.
pub fn full(name: &str) -> String {
    format!("{}.", name.replace('*', "\\052"))
}

/// Route 53's order: by the labels from the last to the first.
pub fn sort_key(name: &str) -> String {
    // A byte that sorts before every character of a label keeps `a.b` beside its own names.
    name.split('.').rev().collect::<Vec<_>>().join("\u{1}")
}

/// Whether `name` is `zone` or lies below it, both as the state keeps them.
pub fn lies_in(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_as_route_53_does() {
        for (given, kept) in [
            ("WWW.Shop.Test.", "www.shop.test"),
            ("\\052.shop.test", "*.shop.test"),
            ("a!b.shop.test", "a\\041b.shop.test"),
            ("a\\041b.shop.test", "a\\041b.shop.test"),
            ("a\\056b.shop.test", "a\\056b.shop.test"),
            ("0/25.2.0.192.in-addr.arpa", "0\\05725.2.0.192.in-addr.arpa"),
            ("xn--9t4b11yi5a.test", "xn--9t4b11yi5a.test"),
            ("_acme.shop.test", "_acme.shop.test"),
        ] {
            assert_eq!(plain(given).as_deref(), Ok(kept), "{given}");
        }
        assert_eq!(full("*.shop.test"), "\\052.shop.test.");
        let (long, longer) = ("a".repeat(64), format!("{}test", "a.".repeat(130)));
        for (given, code) in [
            ("", "DomainNameEmpty"),
            ("a..test", "DomainLabelEmpty"),
            (".test", "DomainLabelEmpty"),
            (long.as_str(), "DomainLabelTooLong"),
            (longer.as_str(), "DomainNameTooLong"),
            ("가게.test", "UnsupportedCharacter"),
            ("a b.test", "UnsupportedCharacter"),
        ] {
            assert_eq!(plain(given).map_err(|f| f.code), Err(code), "{given}");
        }
    }

    #[test]
    fn names_sort_by_their_labels_from_the_end() {
        let mut names = ["www.shop.test", "shop.test", "a.b.shop.test", "b.shop.test", "shop.abc"];
        names.sort_by_key(|n| sort_key(n));
        assert_eq!(names, ["shop.abc", "shop.test", "b.shop.test", "a.b.shop.test", "www.shop.test"]);
    }

    #[test]
    fn a_name_lies_in_a_zone_by_whole_labels() {
        assert!(lies_in("a.shop.test", "shop.test") && lies_in("shop.test", "shop.test"));
        assert!(!lies_in("myshop.test", "shop.test"));
    }
}
