//! A name service in memory, with the laws R1, R2 and R5.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Fuse;
use crate::clients::dns::{Answer, Batch, DnsRead, DnsWrite, RecordSet, Zone};
use crate::clients::{ClientError, ClientResult, Kind};

/// One hosted zone.
#[derive(Clone)]
pub struct FakeDns {
    fuse: Fuse,
    zone: Zone,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    records: Vec<RecordSet>,
    /// How often each change was asked for: the first answer is that it is pending.
    asked: BTreeMap<String, u32>,
    changes: usize,
}

/// A simple record.
pub fn simple(name: &str, kind: &str, ttl: u32, value: &str) -> RecordSet {
    RecordSet {
        name: name.into(),
        kind: kind.into(),
        ttl: Some(ttl),
        answer: Answer::Values(vec![value.into()]),
        weighted: None,
        health_check: None,
    }
}

impl FakeDns {
    /// A zone with these records.
    pub fn new(fuse: Fuse, zone: &str, records: Vec<RecordSet>) -> Self {
        let servers: Vec<String> = (1..=4).map(|n| format!("ns-{n}.awsdns.test")).collect();
        let ns = RecordSet { answer: Answer::Values(servers.clone()), ..simple(zone, "NS", 172_800, "") };
        let mut records = [vec![ns], records].concat();
        sort(&mut records);
        Self {
            fuse,
            zone: Zone { id: "ZSHOP".into(), name: zone.into(), name_servers: servers },
            state: Arc::new(Mutex::new(State { records, ..State::default() })),
        }
    }

    /// Every record, in order.
    pub fn all(&self) -> Vec<RecordSet> {
        self.lock().records.clone()
    }

    /// What somebody else does: replaces every record of this name and kind.
    pub fn meddle(&self, name: &str, kind: &str, with: Vec<RecordSet>) {
        let mut state = self.lock();
        state.records.retain(|record| record.name != name || record.kind != kind);
        state.records.extend(with);
        sort(&mut state.records);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sort(records: &mut [RecordSet]) {
    let key = |r: &RecordSet| (r.name.clone(), r.kind.clone(), r.weighted.as_ref().map(|w| w.id.clone()));
    records.sort_by_key(key);
}

/// What a batch makes of these records, or why it is refused. All or nothing.
fn applied(records: &[RecordSet], batch: &Batch) -> Result<Vec<RecordSet>, (Kind, String)> {
    let mut next = records.to_vec();
    for gone in &batch.delete {
        let at = next.iter().position(|record| record == gone);
        let at = at.ok_or_else(|| (Kind::Conflict, format!("tried to delete {}, but it was not found", gone.name)))?;
        next.remove(at);
    }
    for new in &batch.create {
        let mut same = next.iter().filter(|r| r.name == new.name && r.kind == new.kind);
        let id = |r: &RecordSet| r.weighted.as_ref().map(|w| w.id.clone());
        if same.clone().any(|r| id(r) == id(new)) {
            return Err((Kind::Conflict, format!("tried to create {}, but it already exists", new.name)));
        }
        if same.clone().any(|r| r.weighted.is_some() != new.weighted.is_some()) {
            return Err((Kind::Refused, format!("R1: {} cannot be simple and weighted", new.name)));
        }
        if same.any(|r| r.ttl.is_some() && new.ttl.is_some() && r.ttl != new.ttl) {
            return Err((Kind::Refused, format!("R5: one weighted group of {} has one TTL", new.name)));
        }
        if next.iter().any(|r| r.name == new.name && (r.kind == "CNAME") != (new.kind == "CNAME")) {
            return Err((Kind::Refused, format!("a CNAME of {} allows no other record", new.name)));
        }
        next.push(new.clone());
    }
    sort(&mut next);
    Ok(next)
}

#[async_trait]
impl DnsRead for FakeDns {
    async fn zone(&self, name: &str) -> ClientResult<Zone> {
        if name == self.zone.name {
            return Ok(self.zone.clone());
        }
        Err(ClientError::new(Kind::NotFound, format!("find the hosted zone {name}"), "there is none"))
    }

    async fn records(&self, _: &str, name: &str) -> ClientResult<Vec<RecordSet>> {
        Ok(self.lock().records.iter().filter(|record| record.name == name).cloned().collect())
    }

    async fn below(&self, _: &str, name: &str) -> ClientResult<Vec<RecordSet>> {
        let inside = format!(".{name}");
        Ok(self.lock().records.iter().filter(|r| r.name == name || r.name.ends_with(&inside)).cloned().collect())
    }

    async fn in_sync(&self, change_id: &str) -> ClientResult<bool> {
        let mut state = self.lock();
        let asked = state.asked.entry(change_id.to_owned()).or_default();
        *asked += 1;
        Ok(*asked > 1)
    }
}

#[async_trait]
impl DnsWrite for FakeDns {
    async fn change(&self, _: &str, batch: &Batch) -> ClientResult<String> {
        self.fuse
            .act("change records", || {
                let mut state = self.lock();
                let refuse = |(kind, why): (Kind, String)| ClientError::new(kind, "change records", why);
                state.records = applied(&state.records, batch).map_err(refuse)?;
                state.changes += 1;
                Ok(format!("C{}", state.changes))
            })
            .await
    }
}
