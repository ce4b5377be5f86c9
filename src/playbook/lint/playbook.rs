//! Lint of playbooks: the order of the steps, and parameters that bite.

use super::super::complaint::Complaint;
use super::super::gates::wrong;
use super::super::model::{Of, Playbook, StepSpec};
use super::super::source::Source;
use super::super::stages::Stages;
use super::faults;

/// A handover that keeps visitors from writing for longer than this deserves a second look.
const LONG_HOLD_SECONDS: u64 = 300;
/// Beyond this TTL a rollback by DNS takes noticeably long to reach everybody.
const LONG_TTL: u32 = 300;

/// Everything to say about a playbook.
pub fn playbook(playbook: &Playbook, source: &Source) -> Vec<Complaint> {
    let mut lint = Lint { steps: &playbook.steps, source, told: Vec::new() };
    if playbook.steps.is_empty() {
        let fix = "add steps, or take a playbook from playbooks/";
        lint.told.push(Complaint::error(source.key("steps"), "there are no steps", fix));
        return lint.told;
    }
    lint.repeated();
    lint.order();
    lint.growth();
    lint.end();
    for (at, step) in playbook.steps.iter().enumerate() {
        lint.parameters(at, step);
    }
    lint.told.extend(faults::faults(playbook, source));
    lint.told.sort_by_key(|c| c.spot.map(|spot| (spot.line, spot.column)));
    lint.told
}

struct Lint<'a> {
    steps: &'a [StepSpec],
    source: &'a Source,
    told: Vec<Complaint>,
}

/// `(step, what has to stand before it, why)`.
const NEEDS: [(&str, &str, &str); 6] = [
    ("targets", "app-host", "the balancer's new targets are started by `app-host`"),
    ("shift-targets", "targets", "there is nothing to shift between before `targets`"),
    ("database-handover", "database-copy", "there is nothing to hand over to before `database-copy`"),
    ("shift-targets", "database-handover", "the new app writes to the new database, which takes no writes before"),
    ("dns-weights of api", "targets", "the balancer has no targets to send visitors to before `targets`"),
    ("dns-weights of pages", "static-site", "the distribution has no pages to show before `static-site`"),
];

/// `(step, what may not stand after it, why)`.
const AFTER: [(&str, &str, &str); 3] = [
    ("distribution", "certificate", "the distribution shows the certificate to visitors"),
    ("distribution", "static-site", "the policy that lets the distribution read is put on the bucket"),
    ("dns-weights of pages", "distribution", "visitors come to the distribution by their names"),
];

