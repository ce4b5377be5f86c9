//! What names are answered with, without a socket.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::rehearsal::state::{Answer, Checkup, RecordSet, Routing, State, Zone};

fn set(name: &str, kind: &str, values: &[&str]) -> RecordSet {
    RecordSet {
        name: name.into(),
        kind: kind.into(),
        ttl: Some(300),
        answer: Answer::Values(values.iter().map(|v| (*v).to_owned()).collect()),
        routing: Routing::Simple,
        health_check: None,
    }
}

fn alias(name: &str, kind: &str, to: &str, evaluate_health: bool) -> RecordSet {
    let answer = Answer::Alias { name: to.into(), zone: "Z".into(), evaluate_health };
    RecordSet { ttl: None, answer, ..set(name, kind, &[]) }
}

fn zones(all: &[(&str, &str, bool, Vec<RecordSet>)]) -> Directory {
    let mut state = State::default();
    for (id, name, delegated, records) in all {
        let server = format!("ns-{}.test.", id.to_lowercase());
        let soa = format!("{server} m.test. 1 7200 900 1209600 86400");
        let mut own = vec![set(name, "NS", &[&server]), RecordSet { ttl: Some(900), ..set(name, "SOA", &[&soa]) }];
        own.extend(records.iter().cloned());
        state.zones.insert((*id).into(), Zone { name: (*name).into(), records: own, delegated: *delegated });
    }
    Directory::of(&state)
}

fn one(records: Vec<RecordSet>) -> Directory {
    zones(&[("Z1", "shop.test", true, records)])
}

fn asked(directory: &Directory, public: bool, name: &str, kind: &str) -> (Code, bool, Vec<String>, Vec<u16>) {
    let key = name::key(name).unwrap();
    let kind = kind_number(kind).unwrap_or(255);
    let outcome = directory.look_up(Asked { key: &key, kind, public }, &mut Dice::seeded(1));
    let mut texts: Vec<_> = outcome.answers.iter().map(|r| format!("{} {}", r.ttl, r.value.text())).collect();
    texts.sort();
    (outcome.code, outcome.authoritative, texts, outcome.authority.iter().map(|r| r.kind).collect())
}

fn texts(directory: &Directory, name: &str, kind: &str) -> Vec<String> {
    asked(directory, true, name, kind).2
}

#[test]
fn wildcards_cover_what_is_not_there() {
    let directory = one(vec![
        set("*.shop.test", "A", &["192.0.2.1"]),
        set("*.shop.test", "TXT", &["\"star\""]),
        set("www.shop.test", "A", &["192.0.2.2"]),
        set("x.deep.shop.test", "A", &["192.0.2.3"]),
        set("*.deep.shop.test", "A", &["192.0.2.4"]),
        set("a*b.shop.test", "A", &["192.0.2.5"]),
    ]);
    for (name, answer) in [
        ("any.shop.test", &["300 192.0.2.1"][..]),
        ("a.b.c.shop.test", &["300 192.0.2.1"]),
        ("*.shop.test", &["300 192.0.2.1"]),
        ("www.shop.test", &["300 192.0.2.2"]),
        ("deep.shop.test", &[]),
        ("y.deep.shop.test", &["300 192.0.2.4"]),
        ("a\\052b.shop.test", &["300 192.0.2.5"]),
    ] {
        assert_eq!(texts(&directory, name, "A"), answer, "{name}");
    }
    // `www` exists: the wildcard covers neither its other types nor what is below it
    assert_eq!(asked(&directory, true, "www.shop.test", "TXT"), (Code::NoError, true, vec![], vec![6]));
    assert_eq!(asked(&directory, true, "a.www.shop.test", "A"), (Code::NxDomain, true, vec![], vec![6]));
    assert_eq!(asked(&directory, true, "deep.shop.test", "A").0, Code::NoError, "an empty non-terminal");
    assert_eq!(asked(&directory, true, "any.shop.test", "MX").0, Code::NoError);
}

