//! What the world offers over the wire: AWS, a new host, a database instance.

use outgrow::clients::aws::{Access, Clouds};
use outgrow::clients::dns::Answer;
use outgrow::clients::docker;
use outgrow::clients::postgres::{Endpoint, Error, Tls, Transport};
use outgrow::rehearsal::world::Ready;

use super::ZONE;

/// Zone, balancer, bucket and instance, seen by the AWS SDK.
pub async fn are_as_a_site_has_them(ready: &Ready) {
    let clouds = Clouds::connect(&Access {
        region: ready.region.clone(),
        endpoint: Some(ready.aws_endpoint.clone()),
        credentials: Some((ready.access_key.clone(), ready.secret_key.clone().into())),
    })
    .await;
    let zone = clouds.dns.zone(ZONE).await.unwrap();
    assert_eq!(zone.id, ready.zone);
    for name in ["www.shop.test", "api.shop.test", "box.shop.test"] {
        let records = clouds.dns.records(&zone.id, name).await.unwrap();
        assert_eq!(records.len(), 1, "{name}");
        assert_eq!((records[0].kind.as_str(), records[0].ttl, records[0].weighted.is_none()), ("A", Some(300), true));
        assert_eq!(records[0].answer, Answer::Values(vec![ready.copy.address.to_string()]));
    }
    let balancer = clouds.balancer.balancer("shop").await.unwrap();
    assert_eq!(balancer.dns_name, ready.balancer);
    let mut ports: Vec<u16> = balancer.listeners.iter().map(|l| l.port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [80, 443]);
    let bucket = clouds.objects.bucket("shop-pages").await.unwrap().expect("the bucket is there");
    assert!(bucket.blocks_public);
    assert!(bucket.policy.unwrap().contains("cloudfront.amazonaws.com"));
    let instance = clouds.instances.instance("shop-db").await.unwrap().expect("the instance is there");
    assert_eq!(
        (instance.status.as_str(), instance.host, instance.port),
        ("available", ready.database.host.clone(), 5432)
    );
    assert!(instance.version.starts_with("15."), "{}", instance.version);
}

/// The new host's engine answers to its client's certificate, and to nobody without one.
pub async fn host_answers(ready: &Ready) {
    let host = &ready.hosts[0];
    let engine = docker::connect(&host.engine).await.unwrap();
    assert_eq!(engine.containers().await.unwrap(), []);
    let bare = std::process::Command::new("docker")
        .args(["--tls", "-H", &format!("tcp://{}:2376", host.address), "version"])
        .output()
        .unwrap();
    assert!(!bare.status.success());
}

/// By TLS only, with a certificate for the endpoint's name, and no superuser.
pub async fn database_is_as_on_rds(ready: &Ready) {
    let database = &ready.database;
    assert_eq!(ready.resolve[&database.host], database.ip);
    let authority = std::fs::read_to_string(&ready.ca_files[0]).unwrap();
    let endpoint = Endpoint {
        transport: Transport::tcp(database.ip.to_string(), database.port),
        user: database.master.clone(),
        password: std::fs::read_to_string(&database.master_password_file).unwrap().trim().to_owned().into(),
        database: "postgres".into(),
        tls: Tls::Require,
    };
    let session = endpoint.connect().await.unwrap();
    let role =
        "SELECT rolsuper::text || rolcreatedb::text || rolcreaterole::text FROM pg_roles WHERE rolname = current_user";
    assert_eq!(session.value::<String>(role, &[]).await.unwrap(), "falsetruetrue");
    let member = "SELECT pg_has_role('rds_superuser', 'USAGE') AND pg_has_role('rds_replication', 'USAGE')";
    assert!(session.value::<bool>(member, &[]).await.unwrap());
    session.close();
    let plain = Endpoint { tls: Tls::Disable, ..endpoint.clone() }.connect().await;
    assert!(matches!(plain, Err(Error::Connect { code: Some(code), .. }) if code == "28000"));
    // The machine does not know the endpoint's name, so the address is asked for: the certificate is not for that.
    let by_address = Endpoint { tls: Tls::VerifyFull(authority), ..endpoint };
    assert!(by_address.connect().await.unwrap_err().to_string().to_lowercase().contains("certificate"));
    let (host, port, address) = (database.host.clone(), database.port, Some(database.ip));
    let by_name = Endpoint { transport: Transport::Tcp { host, port, address }, ..by_address };
    by_name.connect().await.unwrap().close();
    by_name.wire().await.unwrap().close().await;
}
