//! The port to the name service (Route 53).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ClientResult;

/// A resource record set. Names are fully qualified, lower case, without the final dot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The name.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, …
    pub kind: String,
    /// Seconds; an alias has none of its own (law R5).
    pub ttl: Option<u32>,
    /// What it answers.
    pub answer: Answer,
    /// Set identifier and weight, for a weighted record (law R3: 0 to 255).
    pub weighted: Option<Weighted>,
    /// Health check id, if any.
    pub health_check: Option<String>,
}

/// The place of a record in its weighted group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighted {
    /// The set identifier.
    pub id: String,
    /// 0 to 255.
    pub weight: u8,
}

/// What a record set answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Plain values.
    Values(Vec<String>),
    /// An alias.
    Alias {
        /// The other's DNS name, lower case, without the final dot.
        name: String,
        /// The other's hosted zone id.
        zone: String,
        /// Whether the other's health counts (law R4).
        evaluate_health: bool,
    },
    /// A record of a kind outgrow never changes (geolocation, latency, failover, multivalue …), told but not moved.
    Other(String),
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its id, without the `/hostedzone/` prefix.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its four name servers (law R9).
    pub name_servers: Vec<String>,
}

/// One change batch: all or nothing (law R1). Deletes name the exact present values (law R2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Batch {
    /// Deleted first.
    pub delete: Vec<RecordSet>,
    /// Created after the deletes.
    pub create: Vec<RecordSet>,
}

/// What can be looked up.
#[async_trait]
pub trait DnsRead: Send + Sync {
    /// The public hosted zone of exactly this name.
    async fn zone(&self, name: &str) -> ClientResult<Zone>;

    /// Every record set of this name, of any kind, in Route 53's order.
    async fn records(&self, zone_id: &str, name: &str) -> ClientResult<Vec<RecordSet>>;

    /// Every record set of this name and of the names below it, of any kind.
    async fn below(&self, zone_id: &str, name: &str) -> ClientResult<Vec<RecordSet>>;

    /// Whether the change is on all authoritative servers (law R7: this says nothing of resolvers).
    async fn in_sync(&self, change_id: &str) -> ClientResult<bool>;
}

/// What can be changed.
#[async_trait]
pub trait DnsWrite: DnsRead {
    /// Applies the batch and returns the change's id. A delete that does not match is [`super::Kind::Conflict`].
    async fn change(&self, zone_id: &str, batch: &Batch) -> ClientResult<String>;
}
