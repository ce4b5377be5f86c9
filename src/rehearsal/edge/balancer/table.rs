//! The routing table of one listener: made from the state when something changes, read by every request without a lock
//! on the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::request::Parts;

use super::conditions;
use super::group::{Forward, Group};
use super::log::Log;
use super::meter::Meter;
use super::settings::Settings;
use crate::rehearsal::clock::Clock;
use crate::rehearsal::edge::certificates::Presented;
use crate::rehearsal::state::{Action, Condition, Listener, State};

/// What a listener knows at one moment.
pub struct Table {
    /// The listener's port as AWS knows it (443, not 8443).
    pub port: u16,
    /// Whether clients speak TLS to it.
    pub https: bool,
    /// The balancer's ARN.
    pub balancer: String,
    /// The balancer's attributes.
    pub settings: Settings,
    /// What is counted of the balancer.
    pub meter: Arc<Meter>,
    /// What cookies and the access log go by.
    pub clock: Clock,
    /// Where the access log goes, if it is kept.
    pub log: Option<Log>,
    /// The certificates presented.
    pub presented: Arc<Presented>,
    rules: Vec<(u32, Vec<Condition>, Route)>,
    default: Route,
}

/// What becomes of a request.
pub enum Route {
    /// To a target.
    Forward(Forward),
    /// A redirect or a fixed response, answered by the balancer itself.
    Own(Action),
}

/// What a table needs beside the state.
pub struct Around<'a> {
    /// The groups, ready to be routed to.
    pub groups: &'a BTreeMap<String, Arc<Group>>,
    /// What is counted of the balancer.
    pub meter: Arc<Meter>,
    /// The rehearsal's clock.
    pub clock: &'a Clock,
    /// Where an access log would go.
    pub log: &'a Log,
    /// The certificates presented.
    pub presented: Arc<Presented>,
}

impl Table {
    /// What becomes of `request`: the first rule that matches, by priority, or the default action. Gives the rule's
    /// priority too, 0 for the default.
    pub fn route(&self, request: &Parts) -> (u32, &Route) {
        self.rules
            .iter()
            .find(|(_, conditions, _)| conditions::all_met(conditions, request))
            .map_or((0, &self.default), |(priority, _, route)| (*priority, route))
    }
}

/// The table of `listener`.
pub fn build(listener: &Listener, state: &State, around: Around<'_>) -> Table {
    let mut rules: Vec<_> = listener.rules.values().collect();
    rules.sort_by_key(|rule| rule.priority);
    let attributes = state.balancers.get(&listener.balancer).map(|b| &b.attributes);
    let settings = Settings::of(attributes.unwrap_or(&BTreeMap::new()));
    let silent = |arn: &str| state.target_groups.get(arn).is_some_and(|group| state.silent.contains(&group.name));
    let route = |action: &Action| route(action, around.groups, silent);
    Table {
        port: listener.port,
        https: listener.protocol == "HTTPS",
        balancer: listener.balancer.clone(),
        rules: rules.into_iter().map(|r| (r.priority, r.conditions.clone(), route(&r.action))).collect(),
        default: route(&listener.default_action),
        log: settings.log.then(|| around.log.clone()),
        settings,
        meter: around.meter,
        clock: around.clock.clone(),
        presented: around.presented,
    }
}

fn route(action: &Action, groups: &BTreeMap<String, Arc<Group>>, silent: impl Fn(&str) -> bool) -> Route {
    match action {
        Action::Forward { groups: named, sticky } => {
            let heard = named.iter().filter(|(arn, _)| !silent(arn));
            let groups: Vec<_> =
                heard.filter_map(|(arn, weight)| Some((groups.get(arn)?.clone(), u32::from(*weight)))).collect();
            let total = groups.iter().map(|(_, weight)| weight).sum();
            Route::Forward(Forward { groups, total, sticky: *sticky })
        }
        own => Route::Own(own.clone()),
    }
}
