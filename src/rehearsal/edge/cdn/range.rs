//! Byte ranges of RFC 9110, 14: one range is honoured, several are answered with the whole object, as is allowed.

/// What a `Range` header asks of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// All of it.
    Whole,
    /// From the first to the last byte, both included.
    Part(u64, u64),
    /// Nothing the object has: 416.
    Beyond,
}

/// Reads the header for an object of `size` bytes. What is not well formed is ignored.
pub fn parse(header: Option<&str>, size: u64) -> Asked {
    let Some(range) = header.and_then(|h| h.trim().strip_prefix("bytes=")) else { return Asked::Whole };
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Asked::Whole };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), _) if first >= size => Asked::Beyond,
        (Ok(first), Ok(last)) if last >= first => Asked::Part(first, last.min(size - 1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Asked::Part(first, size - 1),
        (Err(_), Ok(0)) if first.trim().is_empty() => Asked::Beyond,
        (Err(_), Ok(_)) if first.trim().is_empty() && size == 0 => Asked::Beyond,
        (Err(_), Ok(suffix)) if first.trim().is_empty() => Asked::Part(size - suffix.min(size), size - 1),
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, parse};

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (header, size, expected) in [
            (None, 10, Asked::Whole),
            (Some("bytes=0-3"), 10, Asked::Part(0, 3)),
            (Some("bytes=8-99"), 10, Asked::Part(8, 9)),
            (Some("bytes=4-"), 10, Asked::Part(4, 9)),
            (Some("bytes=-3"), 10, Asked::Part(7, 9)),
            (Some("bytes=-30"), 10, Asked::Part(0, 9)),
            (Some("bytes=10-"), 10, Asked::Beyond),
            (Some("bytes=-0"), 10, Asked::Beyond),
            (Some("bytes=-1"), 0, Asked::Beyond),
            (Some("bytes=5-2"), 10, Asked::Whole),
            (Some("bytes=0-1,4-5"), 10, Asked::Whole),
            (Some("lines=1-2"), 10, Asked::Whole),
        ] {
            assert_eq!(parse(header, size), expected, "{header:?} of {size}");
        }
    }
}
