//! Who has the writes, from what stands in the two databases alone.

use super::epoch::{self, Standing};
use crate::clients::postgres::Session;
use crate::postgres::Result;
use crate::postgres::fence::Fenced;
use crate::postgres::follow::Sides;
use crate::world::Side;

/// Who has the writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// This side takes them, the other is shut.
    Serves(Side),
    /// A handover from this side began and did not get as far as opening the other: nobody, or only some, can write here,
    /// nobody there. [`super::recover`] opens this side again.
    Halfway {
        /// Who had the writes.
        giver: Side,
    },
    /// Both sides let the application in, and this one is the writer by right: [`super::recover`] shuts the other, where a
    /// person or an older tool opened it. What was written there meanwhile is not in the writer.
    Both {
        /// The writer by right.
        writer: Side,
    },
    /// No follow was opened, or its record is gone.
    Unknown,
}

/// Reads who has the writes. `roles` are the application's, as they were before any fence. Changes nothing.
///
/// # Errors
/// Either side not reached: only both together know.
pub async fn stands(sides: &Sides, roles: &Fenced) -> Result<Stand> {
    let (old, new) = tokio::try_join!(sides.session(Side::Old), sides.session(Side::New))?;
    let standing = tokio::try_join!(epoch::read(&old), epoch::read(&new))?;
    let doors = tokio::try_join!(door(&old, roles), door(&new, roles))?;
    old.close();
    new.close();
    Ok(judge(&standing, doors))
}

/// How the application's door stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    Partly,
    Shut,
}

async fn door(session: &Session, roles: &Fenced) -> Result<Door> {
    let names: Vec<&str> = roles.roles.iter().filter(|role| role.login).map(|role| role.name.as_str()).collect();
    let sql = "SELECT count(*) FILTER (WHERE rolcanlogin), count(*) FILTER (WHERE NOT rolcanlogin) \
        FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::text[])";
    let row = session.one(sql, &[&names]).await?;
    Ok(match (row.get::<_, i64>(0), row.get::<_, i64>(1)) {
        (0, _) => Door::Shut,
        (_, 0) => Door::Open,
        _ => Door::Partly,
    })
}

fn judge((old, new): &(Option<Standing>, Option<Standing>), (old_door, new_door): (Door, Door)) -> Stand {
    let Some(old) = old else { return Stand::Unknown };
    // A receiver that was never subscribed, or was wiped, never took a write.
    let nothing = Standing { number: 0, state: "closed".to_owned() };
    let new = new.as_ref().unwrap_or(&nothing);
    let open = |standing: &Standing| standing.state == "open";
    // Opening is one transaction with its epoch. Whoever was opened last is the writer; if nobody is open, the last to
    // have been is the one that gave its writes away and was never relieved.
    let new_was_last = match (open(old), open(new)) {
        (true, true) => new.number > old.number,
        (true, false) => false,
        (false, true) => true,
        // One closed, the other received or not even that: the giver is the one that is `closed` by the highest number.
        (false, false) => {
            new.state == "closed" && new.number > 0 && (new.number > old.number || old.state == "received")
        }
    };
    let writer = if new_was_last { Side::New } else { Side::Old };
    let (standing, mine, others) = match writer {
        Side::Old => (old, old_door, new_door),
        Side::New => (new, new_door, old_door),
    };
    match (mine, others) {
        (_, Door::Open | Door::Partly) => Stand::Both { writer },
        (Door::Open, Door::Shut) if open(standing) => Stand::Serves(writer),
        _ => Stand::Halfway { giver: writer },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps)] // as it is read
    fn at(number: i64, state: &str) -> Option<Standing> {
        Some(Standing { number, state: state.to_owned() })
    }

    #[test]
    fn every_state_that_a_killed_handover_leaves_has_one_writer() {
        use Door::{Open, Partly, Shut};
        let cases = [
            // there
            (at(1, "open"), None, (Open, Shut), Stand::Serves(Side::Old)),
            (at(1, "open"), at(0, "closed"), (Open, Shut), Stand::Serves(Side::Old)),
            (at(2, "closed"), at(0, "closed"), (Open, Shut), Stand::Halfway { giver: Side::Old }),
            (at(2, "closed"), at(0, "closed"), (Partly, Shut), Stand::Halfway { giver: Side::Old }),
            (at(2, "closed"), at(0, "closed"), (Shut, Shut), Stand::Halfway { giver: Side::Old }),
            (at(2, "closed"), at(2, "received"), (Shut, Shut), Stand::Halfway { giver: Side::Old }),
            (at(2, "closed"), at(2, "open"), (Shut, Open), Stand::Serves(Side::New)),
            // broken off, and again
            (at(3, "open"), at(2, "received"), (Open, Shut), Stand::Serves(Side::Old)),
            (at(4, "closed"), at(2, "received"), (Shut, Shut), Stand::Halfway { giver: Side::Old }),
            // back
            (at(2, "closed"), at(3, "closed"), (Shut, Partly), Stand::Halfway { giver: Side::New }),
            (at(2, "closed"), at(3, "closed"), (Shut, Shut), Stand::Halfway { giver: Side::New }),
            (at(3, "received"), at(3, "closed"), (Shut, Shut), Stand::Halfway { giver: Side::New }),
            (at(3, "open"), at(3, "closed"), (Open, Shut), Stand::Serves(Side::Old)),
            (at(3, "received"), at(4, "open"), (Shut, Open), Stand::Serves(Side::New)),
            (at(3, "received"), at(5, "closed"), (Shut, Shut), Stand::Halfway { giver: Side::New }),
            // opened behind our back
            (at(2, "closed"), at(2, "open"), (Open, Open), Stand::Both { writer: Side::New }),
            (at(1, "open"), at(0, "closed"), (Open, Open), Stand::Both { writer: Side::Old }),
            (None, None, (Open, Shut), Stand::Unknown),
        ];
        for (old, new, doors, expected) in cases {
            assert_eq!(judge(&(old.clone(), new.clone()), doors), expected, "{old:?} {new:?} {doors:?}");
        }
    }
}
