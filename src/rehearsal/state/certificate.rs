//! Certificates: what ACM keeps.

use std::time::SystemTime;

/// A certificate; its region is in its ARN (law C1).
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The domain name it was asked for.
    pub domain: String,
    /// Every name it holds for, the domain first; a leading `*.` stands for one label.
    pub names: Vec<String>,
    /// `PENDING_VALIDATION`, `ISSUED`, `FAILED`, `VALIDATION_TIMED_OUT`.
    pub status: String,
    /// One CNAME record for each name, which proves that the zone is the caller's: (name, record, value).
    pub validation: Vec<(String, String, String)>,
    /// When it was asked for.
    pub created: SystemTime,
    /// When it was issued; while it waits and its names are proven, when it will be.
    pub issued: Option<SystemTime>,
    /// Tags are kept with the other tags, by ARN; this is the caller's idempotency token.
    pub token: Option<String>,
}

impl Certificate {
    /// One that was issued at a moment, for these names, the first of them its own.
    pub fn issued(names: &[&str], at: SystemTime) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self {
            domain: names.first().cloned().unwrap_or_default(),
            names,
            status: "ISSUED".into(),
            validation: Vec::new(),
            created: at,
            issued: Some(at),
            token: None,
        }
    }
}
