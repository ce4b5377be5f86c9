//! Route 53.

use outgrow::clients::Kind;
use outgrow::clients::dns::{Answer, Batch, RecordSet, Weighted};

use super::Moto::{Differs, Same};
use super::ground::Ground;
use super::table::rows;

fn simple(name: &str, ttl: u32, value: &str) -> RecordSet {
    RecordSet {
        name: name.into(),
        kind: "A".into(),
        ttl: Some(ttl),
        answer: Answer::Values(vec![value.into()]),
        weighted: None,
        health_check: None,
    }
}

fn weighted(name: &str, id: &str, weight: u8) -> RecordSet {
    RecordSet { weighted: Some(Weighted { id: id.into(), weight }), ..simple(name, 60, "192.0.2.1") }
}

fn alias(on: &Ground, name: &str) -> RecordSet {
    let (to, zone) = on.balancer();
    let answer = Answer::Alias { name: to.to_lowercase(), zone: zone.into(), evaluate_health: false };
    RecordSet { ttl: None, answer, ..simple(name, 0, "") }
}

async fn change(on: &Ground, delete: &[RecordSet], create: &[RecordSet]) -> outgrow::clients::ClientResult<String> {
    on.clouds.dns.change(on.zone(), &Batch { delete: delete.to_vec(), create: create.to_vec() }).await
}

async fn seen(on: &Ground, name: &str) -> Vec<RecordSet> {
    let mut records = on.clouds.dns.records(on.zone(), name).await.unwrap();
    records.sort_by_key(|record| record.weighted.as_ref().map(|w| w.id.clone()));
    records
}

/// Refused as wrong in itself, or as lost.
async fn refused(on: &Ground, delete: &[RecordSet], create: &[RecordSet]) {
    let error = change(on, delete, create).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Refused | Kind::Conflict), "{error}");
}