impl<'a> Lint<'a> {
    fn spot(&self, at: usize) -> Option<super::super::Spot> {
        self.source.key(&format!("steps/{at}/{}", self.steps[at].kind()))
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| is_called(step, name))
    }

    /// Steps that can be done only once.
    fn repeated(&mut self) {
        for (at, step) in self.steps.iter().enumerate() {
            let may_repeat = matches!(step, StepSpec::DnsWeights(_) | StepSpec::ShiftTargets(_) | StepSpec::Soak(_));
            let first = self.steps.iter().position(|other| other.kind() == step.kind()).unwrap_or(at);
            if first < at && !may_repeat {
                let what = format!("`{}` is there already, as step {}", step.kind(), first + 1);
                self.told.push(Complaint::error(self.spot(at), what, "remove one of the two"));
            }
        }
    }

    fn order(&mut self) {
        for (step, before, why) in NEEDS {
            let Some(at) = self.find(step) else { continue };
            match self.find(before) {
                Some(earlier) if earlier < at => {}
                Some(_) => {
                    let (what, fix) =
                        (format!("`{step}` stands before `{before}`"), format!("move `{before}` up: {why}"));
                    self.told.push(Complaint::error(self.spot(at), what, fix));
                }
                None => {
                    let (what, fix) =
                        (format!("`{step}` needs `{before}`"), format!("add `{before}` before it: {why}"));
                    self.told.push(Complaint::error(self.spot(at), what, fix));
                }
            }
        }
        for (step, before, why) in AFTER {
            if let (Some(at), Some(earlier)) = (self.find(step), self.find(before))
                && at < earlier
            {
                let (what, fix) = (format!("`{step}` stands before `{before}`"), format!("move `{before}` up: {why}"));
                self.told.push(Complaint::error(self.spot(at), what, fix));
            }
        }
        if self.find("pooler").is_some() {
            self.behind_a_pooler();
        } else {
            self.straight();
        }
        if let Some(at) = self.find("database-handover")
            && self.find("app-config").is_none()
            && self.find("pooler").is_none()
        {
            let fix = "add `app-config` after it: until then the app on the old box only knows the fenced database";
            self.told.push(Complaint::error(self.spot(at), "`database-handover` needs `app-config` after it", fix));
        }
        if let Some(at) = self.find("database-copy")
            && self.find("database-handover").is_none()
        {
            let fix = "add `database-handover` and `app-config`, or leave the copy out";
            self.told.push(Complaint::note(self.spot(at), "the copied database is never handed over", fix));
        }
    }

    /// The app knows one database by its own address.
    fn straight(&mut self) {
        let Some(at) = self.find("app-config") else { return };
        let why = "until `database-handover`, the new database is not the one to write to";
        let (what, fix) = match self.find("database-handover") {
            Some(earlier) if earlier < at => return,
            Some(_) => (
                "`app-config` stands before `database-handover`",
                format!("move `database-handover` up: {why}; or add `pooler: {{}}` before `app-config`"),
            ),
            None => ("`app-config` needs `database-handover`", format!("add `database-handover` before it: {why}")),
        };
        self.told.push(Complaint::error(self.spot(at), what, fix));
    }

    /// The app knows the pooler, which sends it to whichever database takes the writes.
    fn behind_a_pooler(&mut self) {
        let Some(pooler) = self.find("pooler") else { return };
        let handover = self.find("database-handover");
        let Some(config) = self.find("app-config") else {
            let fix = "add `app-config` after it, which points the app to the pooler; or leave the pooler out";
            self.told.push(Complaint::error(self.spot(pooler), "`pooler` needs `app-config` after it", fix));
            return;
        };
        let wrong = [
            (
                config < pooler,
                config,
                "`app-config` stands before `pooler`",
                "move `pooler` up: `app-config` points the app to it",
            ),
            (
                handover.is_some_and(|handover| handover < config),
                config,
                "`app-config` stands after `database-handover`",
                "move `app-config` up: behind the pooler the app does not notice the handover",
            ),
            (
                self.find("app-host").is_some_and(|host| config < host),
                self.find("app-host").unwrap_or(config),
                "`app-host` stands after `app-config`",
                "move `app-host` up: the new hosts' app is made from the box's, as long as that knows its database",
            ),
        ];
        for (_, at, what, fix) in wrong.into_iter().filter(|(broken, ..)| *broken) {
            self.told.push(Complaint::error(self.spot(at), what, fix));
        }
    }

    /// A later shift of the same visitors must go beyond the earlier one.
    fn growth(&mut self) {
        for name in ["dns-weights of api", "dns-weights of pages", "shift-targets"] {
            let mut reached = 0;
            for (at, stages) in self.shifts(name) {
                let first = stages.as_slice().first().copied().unwrap_or(0);
                if first <= reached {
                    let what = format!("this goes from {reached} % back to {first} %");
                    let path = format!("steps/{at}/{}/stages", self.steps[at].kind());
                    let fix = format!("begin above {reached}; going back is what a rollback does");
                    self.told.push(Complaint::error(self.source.value(&path).or(self.spot(at)), what, fix));
                }
                reached = stages.last();
            }
        }
    }

    fn end(&mut self) {
        let finalize = self.find("finalize");
        if let Some(at) = finalize {
            if at + 1 < self.steps.len() {
                let fix = "move it to the end: what comes after it could not be taken back";
                self.told.push(Complaint::error(self.spot(at), "`finalize` is not the last step", fix));
            }
            if !self.steps[..at].iter().any(|step| matches!(step, StepSpec::Soak(_))) {
                let fix = "add `- soak: { for: 7d }` before it, so that there is a way back while real visitors try it";
                self.told.push(Complaint::warning(self.spot(at), "`finalize` comes without a `soak`", fix));
            }
        }
        for name in ["dns-weights of api", "dns-weights of pages", "shift-targets"] {
            let Some((at, stages)) = self.shifts(name).last().copied() else { continue };
            if stages.last() == 100 {
                continue;
            }
            let path = format!("steps/{at}/{}/stages", self.steps[at].kind());
            let spot = self.source.value(&path).or(self.spot(at));
            let what = format!("`{name}` ends at {} %: the other visitors stay on the old side", stages.last());
            self.told.push(if finalize.is_some() {
                Complaint::error(spot, what, "end at 100, or leave out `finalize`")
            } else {
                Complaint::note(spot, what, "end at 100 if that is not meant")
            });
        }
    }

    fn shifts(&self, name: &str) -> Vec<(usize, &'a Stages)> {
        let found = self.steps.iter().enumerate().filter(|(_, step)| is_called(step, name));
        found.filter_map(|(at, step)| stages(step).map(|stages| (at, stages))).collect()
    }

    fn parameters(&mut self, at: usize, step: &StepSpec) {
        let path = |name: &str| format!("steps/{at}/{}/{name}", step.kind());
        let spot = |name: &str| self.source.value(&path(name)).or(self.spot(at));
        let mut told = Vec::new();
        match step {
            StepSpec::DnsWeights(p) => {
                if p.ttl == 0 || p.ttl > 86_400 {
                    let what = format!("a TTL of {} s is out of range", p.ttl);
                    told.push(Complaint::error(spot("ttl"), what, "write 1 to 86400, as in `ttl: 60`"));
                } else if p.ttl > LONG_TTL {
                    let what = format!("with a TTL of {} s, a rollback takes as long to reach everybody", p.ttl);
                    told.push(Complaint::warning(spot("ttl"), what, "write `ttl: 60` while visitors are being moved"));
                }
                told.extend(no_bake(&p.stages, p.bake.is_zero()).map(|(w, f)| Complaint::warning(spot("bake"), w, f)));
            }
            StepSpec::ShiftTargets(p) => {
                told.extend(
                    wrong(&p.gates)
                        .into_iter()
                        .map(|(name, what, fix)| Complaint::error(spot(&format!("gates/{name}")), what, fix)),
                );
                told.extend(no_bake(&p.stages, p.bake.is_zero()).map(|(w, f)| Complaint::warning(spot("bake"), w, f)));
            }
            StepSpec::DatabaseHandover(p) if p.hold_at_most.is_zero() => {
                let fix = "write the longest pause your visitors can bear, as in `hold-at-most: 30s`";
                told.push(Complaint::error(spot("hold-at-most"), "no handover fits into no time", fix));
            }
            StepSpec::DatabaseHandover(p) if p.hold_at_most.duration().as_secs() > LONG_HOLD_SECONDS => {
                let what = format!("visitors may be kept from writing for {}", p.hold_at_most);
                told.push(Complaint::warning(
                    spot("hold-at-most"),
                    what,
                    "rehearse, and write what the rehearsal took",
                ));
            }
            _ => {}
        }
        self.told.extend(told);
    }
}

fn no_bake(stages: &Stages, zero: bool) -> Option<(&'static str, &'static str)> {
    let pointless = zero && stages.as_slice().len() > 1;
    pointless.then_some(("with no bake, the stages show nothing", "give each weight time to be watched: `bake: 10m`"))
}

fn stages(step: &StepSpec) -> Option<&Stages> {
    match step {
        StepSpec::DnsWeights(p) => Some(&p.stages),
        StepSpec::ShiftTargets(p) => Some(&p.stages),
        _ => None,
    }
}

/// Whether a step is what a rule calls by this name.
fn is_called(step: &StepSpec, name: &str) -> bool {
    match (step, name.strip_prefix("dns-weights of ")) {
        (StepSpec::DnsWeights(p), Some("api")) => p.of == Of::Api,
        (StepSpec::DnsWeights(p), Some("pages")) => p.of == Of::Pages,
        (step, None) => step.kind() == name,
        _ => false,
    }
}
