//! Names: what Route 53 keeps.

/// A hosted zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Fully qualified, lower case, without the final dot.
    pub name: String,
    /// Every record set of the zone.
    pub records: Vec<RecordSet>,
}

/// A resource record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Fully qualified, lower case, without the final dot.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, …
    pub kind: String,
    /// Seconds; an alias has none of its own (law R5).
    pub ttl: Option<u32>,
    /// What it answers.
    pub answer: Answer,
    /// Set identifier and weight (0 to 255), for a weighted record.
    pub weighted: Option<(String, u8)>,
    /// Health check id, if any.
    pub health_check: Option<String>,
}

/// What a record set answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Plain values.
    Values(Vec<String>),
    /// An alias to a balancer, a distribution or another record of the zone.
    Alias {
        /// The other's DNS name, lower case, without the final dot.
        name: String,
        /// The other's hosted zone id.
        zone: String,
        /// Whether the other's health counts.
        evaluate_health: bool,
    },
}
