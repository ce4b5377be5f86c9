//! The database's address over several keys: `DB_HOST`, `DB_PORT`, `DB_NAME` belong together by the words they share.

use super::address;
use super::database::Database;
use super::keys::{self, Role};
use super::placeholder::literal;
use super::source::{Place, Source};

/// Turns every address in the source, in one value or over several keys; says whether the old one was there.
pub(super) fn turn(source: &mut Source, database: &Database) -> bool {
    let mut found = false;
    for place in &mut source.places {
        let turned = address::turn(&place.value, database);
        source.notes.extend(turned.notes.into_iter().map(|note| format!("{}: {note}", place.label)));
        if let Some(new) = turned.new {
            found = true;
            let before: Vec<_> = turned.shown.iter().map(|(b, _)| b.as_str()).collect();
            let after: Vec<_> = turned.shown.iter().map(|(_, a)| a.as_str()).collect();
            place.set(new, &before.join(", "), &after.join(", "));
        }
    }
    let roles: Vec<_> = source.places.iter().map(|p| keys::role(&p.key)).collect();
    for at in 0..source.places.len() {
        if let Some((group, Role::Host(owned))) = &roles[at] {
            let sibling = |wanted: Role| {
                let same = |(i, r): (usize, &Option<(Vec<String>, Role)>)| {
                    r.as_ref().is_some_and(|(g, role)| g == group && *role == wanted).then_some(i)
                };
                roles.iter().enumerate().filter_map(same).collect::<Vec<_>>()
            };
            found |= turn_host(source, database, at, *owned, &sibling);
        }
    }
    if found {
        for (at, role) in roles.iter().enumerate() {
            if matches!(role, Some((_, Role::SslMode))) {
                turn_mode(&mut source.places[at], database);
            }
        }
    }
    found
}

/// A host that stands under a key of its own, with its siblings.
fn turn_host(
    source: &mut Source,
    database: &Database,
    at: usize,
    owned: bool,
    sibling: &dyn Fn(Role) -> Vec<usize>,
) -> bool {
    let (old_port, new_port) = (database.old.port.to_string(), database.new.port.to_string());
    let value = source.places[at].value.clone();
    let Some(range) = literal(&value) else {
        return false;
    };
    let said = &value[range.clone()];
    let (host, port) = match said.rsplit_once(':') {
        Some((host, port)) if port == old_port && !host.contains(':') => (host, Some(port)),
        _ => (said, None),
    };
    if !database.is_old_host(host) {
        return false;
    }
    let (names, ports) = (sibling(Role::Name), sibling(Role::Port));
    let label = source.places[at].label.clone();
    if !owned && names.is_empty() {
        source.notes.push(format!("{label}: says {host}, but the key does not say that it is the database's; left"));
        return false;
    }
    let literal_of = |place: &Place| literal(&place.value).map(|r| place.value[r].to_owned());
    let differs = |places: &[usize], old: &str| {
        places.iter().find_map(|i| literal_of(&source.places[*i]).filter(|v| v != old && !v.is_empty()))
    };
    if let Some(other) = differs(&ports, &old_port).filter(|p| p.bytes().all(|b| b.is_ascii_digit())) {
        source.notes.push(format!("{label}: says {host}, but its port is {other}; left"));
        return false;
    }
    if let Some(other) = differs(&names, &database.old.name) {
        source.notes.push(format!("{label}: says {host}, but its database is {other}; left"));
        return false;
    }
    let new = match port {
        Some(_) => format!("{}:{new_port}", database.new.host),
        None => database.new.host.clone(),
    };
    if port.is_none() && ports.is_empty() && database.new.port != 5432 {
        source.notes.push(format!("{label}: no key names the port; tell the application that it is {new_port} now"));
    }
    put(&mut source.places[at], &range, &new);
    for (places, old, new) in [(ports, &old_port, &new_port), (names, &database.old.name, &database.new.name)] {
        for i in places {
            let place = &mut source.places[i];
            if let Some(range) = literal(&place.value).filter(|r| place.value[r.clone()] == **old && old != new) {
                put(place, &range, new);
            }
        }
    }
    true
}

/// Puts `new` into the literal part of a value that is no secret.
fn put(place: &mut Place, range: &std::ops::Range<usize>, new: &str) {
    let before = place.value.clone();
    let after = format!("{}{new}{}", &before[..range.start], &before[range.end..]);
    if place.now() != after {
        place.set(after.clone(), &before, &after);
    }
}

fn turn_mode(place: &mut Place, database: &Database) {
    let owned = keys::role(&place.key).is_some_and(|(group, _)| !group.is_empty());
    let Some(mode) = database.new.sslmode.as_deref().filter(|_| owned || place.key.eq_ignore_ascii_case("sslmode"))
    else {
        return;
    };
    if let Some(range) = literal(&place.value).filter(|r| database.is_weaker(&place.value[r.clone()])) {
        put(place, &range, mode);
    }
}
