//! HTTP dates (RFC 9110, 5.6.7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// As `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn write(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let stamp = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or_default()).unwrap_or_default();
    stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What such a date says; nothing for any other text.
pub fn read(text: &str) -> Option<SystemTime> {
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_back() {
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(write(read(text).unwrap()), text);
        assert_eq!(read("tomorrow"), None);
    }
}
