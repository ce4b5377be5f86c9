use super::*;

fn code(kind: &str, value: &str) -> &'static str {
    encode(kind, value).map_or_else(|fault| fault.code, |_| "")
}

#[test]
fn values_become_the_bytes_of_the_wire() {
    assert_eq!(encode("A", "192.0.2.1").unwrap(), [192, 0, 2, 1]);
    assert_eq!(encode("MX", "10 a.b.").unwrap(), b"\x00\x0a\x01a\x01b\x00");
    assert_eq!(encode("MX", "0 .").unwrap(), b"\x00\x00\x00");
    assert_eq!(encode("TXT", r#""v=spf1 -all" "it\"s \101""#).unwrap(), b"\x0bv=spf1 -all\x06it\"s A");
    assert_eq!(encode("CAA", r#"0 issue "ca.test""#).unwrap(), b"\x00\x05issueca.test");
    assert_eq!(encode("SRV", "1 2 443 a.").unwrap(), b"\0\x01\0\x02\x01\xbb\x01a\0");
    assert_eq!(
        encode("HTTPS", "1 . alpn=h2,h3 port=443").unwrap(),
        b"\0\x01\0\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x01\xbb"
    );
    assert_eq!(encode("NAPTR", r#"1 2 "u" "s" "" ."#).unwrap(), b"\0\x01\0\x02\x01u\x01s\0\0");
    assert_eq!(encode("DS", "258 13 2 ABCD").unwrap(), [1, 2, 13, 2, 0xab, 0xcd]);
    let soa = "ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
    assert!(encode("SOA", soa).unwrap().ends_with(&86400_u32.to_be_bytes()));
}

#[test]
fn what_route_53_refuses_has_its_name() {
    let long = format!("\"{}\"", "x".repeat(256));
    for (kind, value, expected) in [
        ("A", "192.0.2", "ARRDATAIllegalIPv4Address"),
        ("A", "2001:db8::1", "ARRDATAIllegalIPv4Address"),
        ("AAAA", "192.0.2.1", "AAAARRDATAIllegalIPv6Address"),
        ("MX", "mail.shop.test.", "MXRRDATANotTwoFields"),
        ("MX", "high mail.shop.test.", "UnparseableNumericField"),
        ("MX", "70000 mail.shop.test.", "UnparseableNumericField"),
        ("SRV", "1 2 mail.shop.test.", "SRVRRDATANotFourFields"),
        ("SOA", "a. b. 1", "SOARRDATANotSevenFields"),
        ("TXT", "bare", "InvalidCharacterString"),
        ("TXT", "\"open", "InvalidCharacterString"),
        ("TXT", "\"가게\"", "UnsupportedCharacter"),
        ("TXT", long.as_str(), "CharacterStringTooLong"),
        ("CAA", "0 issue", "CAARRDATANotThreeFields"),
        ("CAA", "0 issue ca.test", "InvalidCharacterString"),
        ("CAA", "0 is-sue \"ca\"", "CAARRDATAInvalidTag"),
        ("CNAME", "a..b", "DomainLabelEmpty"),
        ("DS", "1 2 3", "RRDATANotEnoughFields"),
        ("DS", "1 2 3 XY", "InvalidHexString"),
        ("HTTPS", "1", "SVCBRRDATANotEnoughFields"),
        ("HTTPS", "1 . port=x", "InvalidSvcParam"),
        ("HTTPS", "1 . port=1 port=2", "DuplicateSvcParam"),
    ] {
        assert_eq!(code(kind, value), expected, "{kind} {value}");
    }
}
