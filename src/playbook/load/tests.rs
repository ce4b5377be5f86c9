use super::*;

/// What is said about a playbook or a site of this text.
fn told(what: What, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.yaml");
    std::fs::write(&path, bytes).unwrap();
    let result = match what {
        What::Playbook => load_playbook(&path).map(|_| ()),
        What::Site => load_site(&path).map(|_| ()),
    };
    let told = result.map_or_else(|error| error.to_string(), |()| "accepted".into());
    told.replace(&path.display().to_string(), "file.yaml")
}

fn golden(what: What, cases: &[(&str, String)]) -> String {
    let told = |(name, text): &(&str, String)| format!("## {name}\n{}\n", told(what, text.as_bytes()));
    cases.iter().map(told).collect::<Vec<_>>().join("\n")
}

fn steps(text: &str) -> String {
    format!("playbook: p\nsteps:\n{text}")
}

#[test]
fn errors_in_steps() {
    insta::assert_snapshot!(golden(
        What::Playbook,
        &[
            ("unknown step", steps("  - static-site: {}\n  - datbase-copy: {}\n")),
            ("unknown step, far from any", steps("  - kubernetes: {}\n")),
            ("unknown parameter", steps("  - soak: { for: 7d, forr: 8d }\n")),
            ("unknown parameter of none", steps("  - static-site: { bucket: x }\n")),
            ("bare step", steps("  - database-copy: {}\n  - soak\n")),
            ("bare unknown step", steps("  - soack\n")),
            ("missing parameter", steps("  - soak: {}\n")),
            ("missing parameter, nothing", steps("  - soak:\n")),
            ("no unit", steps("  - soak:\n      for: 90\n")),
            ("unknown unit", steps("  - soak: { for: 2w }\n")),
            ("empty period", steps("  - soak: { for: }\n")),
            ("list for a period", steps("  - soak: { for: [7d] }\n")),
            ("shrinking stages", steps("  - shift-targets:\n      stages: [1, 50, 25]\n")),
            ("empty stages", steps("  - shift-targets: { stages: [] }\n")),
            ("stage out of range", steps("  - shift-targets: { stages: [10, 101] }\n")),
            ("word among stages", steps("  - shift-targets: { stages: [10, all] }\n")),
            ("one stage", steps("  - shift-targets: { stages: 100 }\n")),
            ("percent", steps("  - shift-targets: { stages: [10%] }\n")),
            ("unknown word", steps("  - dns-weights: { of: page }\n")),
            ("ttl with unit", steps("  - dns-weights: { of: api, ttl: 60s }\n")),
            ("two keys", steps("  - static-site: {}\n    app-host: {}\n")),
            ("two keys by indentation", steps("  - soak:\n    for: 7d\n")),
            ("a list", steps("  - [static-site]\n")),
        ]
    ));
}

#[test]
fn errors_in_the_file() {
    insta::assert_snapshot!(golden(
        What::Playbook,
        &[
            ("empty", String::new()),
            ("comments only", "# later\n\n".into()),
            ("prose", "just text".into()),
            ("a list", "- a\n- b\n".into()),
            ("wrong key", "playbook: p\nstep: []\n".into()),
            ("missing key", "playbook: p\n".into()),
            ("duplicate key", "playbook: p\nsteps: []\non-failure: hold\nsteps: []\n".into()),
            ("duplicate parameter", steps("  - soak:\n      for: 7d\n  - soak:\n      for: 8d\n      for: 9d\n")),
            ("unknown word", "playbook: p\non-failure: rollback\nsteps: []\n".into()),
            ("steps no list", "playbook: p\nsteps: {}\n".into()),
            ("steps nothing", "playbook: p\nsteps:\n".into()),
            ("name nothing", "playbook:\nsteps: []\n".into()),
            ("tab", "playbook: p\nsteps:\n\t- static-site: {}\n".into()),
            ("open bracket", steps("  - soak: { for: 7d\n")),
            ("open quote", "playbook: \"p\nsteps: []\n".into()),
            ("colon in text", "playbook: p\nabout: one: two\nsteps: []\n".into()),
            ("odd indentation", "playbook: p\n  steps: []\n".into()),
            ("at sign", "playbook: @p\nsteps: []\n".into()),
            ("alias", "playbook: *p\nsteps: []\n".into()),
            ("two documents", "playbook: p\nsteps: []\n---\nplaybook: q\nsteps: []\n".into()),
            ("Windows line ends and Korean", "playbook: 이사\r\nabout: 쇼핑몰을 옮긴다\r\nstaps: []\r\n".into()),
        ]
    ));
}

