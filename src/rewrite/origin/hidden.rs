//! The old host where no search for its letters finds it: in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use regex::Regex;

/// The host's base64 at each of the three places a byte can have in a group; `None` for a host too short to be sure of.
pub(super) fn pattern(host: &str) -> Option<Regex> {
    let at = |offset: usize| {
        let encoded = STANDARD_NO_PAD.encode([vec![0; offset], host.as_bytes().to_vec()].concat());
        // Only the characters that the host alone decides.
        let (from, to) = ((offset * 8).div_ceil(6), (offset + host.len()) * 8 / 6);
        regex::escape(encoded.get(from..to).unwrap_or_default())
    };
    let all = [at(0), at(1), at(2)];
    if all.iter().any(|one| one.len() < 8) { None } else { Regex::new(&all.join("|")).ok() }
}

/// The line of the first place; an inline source map, which only a debugger reads, is none.
pub(super) fn place(text: &str, pattern: &Regex) -> Option<usize> {
    let code = |at: usize| {
        let line = &text[text[..at].rfind('\n').map_or(0, |n| n + 1)..at];
        !line.contains("sourceMappingURL=data:")
    };
    let found = pattern.find_iter(text).find(|found| code(found.start()))?;
    Some(text[..found.start()].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_at_every_offset_and_not_in_a_source_map() {
        let pattern = pattern("box.shop.test").unwrap();
        for before in ["", "h", "ht", "https://"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}box.shop.test/api"));
            assert_eq!(place(&format!("x\ny=atob('{encoded}')"), &pattern), Some(2), "{before}");
            let map = format!("x\n//# sourceMappingURL=data:application/json;base64,{encoded}");
            assert_eq!(place(&map, &pattern), None);
        }
        assert_eq!(place(&STANDARD_NO_PAD.encode("https://fox.shop.test/api"), &pattern), None);
        assert!(super::pattern("a.b").is_none());
    }
}
