//! Which of several records of one name and type answer this time.
//! Source: Route 53 developer guide, "How Amazon Route 53 chooses records when health checking is configured".

use super::dice::Dice;
use super::directory::Directory;
use super::zone::{Data, Policy, Set, Zone};

/// The most values a multivalue answer has.
const MOST: usize = 8;

/// How deep aliases may lead to aliases.
pub(super) const DEPTH: u8 = 8;

/// Gives the sets of `kind` that answer this time to `each`.
pub(super) fn choose<'a>(
    directory: &Directory,
    zone: &'a Zone,
    sets: &'a [Set],
    kind: u16,
    dice: &mut Dice,
    mut each: impl FnMut(&'a Set, &mut Dice),
) {
    let Some(first) = sets.iter().find(|set| set.kind == kind) else { return };
    let of_kind = || sets.iter().filter(|set| set.kind == kind);
    let well = |set: &&Set| is_well(directory, zone, set, DEPTH);
    match first.policy {
        Policy::Simple => each(first, dice),
        Policy::Weight(_) => {
            let any_well = of_kind().any(|set| well(&set));
            // where none is healthy, all are taken for healthy
            let among = || of_kind().filter(|set| !any_well || well(set));
            if let Some(set) = by_weight(among, dice) {
                each(set, dice);
            }
        }
        Policy::Primary | Policy::Secondary => {
            let primary = of_kind().find(|set| set.policy == Policy::Primary);
            let secondary = of_kind().find(|set| set.policy == Policy::Secondary);
            let chosen = primary.filter(|set| well(set)).or(secondary.filter(|set| well(set))).or(primary);
            chosen.or(secondary).into_iter().for_each(|set| each(set, dice));
        }
        Policy::Any => {
            let any_well = of_kind().any(|set| well(&set));
            let mut among: Vec<_> = of_kind().filter(|set| !any_well || well(set)).collect();
            let most = among.len().min(MOST);
            for at in 0..most {
                let left = u32::try_from(among.len() - at).unwrap_or(u32::MAX);
                among.swap(at, at + dice.below(left) as usize);
                each(among[at], dice);
            }
        }
    }
}

/// Law R3: by weight among the healthy; all zero is all equal, so zero weights are served when every other is unhealthy.
fn by_weight<'a, I: Iterator<Item = &'a Set>>(among: impl Fn() -> I, dice: &mut Dice) -> Option<&'a Set> {
    let weight = |set: &Set| if let Policy::Weight(weight) = set.policy { u32::from(weight) } else { 0 };
    let total: u32 = among().map(weight).sum();
    if total == 0 {
        let count = u32::try_from(among().count()).unwrap_or(u32::MAX);
        return among().nth(dice.below(count) as usize);
    }
    let mut at = dice.below(total);
    among().find(|set| match at.checked_sub(weight(set)) {
        None => true,
        Some(rest) => {
            at = rest;
            false
        }
    })
}

/// Whether a set is healthy: its own check, and with `EvaluateTargetHealth` what its alias leads to (law R4).
fn is_well(directory: &Directory, zone: &Zone, set: &Set, left: u8) -> bool {
    set.well
        && match &set.data {
            Data::Alias { to, evaluate: true } => match directory.edge(to) {
                Some(edge) => edge.well,
                None => zone.names.get(to).is_none_or(|sets| {
                    let mut of_kind = sets.iter().filter(|other| other.kind == set.kind).peekable();
                    left == 0
                        || of_kind.peek().is_none()
                        || of_kind.any(|other| is_well(directory, zone, other, left - 1))
                }),
            },
            _ => true,
        }
}
