//! Faults of a rehearsal: those of the playbook and those drawn, as orders for the world, which is told as they come due.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::args::{AppVariant, Rehearse};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::world::World;
use crate::event::{Event, Sink};
use crate::plan::Plan;
use crate::playbook::Playbook;
use crate::playbook::faults::{Call, Fault, Side, draw};
use crate::rehearsal::cloud::fault::{Kind, When};
use crate::rehearsal::world::control::{self, Request};
use crate::rehearsal::world::trouble::{Place, Trouble, What};
use crate::step::Step as _;
use crate::steps::shift_targets::ShiftTargets;

/// The stage, in percent, from which some misbehave.
const LATE: u8 = 25;

/// Gives the world its orders, and says what was drawn, in the playbook's words.
pub async fn order(args: &Rehearse, playbook: &Playbook, plan: &Plan, world: &World) -> Result<(), Failure> {
    let mut faults = playbook.faults.clone();
    if let Some(seed) = args.faults {
        let steps: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        let hosts: Vec<&str> = plan.site.app.hosts.iter().map(|host| host.name.as_str()).collect();
        let drawn = draw(seed, &steps, &hosts);
        out::say(&format!("faults drawn from {seed}, as a playbook would have them:"));
        for fault in &drawn {
            out::say(&format!("  - {fault}"));
        }
        faults.extend(drawn);
    }
    let mut orders: Vec<Trouble> = faults.iter().enumerate().map(|(n, fault)| in_orders(fault, n)).collect();
    if let Some(variant) = args.app {
        orders.extend(misbehaving(variant, plan)?);
    }
    if orders.is_empty() {
        return Ok(());
    }
    world.ask(&Request::Trouble { orders }).await.map(drop)
}

/// An ear that tells the rehearsal's world, if it is one, which step begins.
pub fn telling(plan: &Plan, world: &World, events: Sink) -> Sink {
    let socket: PathBuf = world.ready.control.clone();
    let known = plan.steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>();
    Sink::new(move |event| {
        let begins = match &event {
            Event::RunStarted { .. } => Some(None),
            Event::StepStarted { step, .. } if known.contains(step) => Some(Some(step.clone())),
            _ => None,
        };
        if let Some(step) = begins {
            // A world that is gone is noticed by what the run does next.
            if let Err(error) = control::ask_now(&socket, &Request::Begins { step }) {
                tracing::warn!(%error, "the world was not told that a step begins");
            }
        }
        events.send(event);
    })
}

/// The orders for a new app that misbehaves, from the first stage on or from the one at which it is seen.
fn misbehaving(variant: AppVariant, plan: &Plan) -> Result<Vec<Trouble>, Failure> {
    let stages = plan.steps.iter().filter(|step| step.kind == ShiftTargets::KIND);
    let late = matches!(variant, AppVariant::Sick | AppVariant::Silent);
    let weight = |id: &str| id.rsplit(':').next().and_then(|share| share.parse::<u8>().ok()).unwrap_or(0);
    let first = stages.map(|step| step.id.clone()).find(|id| !late || weight(id) >= LATE);
    let Some(at) = first else {
        return Err(Failure::bad_input("--app needs a playbook with `shift-targets`")
            .hint("take the canary: --playbook playbooks/canary.yaml"));
    };
    let word = match variant {
        AppVariant::Errors => "errors",
        AppVariant::Slow => "slow",
        AppVariant::Sick => "sick",
        AppVariant::Cors => "cors",
        AppVariant::Loop => "loop",
        AppVariant::Silent => {
            let what = What::Silent(format!("{}-new", plan.site.site));
            return Ok(vec![Trouble { at: Some(at), what }]);
        }
    };
    let app = &plan.site.old.app.container;
    let one = |name: &String| Trouble {
        at: Some(at.clone()),
        what: What::Misbehave { host: Place::Host(name.clone()), app: app.clone(), how: word.to_owned() },
    };
    Ok(plan.site.app.hosts.iter().map(|host| one(&host.name)).collect())
}

fn in_orders(fault: &Fault, number: usize) -> Trouble {
    let what = match fault {
        Fault::TargetDies(target) => What::StandStill(place(&target.host), target.length.duration()),
        Fault::DiskFull(target) => What::DiskFull(place(&target.host), target.length.duration()),
        Fault::DatabaseRestarts(restart) => {
            What::Restart(if restart.side == Side::Old { Place::OldDatabase } else { Place::Rds })
        }
        Fault::NetworkCut(cut) => What::Cut(place(&cut.between[0]), place(&cut.between[1]), cut.length.duration()),
        Fault::Refused(call) => of_calls(call, number, Kind::Refused),
        Fault::Throttled(call) => {
            let seconds = call.length.as_ref().map(|wait| wait.duration().as_secs().max(1));
            of_calls(call, number, Kind::Throttled(seconds.and_then(|s| u32::try_from(s).ok())))
        }
        Fault::FailedBefore(call) => of_calls(call, number, Kind::FailedBefore),
        Fault::LostAnswer(call) => of_calls(call, number, Kind::LostAnswer),
        Fault::HeldAnswer(call) => of_calls(call, number, Kind::Held(length(call))),
        Fault::Slow(call) => of_calls(call, number, Kind::Slow(length(call))),
        Fault::Reset(call) => of_calls(call, number, Kind::Reset),
        Fault::StaleRead(call) => of_calls(call, number, Kind::Stale(length(call))),
    };
    Trouble { at: fault.at().map(str::to_owned), what }
}

fn of_calls(call: &Call, number: usize, kind: Kind) -> What {
    let (service, operation) = call.of.split_once(':').unwrap_or((call.of.as_str(), "*"));
    let when = match (call.nth, call.every, call.percent) {
        (Some(n), ..) => When::Nth(n),
        (None, Some(n), _) => When::Every(n),
        (None, None, Some(percent)) => When::Rate { per_mille: percent.saturating_mul(10), seed: number as u64 },
        (None, None, None) => When::Nth(1),
    };
    What::Call { service: service.to_owned(), operation: operation.to_owned(), when, kind }
}

/// Lint sees to it that the kinds that need one have it.
fn length(call: &Call) -> Duration {
    call.length.as_ref().map_or(Duration::from_secs(1), crate::playbook::Period::duration)
}

fn place(name: &str) -> Place {
    match name {
        "outside" => Place::Outside,
        "box" => Place::Box,
        "rds" => Place::Rds,
        host => Place::Host(host.to_owned()),
    }
}
