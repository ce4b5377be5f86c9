//! Where in a text a mention stands: in a script's literal, in a permission for a whole origin, in markup.

use std::ops::Range;

/// Endings of files that are scripts or their data as a whole.
const SCRIPTS: [&str; 8] = ["js", "mjs", "cjs", "ts", "jsx", "tsx", "vue", "json"];

/// Whether the place is in code: in a script, or in a `<script>` of a page.
pub(super) fn is_script(name: &str, text: &str, at: usize) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    if SCRIPTS.contains(&extension.as_str()) {
        return true;
    }
    if !matches!(extension.as_str(), "html" | "htm" | "xhtml") {
        return false;
    }
    let head = text[..at].to_ascii_lowercase();
    let opened = head.rfind("<script");
    opened.is_some_and(|open| head[open..].contains('>') && !head[open..].contains("</script"))
}

/// Whether the span is all that a literal holds, but for a port or a final slash.
pub(super) fn is_literal(text: &str, span: &Range<usize>) -> bool {
    let quote = text[..span.start].chars().next_back().filter(|c| "\"'`".contains(*c));
    let Some(quote) = quote else { return false };
    let rest = &text[span.end..];
    let port = rest.strip_prefix(':').map_or(rest, |port| port.trim_start_matches(|c: char| c.is_ascii_digit()));
    let rest = port.strip_prefix('/').unwrap_or(port);
    rest.strip_prefix('\\').unwrap_or(rest).starts_with(quote)
}

/// Whether an address here stands for its whole origin: `connect-src` of a page's policy, `preconnect`, `dns-prefetch`.
pub(super) fn is_for_origins(text: &str, at: usize) -> bool {
    let Some(open) = text[..at].rfind('<') else { return false };
    let end = text[at..].find('>').map_or(text.len(), |end| at + end);
    let (before, tag) = (text[open..at].to_ascii_lowercase(), text[open..end].to_ascii_lowercase());
    if before.contains('>') {
        return false;
    }
    if tag.starts_with("<link") {
        return tag.contains("preconnect") || tag.contains("dns-prefetch");
    }
    // The policy's directive is the last one that began.
    let directive = before.rsplit([';', '"', '\'']).find(|part| part.contains("-src"));
    tag.starts_with("<meta")
        && tag.contains("content-security-policy")
        && directive.is_some_and(|part| part.trim_start().starts_with("connect-src"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_knows_what_it_is_in() {
        let page = "<p>a</p><script>b</script><p>c</p><script src=x>d";
        let in_script = |c: &str| is_script("a.html", page, page.find(c).unwrap());
        assert!(in_script("b<") && in_script("d") && !in_script("a<") && !in_script("c<"));
        assert!(is_script("a.js", "x", 0) && !is_script("a.css", "x", 0));
        let text = "a='h.test' b=\"h.test:80/\" c='h.test/x' d=h.test e='see h.test'";
        let found: Vec<bool> =
            text.match_indices("h.test").map(|(at, m)| is_literal(text, &(at..at + m.len()))).collect();
        assert_eq!(found, [true, true, false, false, false]);
    }

    #[test]
    fn permissions_are_for_origins() {
        let of = |text: &str| is_for_origins(text, text.find("https").unwrap());
        assert!(
            of("<link rel=preconnect href='https://h.test'>")
                && of("<link href=\"https://h.test\" rel=\"dns-prefetch\">")
        );
        assert!(!of("<link rel=canonical href='https://h.test'>") && !of("<a href=https://h.test>preconnect</a>"));
        let policy = |sources: &str| format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{sources}\">");
        assert!(of(&policy("default-src 'self'; connect-src 'self' https://h.test")));
        assert!(!of(&policy("connect-src 'self'; img-src https://h.test")));
    }
}