#[test]
fn chains_are_followed_within_our_zones() {
    let directory = zones(&[
        (
            "Z1",
            "shop.test",
            true,
            vec![
                set("a.shop.test", "CNAME", &["B.Other.Test."]),
                set("out.shop.test", "CNAME", &["elsewhere.invalid"]),
                set("gone.shop.test", "CNAME", &["nobody.shop.test"]),
                set("loop.shop.test", "CNAME", &["loop.shop.test"]),
                alias("m.shop.test", "CNAME", "a.shop.test", false),
            ],
        ),
        ("Z2", "other.test", true, vec![set("b.other.test", "A", &["192.0.2.9"])]),
    ]);
    assert_eq!(texts(&directory, "a.shop.test", "A"), ["300 192.0.2.9", "300 B.Other.Test."]);
    assert_eq!(texts(&directory, "a.shop.test", "CNAME"), ["300 B.Other.Test."]);
    assert_eq!(texts(&directory, "m.shop.test", "A"), ["300 192.0.2.9", "300 B.Other.Test."]);
    assert_eq!(asked(&directory, true, "out.shop.test", "A").0, Code::NoError);
    assert_eq!(asked(&directory, true, "gone.shop.test", "A").0, Code::NxDomain);
    assert_eq!(asked(&directory, true, "loop.shop.test", "A").0, Code::ServFail);
    assert_eq!(asked(&directory, true, "myshop.test", "A").0, Code::Refused);
}

#[test]
fn what_is_delegated_away_is_referred() {
    let directory = one(vec![
        set("eu.shop.test", "NS", &["ns.eu.invalid."]),
        set("eu.shop.test", "DS", &["1 13 2 ABCD"]),
        set("www.eu.shop.test", "A", &["192.0.2.1"]),
    ]);
    for name in ["eu.shop.test", "www.eu.shop.test", "a.b.eu.shop.test"] {
        assert_eq!(asked(&directory, true, name, "A"), (Code::NoError, false, vec![], vec![2]), "{name}");
    }
    assert_eq!(asked(&directory, true, "eu.shop.test", "DS").2, ["300 1 13 2 ABCD"]);
    assert_eq!(asked(&directory, true, "shop.test", "NS").2, ["300 ns-z1.test."]);
}

#[test]
fn r9_a_zone_nobody_delegates_to_answers_nobody() {
    let child = || vec![set("www.eu.shop.test", "A", &["192.0.2.2"])];
    let two = |above: Vec<RecordSet>, delegated| {
        zones(&[("Z1", "shop.test", true, above), ("Z2", "eu.shop.test", delegated, child())])
    };
    // made, but the zone above says nothing of it
    let directory = two(vec![], false);
    assert_eq!(asked(&directory, true, "www.eu.shop.test", "A").0, Code::NxDomain);
    assert_eq!(asked(&directory, false, "www.eu.shop.test", "A").2, ["300 192.0.2.2"], "its own servers know it");
    // the zone above names other servers
    let directory = two(vec![set("eu.shop.test", "NS", &["ns-old.test"])], false);
    assert_eq!(asked(&directory, true, "www.eu.shop.test", "A"), (Code::NoError, false, vec![], vec![2]));
    // and the right ones
    let directory = two(vec![set("eu.shop.test", "NS", &["NS-Z2.test"])], false);
    assert_eq!(texts(&directory, "www.eu.shop.test", "A"), ["300 192.0.2.2"]);
    // two of one name: the one that the registrar points to
    let answers = |id: &str, delegated| (id.to_owned(), delegated);
    for (first, second) in [(answers("Z1", true), answers("Z2", false)), (answers("Z1", false), answers("Z2", true))] {
        let of = |n: &str| vec![set("shop.test", "A", &[n])];
        let directory = zones(&[
            (&first.0, "shop.test", first.1, of("192.0.2.1")),
            (&second.0, "shop.test", second.1, of("192.0.2.2")),
        ]);
        let expected = if first.1 { "300 192.0.2.1" } else { "300 192.0.2.2" };
        assert_eq!(texts(&directory, "shop.test", "A"), [expected]);
    }
    let directory = zones(&[("Z1", "shop.test", false, vec![])]);
    assert_eq!(asked(&directory, true, "shop.test", "A").0, Code::Refused);
}

