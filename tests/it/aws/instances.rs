//! STS and RDS.

use super::Moto::Same;
use super::table::rows;

rows! {
    identity "the identity tells whose account it is", Same, |on| {
        let identity = on.clouds.identity().await.unwrap();
        assert!(identity.account.len() == 12 && identity.arn.starts_with("arn:aws:"), "{identity:?}");
    }

    instance "an instance is found, with its version and master", Same, |on| {
        let found = on.clouds.instances.instance("shop-db").await.unwrap().unwrap();
        assert_eq!((found.status.as_str(), found.port, found.master.as_str()), ("available", 5432, "owner"));
        assert_eq!(found.version, "15.18");
    }

    no_instance "an instance that is not there is none, and no error", Same, |on| {
        assert!(on.clouds.instances.instance("other").await.unwrap().is_none());
    }
}
