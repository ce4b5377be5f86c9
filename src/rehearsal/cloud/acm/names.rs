//! Which names a certificate may be asked for.
//! Source: ACM API, `RequestCertificate`; ACM guide, "Quotas" and "ACM certificate characteristics".

use super::super::wire::{ApiError, Node, constraint, refuse};

/// The pattern of the service model, told with a refusal.
const PATTERN: &str = r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])";
/// The longest name of all.
const LONGEST: usize = 253;
/// The longest first name: it becomes the subject's common name (RFC 5280).
const LONGEST_FIRST: usize = 64;
/// The quota of names, unless an account has another.
const MOST: usize = 10;

/// The names a request is for: lower case, the domain first, each once.
pub(super) fn read(input: &Node) -> Result<Vec<String>, ApiError> {
    let domain = constraint::text(input, "DomainName", 1..=LONGEST)?;
    well_formed(domain, "DomainName")?;
    let others = input.texts("SubjectAlternativeNames");
    if others.len() > 100 {
        let given = format!("[{}]", others.join(", "));
        let must = "have length less than or equal to 100";
        return Err(constraint::broken(Some(&given), "SubjectAlternativeNames", must));
    }
    for (at, name) in others.iter().enumerate() {
        well_formed(name, &format!("SubjectAlternativeNames.{}.member", at + 1))?;
    }
    let mut names = Vec::new();
    for name in std::iter::once(domain).chain(others.iter().map(String::as_str)) {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MOST {
        return Err(refuse("LimitExceededException", "Certificate has too many domains."));
    }
    if domain.len() > LONGEST_FIRST {
        let message = "The first domain name can be no longer than 64 characters.";
        return Err(refuse("InvalidParameterException", message));
    }
    Ok(names)
}

fn well_formed(name: &str, member: &str) -> Result<(), ApiError> {
    let plain = name.strip_prefix("*.").unwrap_or(name);
    let labels: Vec<_> = plain.split('.').collect();
    let fine = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top_is_long_enough = labels.last().is_some_and(|top| top.len() >= 2);
    if name.len() <= LONGEST && labels.len() >= 2 && top_is_long_enough && labels.into_iter().all(fine) {
        return Ok(());
    }
    Err(constraint::broken(Some(name), member, format!("satisfy regular expression pattern: {PATTERN}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(domain: &str, others: &[String]) -> Node {
        Node::default().put("DomainName", domain).texts_list("SubjectAlternativeNames", "member", others)
    }

    #[test]
    fn names_are_dns_names_with_at_most_one_star_in_front() {
        for good in ["shop.test", "*.shop.test", "a-b.c--d.example", "xn--9t4b11yi5a.com", "1.co"] {
            assert_eq!(read(&asked(good, &[])).unwrap(), [good]);
        }
        for bad in [
            "shop",
            "*",
            "*.com.",
            "a.*.test",
            "**.shop.test",
            "-a.test",
            "a-.test",
            "a_b.test",
            "a.t",
            "상점.test",
            "a..test",
        ] {
            assert_eq!(read(&asked(bad, &[])).unwrap_err().code, "ValidationException", "{bad}");
            assert_eq!(read(&asked("shop.test", &[bad.into()])).unwrap_err().code, "ValidationException", "{bad}");
        }
        assert_eq!(read(&Node::default()).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn names_count_once_and_up_to_the_quota() {
        let others: Vec<_> = (1..10).map(|n| format!("N{n}.shop.test")).collect();
        let names =
            read(&asked("Shop.Test", &[others.clone(), vec!["shop.test".into(), "n1.shop.test".into()]].concat()));
        assert_eq!(names.unwrap().len(), 10);
        let more = [others, vec!["n10.shop.test".into()]].concat();
        assert_eq!(read(&asked("shop.test", &more)).unwrap_err().code, "LimitExceededException");
        let hundred: Vec<_> = (0..101).map(|n| format!("n{n}.shop.test")).collect();
        assert_eq!(read(&asked("shop.test", &hundred)).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn only_a_further_name_may_be_longer_than_64() {
        let long = format!("{}.shop.test", "a".repeat(60));
        assert_eq!(read(&asked(&long, &[])).unwrap_err().code, "InvalidParameterException");
        assert_eq!(read(&asked("shop.test", std::slice::from_ref(&long))).unwrap()[1], long);
    }
}
