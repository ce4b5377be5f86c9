//! The walk as a person reads it: who serves and who writes after each step, and what a rollback costs there.

use crate::step::AnyStep;
use crate::world::{Side, Way, WayBack, World};

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The step after which it is so; the first row is before any.
    pub after: String,
    /// Where writes go.
    pub writes: &'static str,
    /// Where the box's app points.
    pub old_app: &'static str,
    /// Where the new hosts' app points.
    pub new_app: &'static str,
    /// The API's visitors: how many reach the balancer, and how many of those the new hosts.
    pub api: String,
    /// How many of the pages' visitors reach the distribution.
    pub pages: String,
    /// What a rollback costs from here.
    pub back: String,
}

/// A row a step, the first before any of them.
pub fn walk(steps: &[Box<dyn AnyStep>]) -> Vec<Row> {
    let mut world = World::default();
    let mut rows = vec![row("now".to_owned(), &world)];
    for step in steps {
        step.model(&mut world);
        rows.push(row(step.id(), &world));
    }
    rows
}

fn row(after: String, world: &World) -> Row {
    Row {
        after,
        writes: world.writer().map_or("nowhere", named),
        old_app: way(world.old_app),
        new_app: world.new_app.map_or("–", way),
        api: if world.targets {
            format!("{} %, new {} %", world.api_on_balancer, world.balancer_to_new)
        } else {
            format!("{} %", world.api_on_balancer)
        },
        pages: format!("{} %", world.pages_on_cdn),
        back: cost(world),
    }
}

fn named(side: Side) -> &'static str {
    match side {
        Side::Old => "box",
        Side::New => "RDS",
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Straight(side) => named(side),
        Way::Pooler => "pooler",
    }
}

/// What a rollback costs from here: the writes first, then the visitors.
fn cost(world: &World) -> String {
    if world.finalized {
        return "no way back".to_owned();
    }
    let writes = match (world.new_has_writes, world.way_back) {
        (false, _) => None,
        (true, WayBack::Stream) => Some("a pause as in the handover"),
        (true, WayBack::Carried) => Some("a second fence"),
        (true, WayBack::None) => Some("WRITES ARE LOST"),
    };
    let names = (world.api_on_balancer > 0 || world.pages_on_cdn > 0).then_some("resolvers follow within a TTL");
    let costs: Vec<&str> = writes.into_iter().chain(names).collect();
    if costs.is_empty() { "nothing".to_owned() } else { costs.join("; ") }
}
