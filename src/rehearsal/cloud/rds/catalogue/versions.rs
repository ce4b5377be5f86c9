//! The versions of PostgreSQL that RDS offers, and what each can be upgraded to.
//! Source: RDS release notes, "Release calendar for Amazon RDS for PostgreSQL"; RDS user guide, "Choosing a major version".

/// The major versions this cloud knows.
pub const MAJORS: &[u32] = &[14, 15, 16, 17];
/// The oldest of them.
pub const OLDEST: u32 = 14;
/// The first and the last minor version of each.
const MINORS: &[(u32, u32, u32)] = &[(14, 12, 23), (15, 7, 18), (16, 3, 14), (17, 1, 10)];

/// A version: major, then minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Version {
    /// Reads `15.18`.
    pub fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }

    /// When it came out, counted in PostgreSQL's releases, which bring a minor version of every major one.
    fn release(self) -> i64 {
        let behind = match self.0 {
            14 => 0,
            15 => 5,
            16 => 9,
            _ => 13,
        };
        i64::from(self.1) + behind
    }
}

/// Every version, oldest first.
pub fn all() -> impl Iterator<Item = Version> {
    MINORS.iter().flat_map(|(major, first, last)| (*first..=*last).map(|minor| Version(*major, minor)))
}

/// The newest minor version of a major one.
pub fn newest(major: u32) -> Option<Version> {
    all().filter(|v| v.0 == major).last()
}

/// What a version can be upgraded to: later minor ones, and of the later major ones what came out with it or since.
pub fn targets(from: Version) -> impl Iterator<Item = Version> {
    all().filter(move |to| if to.0 == from.0 { to.1 > from.1 } else { to.0 > from.0 && to.release() >= from.release() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_never_goes_back_in_time() {
        let targets: Vec<_> = targets(Version(15, 17)).map(|v| v.to_string()).collect();
        assert_eq!(targets, ["15.18", "16.13", "16.14", "17.9", "17.10"]);
        assert_eq!(newest(15), Some(Version(15, 18)));
        assert_eq!(Version::read("15"), None);
    }
}