rows! {
    zone "a zone is found with its four name servers, which its NS record names", Same, |on| {
        let zone = on.clouds.dns.zone("shop.test").await.unwrap();
        assert_eq!((zone.id.as_str(), zone.name_servers.len()), (on.zone(), 4));
        let records = on.clouds.dns.records(&zone.id, "shop.test").await.unwrap();
        let ns = records.iter().find(|r| r.kind == "NS").map(|r| r.answer.clone());
        let Some(Answer::Values(servers)) = ns else { panic!("no NS record: {records:?}") };
        let mut servers: Vec<_> = servers.iter().map(|s| s.trim_end_matches('.').to_owned()).collect();
        let mut wanted = zone.name_servers;
        servers.sort();
        wanted.sort();
        assert_eq!(servers, wanted);
    }

    no_zone "a zone that is not there is not found", Same, |on| {
        assert_eq!(on.clouds.dns.zone("op.test").await.unwrap_err().kind, Kind::NotFound);
    }

    conversion "one batch turns a simple record into a weighted pair, one side an alias", Same, |on| {
        let name = "conversion.shop.test";
        let before = simple(name, 300, "192.0.2.1");
        change(on, &[], std::slice::from_ref(&before)).await.unwrap();
        assert_eq!(seen(on, name).await, std::slice::from_ref(&before));
        let new = RecordSet { weighted: Some(Weighted { id: "new".into(), weight: 0 }), ..alias(on, name) };
        let old = weighted(name, "old", 100);
        change(on, &[before], &[old.clone(), new.clone()]).await.unwrap();
        assert_eq!(seen(on, name).await, [new, old]);
    }

    pending "a change is pending at first", Differs {
        how: "every change is INSYNC at once",
        why: "law R7; Route 53 API: GetChange (PENDING indicates that the changes are not yet propagated)",
    }, |on| {
        let id = change(on, &[], &[simple("pending.shop.test", 60, "192.0.2.1")]).await.unwrap();
        assert!(!on.clouds.dns.in_sync(&id).await.unwrap());
    }

    swap_lost "a compare-and-swap that has lost is a conflict", Differs {
        how: "a DELETE whose weight is not the present one is carried out",
        why: "law R2; Route 53 API: ChangeResourceRecordSets (DELETE needs all the same values)",
    }, |on| {
        let name = "swap-lost.shop.test";
        let (first, second) = (weighted(name, "x", 100), weighted(name, "x", 75));
        change(on, &[], std::slice::from_ref(&first)).await.unwrap();
        change(on, std::slice::from_ref(&first), std::slice::from_ref(&second)).await.unwrap();
        let error = change(on, &[first], &[weighted(name, "x", 50)]).await.unwrap_err();
        assert_eq!(error.kind, Kind::Conflict, "{error}");
        assert_eq!(seen(on, name).await, [second]);
    }

    simple_beside_weighted "a simple record beside weighted ones is refused", Differs {
        how: "both stand side by side",
        why: "law R1; Route 53 API: ChangeResourceRecordSets",
    }, |on| {
        let name = "simple-beside.shop.test";
        change(on, &[], &[weighted(name, "old", 100)]).await.unwrap();
        refused(on, &[], &[simple(name, 60, "192.0.2.2")]).await;
    }

    weighted_beside_simple "a weighted record beside a simple one is refused", Differs {
        how: "both stand side by side",
        why: "law R1; Route 53 API: ChangeResourceRecordSets",
    }, |on| {
        let name = "weighted-beside.shop.test";
        change(on, &[], &[simple(name, 60, "192.0.2.2")]).await.unwrap();
        refused(on, &[], &[weighted(name, "new", 0)]).await;
    }

    all_or_nothing "a batch with one wrong change changes nothing", Same, |on| {
        let (good, gone) = ("all-or-nothing.shop.test", "gone.shop.test");
        refused(on, &[simple(gone, 60, "192.0.2.1")], &[simple(good, 60, "192.0.2.1")]).await;
        assert_eq!(seen(on, good).await, []);
    }

    there_already "a CREATE of what is there is a conflict", Same, |on| {
        let it = simple("there-already.shop.test", 60, "192.0.2.1");
        change(on, &[], std::slice::from_ref(&it)).await.unwrap();
        refused(on, &[], &[it]).await;
    }

    cname_at_the_apex "a CNAME at the apex is refused", Differs {
        how: "it is created",
        why: "law R5; Route 53 guide: resource-record-sets-choosing-alias-non-alias",
    }, |on| {
        let answer = Answer::Values(vec!["elsewhere.test".into()]);
        refused(on, &[], &[RecordSet { kind: "CNAME".into(), answer, ..simple("shop.test", 60, "") }]).await;
    }

    one_ttl "a weighted group has one TTL", Differs {
        how: "each record keeps its own",
        why: "law R5; Route 53 API: ResourceRecordSet (TTL: the same value for all of a weighted group)",
    }, |on| {
        let name = "one-ttl.shop.test";
        change(on, &[], &[weighted(name, "a", 1)]).await.unwrap();
        refused(on, &[], &[RecordSet { ttl: Some(300), ..weighted(name, "b", 1) }]).await;
    }

    alias_to_another_zone "an alias names the zone of what it points to", Differs {
        how: "any zone id is taken",
        why: "Route 53 API: AliasTarget (HostedZoneId)",
    }, |on| {
        let it = alias(on, "alias-elsewhere.shop.test");
        let Answer::Alias { name, .. } = it.answer.clone() else { panic!("{it:?}") };
        let answer = Answer::Alias { name, zone: "Z35SXDOTRQ7X7K".into(), evaluate_health: false };
        refused(on, &[], &[RecordSet { answer, ..it }]).await;
    }

    many_of_a_name "a name with many records is read whole", Same, |on| {
        let name = "many.shop.test";
        let many: Vec<_> = (0..150).map(|n| weighted(name, &format!("set-{n:03}"), 1)).collect();
        change(on, &[], &many).await.unwrap();
        assert_eq!(seen(on, name).await.len(), 150);
    }

    below "a name is read with all that is below it, and nothing beside it", Differs {
        how: "names are in another order: what stands beside a name comes between it and what is below",
        why: "Route 53 API: ListResourceRecordSets (the sort order, with its trailing dot)",
    }, |on| {
        let names = ["below.shop.test", "_x.below.shop.test", "b.a.below.shop.test", "below-not.shop.test"];
        let all: Vec<_> = names.iter().map(|name| simple(name, 60, "192.0.2.1")).collect();
        change(on, &[], &all).await.unwrap();
        let found = on.clouds.dns.below(on.zone(), "below.shop.test").await.unwrap();
        let mut found: Vec<_> = found.into_iter().map(|record| record.name).collect();
        found.sort();
        assert_eq!(found, ["_x.below.shop.test", "b.a.below.shop.test", "below.shop.test"]);
        assert_eq!(on.clouds.dns.below(on.zone(), "no.shop.test").await.unwrap(), []);
    }

    other_names "other names are neither shown nor changed", Differs {
        how: "a DELETE takes the records of other names along that have the same set identifier",
        why: "law R9; Route 53 API: ChangeResourceRecordSets",
    }, |on| {
        let (one, other) = (weighted("one.shop.test", "x", 1), weighted("other.shop.test", "x", 1));
        change(on, &[], &[one.clone(), other.clone()]).await.unwrap();
        change(on, &[one], &[]).await.unwrap();
        assert_eq!((seen(on, "one.shop.test").await.len(), seen(on, "other.shop.test").await), (0, vec![other]));
    }
}
