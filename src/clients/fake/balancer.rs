//! A load balancer in memory, with the laws L1, L2, L4 and the quota of five values a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Fuse;
use super::clock::FakeClock;
use crate::clients::balancer::{
    Balancer, BalancerRead, BalancerWrite, Group, GroupSpec, Health, Listener, Rule, RuleSpec,
};
use crate::clients::{ClientError, ClientResult, Kind};
use crate::step::Clock as _;

/// One balancer.
#[derive(Clone)]
pub struct FakeBalancer {
    fuse: Fuse,
    state: Arc<Mutex<State>>,
}

struct State {
    name: String,
    balancer: Balancer,
    groups: Groups,
    unhealthy: BTreeSet<String>,
    lag: Option<Lag>,
}

type Groups = BTreeMap<String, (GroupSpec, BTreeSet<(String, u16)>)>;

/// Answers that come from a place which hears of changes late.
struct Lag {
    clock: Arc<FakeClock>,
    by: Duration,
    before: Option<(SystemTime, Balancer, Groups)>,
}

impl FakeBalancer {
    /// A balancer with these listeners (protocol, port).
    pub fn new(fuse: Fuse, name: &str, listeners: &[(&str, u16)]) -> Self {
        let listeners = listeners.iter().map(|(protocol, port)| Listener {
            arn: format!("arn:listener/{port}"),
            protocol: (*protocol).to_owned(),
            port: *port,
            rules: Vec::new(),
        });
        let balancer = Balancer {
            arn: format!("arn:balancer/{name}"),
            dns_name: format!("{name}-1.elb.test"),
            zone: "ZELB".into(),
            vpc: "vpc-1".into(),
            listeners: listeners.collect(),
        };
        let state =
            State { name: name.into(), balancer, groups: BTreeMap::new(), unhealthy: BTreeSet::new(), lag: None };
        Self { fuse, state: Arc::new(Mutex::new(state)) }
    }

    /// Lets a target's health checks fail, or pass again.
    pub fn set_healthy(&self, address: &str, healthy: bool) {
        let unhealthy = &mut self.lock().unhealthy;
        if healthy {
            unhealthy.remove(address);
        } else {
            unhealthy.insert(address.to_owned());
        }
    }

    /// From now on what is looked up is as it was before a change, for so long after it.
    pub fn lag(&self, clock: &Arc<FakeClock>, by: Duration) {
        self.lock().lag = Some(Lag { clock: Arc::clone(clock), by, before: None });
    }

    /// What somebody else does to the rules of a listener.
    pub fn meddle(&self, port: u16, with: impl FnOnce(&mut Vec<Rule>)) {
        if let Some(listener) = self.lock().balancer.listeners.iter_mut().find(|l| l.port == port) {
            with(&mut listener.rules);
        }
    }

    /// The second group's share of the rules that forward to both, in percent.
    pub fn weight_in_percent(&self, groups: &[String; 2]) -> u64 {
        let mut state = self.lock();
        let weight = |rule: &Rule, arn: &String| {
            rule.forward.iter().find(|(group, _)| group == arn).map(|(_, weight)| u64::from(*weight))
        };
        let both = state.rules().find_map(|rule| weight(rule, &groups[0]).zip(weight(rule, &groups[1])));
        both.filter(|(old, new)| old + new > 0).map_or(0, |(old, new)| new * 100 / (old + new))
    }

    /// Everything, comparable.
    pub fn snapshot(&self) -> Value {
        let state = self.lock();
        json!({ "listeners": state.balancer.listeners, "groups": state.groups.iter().collect::<Vec<_>>() })
    }

    /// To change something.
    fn change(&self) -> MutexGuard<'_, State> {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Some(lag) = &mut state.lag {
            let now = lag.clock.now();
            if lag.before.as_ref().is_none_or(|(until, ..)| *until <= now) {
                lag.before = Some((now + lag.by, state.balancer.clone(), state.groups.clone()));
            }
        }
        guard
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a look finds.
    fn shown(&self) -> (&Balancer, &Groups) {
        let before =
            self.lag.as_ref().and_then(|lag| lag.before.as_ref().filter(|(until, ..)| *until > lag.clock.now()));
        before.map_or((&self.balancer, &self.groups), |(_, balancer, groups)| (balancer, groups))
    }

    fn rules(&mut self) -> impl Iterator<Item = &mut Rule> {
        self.balancer.listeners.iter_mut().flat_map(|listener| &mut listener.rules)
    }

    fn uses(&mut self, group: &str) -> bool {
        self.rules().any(|rule| rule.forward.iter().any(|(arn, _)| arn == group))
    }

    fn group(&mut self, what: &str, arn: &str) -> ClientResult<&mut (GroupSpec, BTreeSet<(String, u16)>)> {
        let name = arn.trim_start_matches("arn:group/");
        self.groups.get_mut(name).ok_or_else(|| ClientError::new(Kind::NotFound, what, format!("no group {arn}")))
    }

    fn check_forward(&self, what: &str, forward: &[(String, u16)]) -> ClientResult<()> {
        let known = |arn: &str| self.groups.contains_key(arn.trim_start_matches("arn:group/"));
        match forward.iter().find(|(arn, weight)| *weight > 999 || !known(arn)) {
            Some((arn, weight)) => Err(ClientError::new(Kind::Refused, what, format!("L2: {arn} with {weight}"))),
            None => Ok(()),
        }
    }
}