#[test]
fn errors_in_a_site() {
    let site = include_str!("../testdata/site.yaml");
    let with = |from: &str, to: &str| {
        assert!(site.contains(from), "the fixture holds no {from}");
        site.replacen(from, to, 1)
    };
    insta::assert_snapshot!(golden(
        What::Site,
        &[
            ("as it should be", site.to_owned()),
            ("plain password", with("env:SHOP_ADMIN_PASSWORD", "hunter2")),
            (
                "password in a block",
                with("admin: {", "admin:\n      user: x\n      password: |\n        hunter2\n      more: {")
            ),
            ("wrong password key", with("password: env:SHOP_ADMIN_PASSWORD", "passwort: hunter2")),
            ("engine", with("unix:///var/run/docker.sock", "docker.sock")),
            ("address", with("172.30.0.10", "box.shop.test")),
            ("port", with("8000", "80000")),
            ("port as a word", with("8000", "http")),
            ("base", with("https://box.shop.test/api", "box.shop.test/api")),
            ("protocol", with("  health:", "  listen: { protocol: tcp, port: 443 }\n  health:")),
            ("wrong key", with("api-base:", "api_base:")),
            ("missing key", with("  proxy: demo-proxy\n", "")),
            ("missing section", site.split("aws:").next().unwrap().to_owned()),
            ("missing key of an entry", with("      address: 172.31.0.21\n", "")),
            ("one host instead of a list", with("pages: [www.shop.test]", "pages: www.shop.test")),
            ("blanks", with("address: 172.30.0.10", "address: ???").replace("region: ap-northeast-2", "region: ???")),
            ("a playbook", "playbook: p\nsteps: []\n".into()),
        ]
    ));
}

#[test]
fn no_error_shows_a_password() {
    let site = include_str!("../testdata/site.yaml");
    for text in [
        site.replace("env:SHOP_ADMIN_PASSWORD", "hunter2"),
        site.replace("env:SHOP_ADMIN_PASSWORD", "\"hunter2\""),
        site.replace("password: env:SHOP_ADMIN_PASSWORD }", "password: [hunter2] }"),
        site.replace("user: postgres, password: env:SHOP_ADMIN_PASSWORD", "password: hunter2, user: [x]"),
        site.replace("admin: {", "admin:\n      password: >-\n        hunter2\n      usr: {"),
        site.replace("admin: {", "admin:\n      password:\n        hunter2\n      usr: {"),
        site.replace("password: env:SHOP_ADMIN_PASSWORD", "pasword: hunter2"),
        site.replace("env:SHOP_ADMIN_PASSWORD", "hunter2: hunter2"),
        site.replace("env:SHOP_ADMIN_PASSWORD", "{ hunter2"),
    ] {
        let told = told(What::Site, text.as_bytes());
        assert!(told.starts_with("error:") && !told.contains("hunter2"), "{text}\n{told}");
    }
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    insta::assert_snapshot!(told(What::Site, b"site: shop\n# \xbc\xee\xc7\xce\xb8\xf4\n"));
    let long = vec![b'a'; 2 << 20];
    assert!(told(What::Site, &long).contains("too long"));
}

#[test]
fn what_is_not_there_is_refused() {
    let gone = load_site(Path::new("nowhere/site.yaml")).unwrap_err().to_string();
    insta::assert_snapshot!(gone);
    assert!(load_site(Path::new("/")).is_err());
    assert!(load_site(Path::new("canary")).is_err(), "a playbook that comes along is no site");
    insta::assert_snapshot!(load_playbook(Path::new("canari")).unwrap_err().to_string());
}

#[test]
fn the_playbooks_that_come_along_are_there_by_name() {
    for (name, _) in BUILT_IN {
        let (playbook, source) = load_playbook(Path::new(name)).unwrap();
        assert_eq!((playbook.playbook.as_str(), source.path()), (name, name));
    }
}

#[test]
fn a_site_is_told_from_a_playbook() {
    let dir = tempfile::tempdir().unwrap();
    for (text, what) in [
        (include_str!("../testdata/site.yaml"), Some(What::Site)),
        ("steps: [\n", Some(What::Playbook)),
        ("a: b\n", None),
    ] {
        let path = dir.path().join("x.yaml");
        std::fs::write(&path, text).unwrap();
        assert_eq!(tell(&path).unwrap(), what, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic(text in "[-a-z:\\[\\]{}&*!|>'\" \t\r\n#,?한0-9]{0,80}") {
        told(What::Playbook, text.as_bytes());
        told(What::Site, format!("site: x\nbox:\n  {text}").as_bytes());
    }

    #[test]
    fn any_cut_of_a_file_gets_an_error(at in 0_usize..900) {
        let site = include_str!("../testdata/site.yaml");
        let cut = &site[..at.min(site.len() - 40)];
        assert!(told(What::Site, cut.as_bytes()).starts_with("error:"));
    }
}
