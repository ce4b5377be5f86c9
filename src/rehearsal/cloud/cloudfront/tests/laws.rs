//! The laws a distribution is held to, broken one by one.

use super::*;

#[test]
fn law_c1_the_certificate_is_in_us_east_1_issued_and_covers_every_alias() {
    let here = Here::new();
    let access = here.access_control("pages");
    let good = here.certificate("us-east-1", "ISSUED", &["shop.test", "*.shop.test"]);
    let refused = |config: &Node, law: Option<Law>| {
        let error = here.ask("CreateDistribution", config).err().unwrap();
        assert_eq!((error.code, error.law), ("InvalidViewerCertificate", law), "{error}");
    };
    let bare = config(&access).with(counted("Aliases", "CNAME", [Node::leaf("CNAME", "www.shop.test")]));
    refused(&bare, Some(Law::C1));
    for (region, status, names) in [
        ("ap-northeast-2", "ISSUED", ["www.shop.test"]),
        ("us-east-1", "PENDING_VALIDATION", ["www.shop.test"]),
        ("us-east-1", "ISSUED", ["api.shop.test"]),
    ] {
        let arn = here.certificate(region, status, &names);
        refused(&aliased(config(&access), &["www.shop.test"], &arn), Some(Law::C1));
    }
    refused(
        &aliased(config(&access), &["www.shop.test"], "arn:aws:acm:us-east-1:000000000000:certificate/none"),
        Some(Law::C1),
    );
    refused(&aliased(config(&access), &["www.shop.test", "a.b.shop.test"], &good), Some(Law::C1));
    here.distribution(&aliased(config(&access), &["www.shop.test", "shop.test"], &good));
}

#[test]
fn law_c4_an_alias_belongs_to_one_distribution() {
    let here = Here::new();
    let access = here.access_control("pages");
    let certificate = here.certificate("us-east-1", "ISSUED", &["*.shop.test"]);
    let with = |aliases: &[&str]| aliased(config(&access), aliases, &certificate);
    let holder = here.distribution(&with(&["www.shop.test"]));
    let refused = here.ask("CreateDistribution", &with(&["WWW.shop.test"])).err().unwrap();
    assert_eq!((refused.code, refused.status, refused.law), ("CNAMEAlreadyExists", 409, Some(Law::C4)));
    let other = here.distribution(&with(&["img.shop.test"]));
    let etag = here.etag("GetDistribution", &named(&other));
    let mut moved = here.does("GetDistributionConfig", &named(&other));
    set(&mut moved, "", counted("Aliases", "CNAME", [Node::leaf("CNAME", "www.shop.test")]));
    assert_eq!(here.code("UpdateDistribution", &moved.put("Id", &other).put("IfMatch", etag)), "CNAMEAlreadyExists");

    let asked = Node::default().put("DistributionId", &other).put("Alias", "www.shop.test");
    let conflicts = here.does("ListConflictingAliases", &asked);
    let found = conflicts.items("Items").next().unwrap();
    assert_eq!(found.get("Alias"), Some("www.shop.test"));
    assert!(found.get("DistributionId").unwrap().ends_with(&holder[7..]), "half of the id is told");
    let free = Node::default().put("DistributionId", &other).put("Alias", "new.shop.test");
    assert_eq!(here.does("ListConflictingAliases", &free).get("Quantity"), Some("0"));
    let none = Node::default().put("DistributionId", "E0").put("Alias", "new.shop.test");
    assert_eq!(here.code("ListConflictingAliases", &none), "NoSuchDistribution");
}

#[test]
fn law_c6_invalidations_are_limited_while_they_are_in_flight() {
    let here = Here::new();
    let access = here.access_control("pages");
    let id = here.distribution(&config(&access));
    let batch = |paths: &[String], reference: &str| {
        let paths = counted("Paths", "Path", paths.iter().map(|p| Node::leaf("Path", p)));
        Node::new("InvalidationBatch").with(paths).put("CallerReference", reference).put("DistributionId", &id)
    };
    let many = |n: usize, end: &str| (0..n).map(|i| format!("/a/{i}{end}")).collect::<Vec<_>>();
    let first = here.does("CreateInvalidation", &batch(&many(3000, ""), "first"));
    assert_eq!(first.get("Status"), Some("InProgress"));
    let again = here.does("CreateInvalidation", &batch(&many(3000, ""), "first"));
    assert_eq!(again.get("Id"), first.get("Id"), "the same request again");
    let one = batch(&many(1, ""), "second");
    let refused = here.ask("CreateInvalidation", &one).err().unwrap();
    assert_eq!((refused.code, refused.law), ("TooManyInvalidationsInProgress", Some(Law::C6)));
    here.clock.advance(Duration::from_mins(2));
    let asked = Node::default().put("DistributionId", &id).put("Id", first.get("Id").unwrap());
    assert_eq!(here.does("GetInvalidation", &asked).get("Status"), Some("Completed"));
    here.does("CreateInvalidation", &one);
    here.does("CreateInvalidation", &batch(&many(15, "*"), "stars"));
    assert_eq!(here.code("CreateInvalidation", &batch(&many(1, "*"), "a star")), "TooManyInvalidationsInProgress");
    for wrong in ["no-slash", "/a*b", "/a b"] {
        assert_eq!(here.code("CreateInvalidation", &batch(&[wrong.to_owned()], wrong)), "InvalidArgument", "{wrong}");
    }
    assert_eq!(here.code("CreateInvalidation", &batch(&[], "none")), "InvalidArgument");
    let listed = here.does("ListInvalidations", &Node::default().put("DistributionId", &id));
    assert_eq!(listed.get("Quantity"), Some("3"));
    let flying = here.does("GetDistribution", &named(&id));
    assert_eq!(flying.get("InProgressInvalidationBatches"), Some("2"));
}
