//! Which check looks for a law before anything moves. The checks themselves name their law (`Finding::law`); a test
//! reads that they are told here.

use crate::rehearsal::cloud::law::Law;

/// The step whose preflight looks for it, or the linter, and for what.
pub fn looked_for(law: Law) -> Option<&'static str> {
    Some(match law {
        Law::R1 => "dns-weights: records that cannot become a weighted pair, an AAAA record beside the A record",
        Law::R2 => "dns-weights: a name that has no record to swap",
        Law::R3 => "dns-weights: weights that somebody else set, a record with a health check",
        Law::R5 => "lint: a page's name at the zone's apex, a TTL out of range",
        Law::R6 => "dns-weights: an alias, whose TTL cannot be lowered",
        Law::R8 => "dns-weights: more names than fit into one batch",
        Law::R9 => "dns-weights: no such zone, or one that names other servers than its own",
        Law::L1 => "targets: a box or host with a public address",
        Law::L5 => "targets: no such balancer; which port the security groups must open",
        Law::L7 => "targets: a proxy that redirects to https by its own scheme",
        Law::L8 => "app-host: an image for another architecture than the host's",
        Law::C2 => "static-site: a bucket that does not block public access, or that the distribution may not read",
        Law::C3 => {
            "static-site: no index.html in the document root; distribution: a web server whose rules cannot be read"
        }
        Law::C1 => "certificate: a CAA record that keeps Amazon out, more names than the quota",
        Law::C4 => "distribution: a name that another distribution holds",
        Law::C5 => "distribution: one that is there and caches by settings of its own",
        Law::M1 => "distribution: what of it costs",
        Law::D1 => "database-copy: an instance that can be reached from the internet",
        Law::D3 => "database-copy: roles with SUPERUSER, which RDS does not give",
        Law::D4 => "database-copy: functions in C and untrusted languages, which RDS does not load",
        Law::R4 | Law::R7 | Law::L2 | Law::L3 | Law::L4 | Law::L6 | Law::C6 | Law::C7 | Law::O1 | Law::D2 | Law::M2 => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every law that a step's own code names in a finding, by reading the sources.
    fn named() -> Vec<String> {
        let pattern = regex::Regex::new(r#"(?:law|block)\("([RLCODM]\d)""#).unwrap();
        let mut dirs = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/steps")];
        let mut found = Vec::new();
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    let text = std::fs::read_to_string(path).unwrap();
                    found.extend(pattern.captures_iter(&text).map(|c| c[1].to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn what_a_check_names_is_told() {
        let named = named();
        assert!(named.len() > 12, "{named:?}");
        for id in named {
            let law = Law::ALL.iter().find(|law| law.id() == id).unwrap();
            assert!(looked_for(*law).is_some(), "a check looks for {id}, and nobody is told");
        }
    }
}