/// Law L1, for IPv4: RFC 1918 and 100.64.0.0/10.
fn private(address: &str) -> bool {
    match address.parse() {
        Ok(IpAddr::V4(v4)) => v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        _ => false,
    }
}

#[async_trait]
impl BalancerRead for FakeBalancer {
    async fn balancer(&self, name: &str) -> ClientResult<Balancer> {
        let state = self.lock();
        if state.name == name {
            return Ok(state.shown().0.clone());
        }
        Err(ClientError::new(Kind::NotFound, format!("look up the load balancer {name}"), "there is none"))
    }

    async fn group(&self, name: &str) -> ClientResult<Option<Group>> {
        Ok(self.lock().shown().1.get(name).map(|(spec, _)| Group {
            arn: format!("arn:group/{name}"),
            name: name.to_owned(),
            protocol: spec.protocol.clone(),
            port: spec.port,
            tags: spec.tags.clone(),
        }))
    }

    async fn health(&self, group_arn: &str) -> ClientResult<Vec<Health>> {
        let mut state = self.lock();
        let used = state.uses(group_arn);
        let unhealthy = state.unhealthy.clone();
        let (_, targets) = state.group("read health", group_arn)?;
        let health = targets.iter().map(|(address, port)| {
            let state = match (used, unhealthy.contains(address)) {
                (false, _) => "unused",
                (true, true) => "unhealthy",
                (true, false) => "healthy",
            };
            Health { address: address.clone(), port: *port, state: state.into(), reason: String::new() }
        });
        Ok(health.collect())
    }
}

#[async_trait]
impl BalancerWrite for FakeBalancer {
    async fn create_group(&self, spec: &GroupSpec) -> ClientResult<String> {
        self.fuse
            .act("create group", || {
                let mut state = self.change();
                let arn = format!("arn:group/{}", spec.name);
                match state.groups.get(&spec.name) {
                    // As AWS: the same again is no error.
                    Some((there, _)) if there == spec => Ok(arn),
                    Some(_) => Err(ClientError::new(Kind::Conflict, "create group", "DuplicateTargetGroupName")),
                    None => {
                        state.groups.insert(spec.name.clone(), (spec.clone(), BTreeSet::new()));
                        Ok(arn)
                    }
                }
            })
            .await
    }

    async fn delete_group(&self, arn: &str) -> ClientResult<()> {
        self.fuse
            .act("delete group", || {
                let mut state = self.change();
                if state.uses(arn) {
                    return Err(ClientError::new(Kind::Conflict, "delete group", "ResourceInUse"));
                }
                state.groups.remove(arn.trim_start_matches("arn:group/"));
                Ok(())
            })
            .await
    }

    async fn register(&self, group_arn: &str, address: &str, port: u16) -> ClientResult<()> {
        self.fuse
            .act("register", || {
                if !private(address) {
                    return Err(ClientError::new(Kind::Refused, "register", format!("L1: {address} is public")));
                }
                self.change().group("register", group_arn)?.1.insert((address.to_owned(), port));
                Ok(())
            })
            .await
    }

    async fn deregister(&self, group_arn: &str, address: &str, port: u16) -> ClientResult<()> {
        self.fuse
            .act("deregister", || {
                self.change().group("deregister", group_arn)?.1.remove(&(address.to_owned(), port));
                Ok(())
            })
            .await
    }

    async fn create_rule(&self, listener_arn: &str, spec: &RuleSpec) -> ClientResult<String> {
        self.fuse
            .act("create rule", || {
                let mut state = self.change();
                state.check_forward("create rule", &spec.forward)?;
                let refuse = |kind, why: &str| Err(ClientError::new(kind, "create rule", why));
                if spec.hosts.len() + spec.paths.len() > 5 {
                    return refuse(Kind::Refused, "more than five condition values");
                }
                let Some(listener) = state.balancer.listeners.iter_mut().find(|l| l.arn == listener_arn) else {
                    return refuse(Kind::NotFound, "no such listener");
                };
                if listener.rules.iter().any(|rule| rule.priority == spec.priority) {
                    return refuse(Kind::Conflict, "PriorityInUse");
                }
                let arn = format!("{listener_arn}/rule/{}", spec.priority);
                listener.rules.push(Rule {
                    arn: arn.clone(),
                    priority: spec.priority,
                    hosts: spec.hosts.clone(),
                    paths: spec.paths.clone(),
                    others: Vec::new(),
                    forward: spec.forward.clone(),
                    tags: spec.tags.clone(),
                });
                listener.rules.sort_by_key(|rule| rule.priority);
                Ok(arn)
            })
            .await
    }

    async fn delete_rule(&self, arn: &str) -> ClientResult<()> {
        self.fuse
            .act("delete rule", || {
                for listener in &mut self.change().balancer.listeners {
                    listener.rules.retain(|rule| rule.arn != arn);
                }
                Ok(())
            })
            .await
    }

    async fn set_weights(&self, rule_arn: &str, forward: &[(String, u16)]) -> ClientResult<()> {
        self.fuse
            .act("set weights", || {
                let mut state = self.change();
                state.check_forward("set weights", forward)?;
                let Some(rule) = state.rules().find(|rule| rule.arn == rule_arn) else {
                    return Err(ClientError::new(Kind::NotFound, "set weights", "no such rule"));
                };
                rule.forward = forward.to_vec();
                Ok(())
            })
            .await
    }
}
