//! Record values as Route 53 writes them, into record data.

use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{Name, RData};

/// A fully qualified name from text without (or with) its final dot.
pub fn name(text: &str) -> Option<Name> {
    // Route 53 writes the asterisk of a wildcard as an escape.
    let mut name = Name::from_ascii(text.replace("\\052", "*")).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// The record data of `value` for a record of `kind`; `None` where it is not well formed or of a kind not served.
pub fn parse(kind: &str, value: &str) -> Option<RData> {
    let mut words = value.split_ascii_whitespace();
    let mut word = || words.next();
    Some(match kind {
        "A" => RData::A(A(value.trim().parse().ok()?)),
        "AAAA" => RData::AAAA(AAAA(value.trim().parse().ok()?)),
        "CNAME" => RData::CNAME(CNAME(name(word()?)?)),
        "NS" => RData::NS(NS(name(word()?)?)),
        "PTR" => RData::PTR(PTR(name(word()?)?)),
        "MX" => RData::MX(MX::new(word()?.parse().ok()?, name(word()?)?)),
        "SRV" => {
            let (priority, weight, port) = (word()?.parse().ok()?, word()?.parse().ok()?, word()?.parse().ok()?);
            RData::SRV(SRV::new(priority, weight, port, name(word()?)?))
        }
        "SOA" => {
            let (mname, rname) = (name(word()?)?, name(word()?)?);
            let serial = word()?.parse().ok()?;
            let mut seconds = || word()?.parse::<i32>().ok();
            let (refresh, retry, expire) = (seconds()?, seconds()?, seconds()?);
            RData::SOA(SOA::new(mname, rname, serial, refresh, retry, expire, word()?.parse().ok()?))
        }
        "TXT" | "SPF" => RData::TXT(TXT::new(strings(value)?)),
        _ => return None,
    })
}

/// The quoted strings of a TXT value, with `\"` and `\\` undone. Text without quotes is one string.
fn strings(value: &str) -> Option<Vec<String>> {
    if !value.trim_start().starts_with('"') {
        return Some(vec![value.to_owned()]);
    }
    let (mut all, mut open, mut chars) = (Vec::new(), None::<String>, value.chars());
    while let Some(c) = chars.next() {
        match (&mut open, c) {
            (None, '"') => open = Some(String::new()),
            (None, c) if c.is_whitespace() => {}
            (None, _) => return None,
            (Some(_), '"') => all.extend(open.take()),
            (Some(text), '\\') => text.push(chars.next()?),
            (Some(text), c) => text.push(c),
        }
    }
    // a character string is 255 bytes at most
    (open.is_none() && all.iter().all(|s| s.len() <= 255)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_route_53_writes_them() {
        assert_eq!(parse("A", "192.0.2.1"), Some(RData::A(A([192, 0, 2, 1].into()))));
        assert_eq!(parse("A", "192.0.2"), None);
        assert_eq!(parse("MX", "10 mail.shop.test."), Some(RData::MX(MX::new(10, name("mail.shop.test").unwrap()))));
        assert_eq!(parse("MX", "mail.shop.test."), None);
        assert_eq!(
            parse("TXT", r#""v=spf1 -all" "it\"s""#),
            Some(RData::TXT(TXT::new(vec!["v=spf1 -all".into(), "it\"s".into()])))
        );
        assert_eq!(parse("TXT", "\"open"), None);
        let soa = "ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
        assert!(matches!(parse("SOA", soa), Some(RData::SOA(soa)) if soa.minimum == 86400));
        assert_eq!(parse("CAA", "0 issue \"ca\""), None);
    }
}
