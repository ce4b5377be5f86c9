//! Character strings of TXT and its like: quoted, with escapes, 255 bytes each.
//! Source: Route 53 developer guide, "TXT record type".

use super::{Fault, name};

/// The longest character string. Source: RFC 1035, 3.3.
const LONGEST: usize = 255;

/// All strings of a value, each after its length, as they go over the wire.
pub(super) fn wire(value: &str) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::with_capacity(value.len() + 2);
    for string in quoted(value)? {
        push(&mut out, &string, value)?;
    }
    Ok(out)
}

/// Adds one string after its length.
pub(super) fn push(out: &mut Vec<u8>, string: &[u8], value: &str) -> Result<(), Fault> {
    if string.len() > LONGEST {
        return Err(Fault { code: "CharacterStringTooLong", why: "Value is too long", value: value.to_owned() });
    }
    out.push(u8::try_from(string.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(string);
    Ok(())
}

/// The strings of a value that has nothing but quoted strings; outside of them stands white space only.
pub(super) fn quoted(value: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let fault = |code, why| Fault { code, why, value: value.to_owned() };
    let bare = || fault("InvalidCharacterString", "Value should be enclosed in quotation marks");
    let bytes = value.as_bytes();
    let (mut all, mut open, mut at) = (Vec::new(), None::<Vec<u8>>, 0);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match (&mut open, byte) {
            (None, b'"') => open = Some(Vec::new()),
            (None, b' ' | b'\t') => {}
            (None, _) => return Err(bare()),
            (Some(_), b'"') => all.extend(open.take()),
            (Some(string), b'\\') => {
                let escaped = name::escaped(&bytes[at..]);
                let (byte, length) = escaped.ok_or_else(|| fault("InvalidCharacterString", "Invalid escape code"))?;
                string.push(byte);
                at += length;
            }
            (Some(string), b' '..=b'~') => string.push(byte),
            // other characters have to be written as escapes
            (Some(_), _) => return Err(fault("UnsupportedCharacter", "Value contains unsupported characters")),
        }
    }
    if open.is_some() || all.is_empty() { Err(bare()) } else { Ok(all) }
}
