use std::collections::BTreeMap;

use super::*;
use crate::clients::hosts::{Attachment, Container};
use crate::playbook::load;
use crate::rewrite::nginx;

fn container(name: &str, image: &str, alias: &str, env: &[(&str, &str)]) -> Container {
    Container {
        id: format!("id-{name}"),
        name: name.into(),
        image: image.into(),
        image_id: String::new(),
        running: true,
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        entrypoint: None,
        command: None,
        workdir: String::new(),
        user: String::new(),
        labels: BTreeMap::new(),
        ports: Vec::new(),
        mounts: Vec::new(),
        networks: vec![Attachment {
            network: "shop".into(),
            aliases: vec![alias.into()],
            address: "172.30.0.10".into(),
        }],
        restart: "no".into(),
        hostname: name.into(),
        unmodelled: Vec::new(),
        rest: serde_json::Value::Null,
    }
}

fn seen(container: Container, nginx_conf: &str) -> Seen {
    let tree = nginx::parse("/etc/nginx/conf.d/site.conf", nginx_conf).unwrap();
    Seen { container, servers: nginx::servers(&tree), unread: None }
}

const PROXY: &str = "
upstream pages { server web:80; }
server { listen 80 default_server; server_name _; return 301 https://$host$request_uri; }
server {
    listen 443 ssl;
    server_name www.shop.test api.shop.test box.shop.test;
    ssl_certificate /etc/nginx/tls/site.pem;
    set $app was;
    location /api/ { proxy_pass http://$app:8000; }
    location = /healthz { proxy_pass http://$app:8000; }
    location / { proxy_pass http://pages; }
}";

fn demo() -> Vec<Seen> {
    let app = [("DB_NAME", "shop"), ("DB_PASSWORD", "shop-secret"), ("CONFIG", "/app/config.yaml")];
    vec![
        seen(container("demo-db", "postgres:15", "db", &[("POSTGRES_PASSWORD", "postgres-secret")]), ""),
        seen(container("demo-proxy", "outgrow-demo/proxy", "proxy", &[]), PROXY),
        seen(container("demo-was", "outgrow-demo/was", "was", &app), ""),
        seen(
            container("demo-web", "outgrow-demo/web", "web", &[]),
            "server { listen 80; root /usr/share/nginx/html; location / { try_files $uri =404; } }",
        ),
    ]
}

fn engine() -> EngineAddress {
    "unix:///var/run/docker.sock".parse().unwrap()
}

fn load_text(text: &str) -> Result<crate::site::Site, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("site.yaml");
    std::fs::write(&path, text).unwrap();
    load::load_site(&path).map(|(site, _)| site).map_err(|error| error.to_string())
}

#[test]
fn the_demo_box_is_drafted_with_a_reason_for_every_guess() {
    insta::assert_snapshot!(draft(&guess(&demo(), &engine())));
}

#[test]
fn a_draft_is_refused_for_its_blanks_alone_and_accepted_once_they_are_filled_in() {
    assert_eq!(draft::BLANK, load::BLANK);
    for boxes in [demo(), Vec::new()] {
        let text = draft(&guess(&boxes, &engine()));
        let refused = load_text(&text).unwrap_err();
        let errors = refused.matches("error: ").count();
        assert!(errors > 5 && errors == refused.matches("is still a blank").count(), "{refused}");
        let filled: Vec<String> = text.lines().map(fill).collect();
        load_text(&filled.join("\n")).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

/// What a person would write for a blank.
fn fill(line: &str) -> String {
    let value = match line.trim_start().split(':').next().unwrap_or_default() {
        "engine" => "ssh://root@10.0.1.10",
        "address" => "10.0.1.10",
        "port" => "8000",
        "old" | "new" => "https://api.shop.test/api",
        _ => "something",
    };
    if line.trim_start().starts_with('#') { line.to_owned() } else { line.replace("???", value) }
}

#[test]
fn no_secret_of_a_container_stands_in_the_draft() {
    let text = draft(&guess(&demo(), &engine()));
    assert!(!text.contains("shop-secret") && !text.contains("postgres-secret"), "{text}");
}

#[test]
fn what_stands_in_a_definition_cannot_break_the_file() {
    let mut boxes = demo();
    boxes[0].container.name = "x\nsite: evil # ".into();
    boxes[2].container.env[0].1 = "a: [b] \"c\"".into();
    boxes[1].unread = Some("line 1:\nsite: evil".into());
    let text = draft(&guess(&boxes, &engine()));
    let site = load_text(&text.lines().map(fill).collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(site.old.database.container, "x\nsite: evil # ");
    assert_eq!(site.old.database.name, "a: [b] \"c\"");
    assert_eq!(site.site, "shop");
}

#[test]
fn the_zone_is_what_names_share_and_somebody_owns() {
    for (names, zone) in [
        ("www.shop.com", Some("shop.com")),
        ("shop.com", Some("shop.com")),
        ("www.shop.co.kr api.shop.co.kr", Some("shop.co.kr")),
        ("a.co.kr b.co.kr", None),
        ("a.com b.org", None),
        ("_", None),
    ] {
        let mut boxes = demo();
        let proxy = PROXY.replace("www.shop.test api.shop.test box.shop.test", names);
        boxes[1] = seen(container("demo-proxy", "x", "proxy", &[]), &proxy);
        assert_eq!(guess(&boxes, &engine()).zone.value.as_deref(), zone, "{names}");
    }
}

#[test]
fn two_databases_are_not_guessed_between() {
    let mut boxes = demo();
    boxes.push(seen(container("other-db", "postgis/postgis:15", "gis", &[]), ""));
    let found = guess(&boxes, &engine());
    assert_eq!(found.database.value, None);
    assert!(found.database.why.contains("demo-db, other-db"));
}

#[test]
fn a_proxy_that_serves_the_pages_itself_is_also_the_web_container() {
    let proxy = "server { listen 443 ssl; server_name shop.co.kr; root /pages;
        location /api/ { proxy_pass http://127.0.0.1:9/; } location /rest/ { proxy_pass http://was:8080; } }";
    let boxes =
        vec![seen(container("front", "nginx", "front", &[]), proxy), seen(container("was", "java", "was", &[]), "")];
    let found = guess(&boxes, &"ssh://root@203.0.113.9:2222".parse().unwrap());
    let values = [&found.proxy, &found.web, &found.root, &found.app, &found.port, &found.address];
    let values: Vec<_> = values.iter().map(|guess| guess.value.as_deref().unwrap_or("-")).collect();
    assert_eq!(values, ["front", "front", "/pages", "was", "8080", "203.0.113.9"]);
    assert_eq!((found.prefix.as_str(), found.zone.value.as_deref()), ("/rest", Some("shop.co.kr")));
}