#[test]
fn policies_choose_among_the_healthy() {
    let with = |routing, value: &str, check: &str| RecordSet {
        routing,
        health_check: Some(check.into()),
        ..set("www.shop.test", "A", &[value])
    };
    let failover =
        |primary, value: &str, check: &str| with(Routing::Failover { id: value.into(), primary }, value, check);
    let weighted =
        |weight, value: &str, check: &str| with(Routing::Weighted { id: value.into(), weight }, value, check);
    let many = |value: &str, check: &str| with(Routing::Multivalue { id: value.into() }, value, check);
    let answers = |records: Vec<RecordSet>| {
        let mut state = State::default();
        let mut down = Checkup { kind: "HTTP".into(), ..Checkup::default() };
        down.found.failing = true;
        state.checkups.insert("down".into(), down);
        state.zones.insert("Z1".into(), Zone { name: "shop.test".into(), records, delegated: true });
        let directory = Directory::of(&state);
        let (key, mut dice) = (name::key("www.shop.test").unwrap(), Dice::seeded(3));
        let mut seen = BTreeMap::<String, usize>::new();
        for _ in 0..200 {
            let outcome = directory.look_up(Asked { key: &key, kind: 1, public: true }, &mut dice);
            for record in outcome.answers {
                *seen.entry(record.value.text()).or_default() += 1;
            }
        }
        seen.into_keys().collect::<BTreeSet<_>>()
    };
    let names = |all: &[&str]| all.iter().map(|a| (*a).to_owned()).collect::<BTreeSet<_>>();
    let (one, two) = ("192.0.2.1", "192.0.2.2");
    assert_eq!(answers(vec![failover(true, one, "up"), failover(false, two, "up")]), names(&[one]));
    assert_eq!(answers(vec![failover(true, one, "down"), failover(false, two, "up")]), names(&[two]));
    assert_eq!(answers(vec![failover(true, one, "down"), failover(false, two, "down")]), names(&[one]));
    assert_eq!(answers(vec![many(one, "up"), many(two, "down")]), names(&[one]));
    assert_eq!(answers(vec![many(one, "down"), many(two, "down")]), names(&[one, two]));
    assert_eq!(answers(vec![weighted(255, one, "down"), weighted(0, two, "up")]), names(&[two]), "law R3");
    assert_eq!(
        answers(vec![weighted(255, one, "down"), weighted(0, two, "down")]),
        names(&[one]),
        "all are taken for healthy"
    );
    assert_eq!(answers(vec![weighted(0, one, "up"), weighted(0, two, "up")]), names(&[one, two]));
}

#[test]
fn r4_an_alias_to_a_record_follows_its_health() {
    let weighted = |record: RecordSet, id: &str, weight| RecordSet {
        routing: Routing::Weighted { id: id.into(), weight },
        ..record
    };
    let mut state = State::default();
    let mut down = Checkup { kind: "HTTP".into(), ..Checkup::default() };
    down.found.failing = true;
    state.checkups.insert("down".into(), down);
    let target = RecordSet { health_check: Some("down".into()), ..set("box.shop.test", "A", &["192.0.2.1"]) };
    let records = |evaluate| {
        vec![
            target.clone(),
            weighted(alias("www.shop.test", "A", "box.shop.test", evaluate), "a", 255),
            weighted(set("www.shop.test", "A", &["192.0.2.2"]), "b", 0),
        ]
    };
    for (evaluate, expected) in [(true, "300 192.0.2.2"), (false, "300 192.0.2.1")] {
        state.zones.insert("Z1".into(), Zone { name: "shop.test".into(), records: records(evaluate), delegated: true });
        assert_eq!(texts(&Directory::of(&state), "www.shop.test", "A"), [expected]);
    }
}
