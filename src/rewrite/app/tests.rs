//! Whole plans over small configurations.

use super::*;

fn shop(new_port: u16) -> Database {
    Database {
        old: OldAddress {
            hosts: vec!["db".into(), "172.18.0.4".into()],
            port: 5432,
            name: "shop".into(),
            user: "shop".into(),
        },
        new: NewAddress {
            host: "rds.shop.test".into(),
            port: new_port,
            name: "shop".into(),
            sslmode: Some("require".into()),
        },
    }
}

fn planned(env: &[(&str, &str)], files: &[(&str, &str)], database: &Database) -> Outcome {
    let own =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    let origins = ["https://www.shop.test".to_owned()];
    let outcome =
        plan(Search { env: &own(env), files: &own(files), database: Some(database), origins: &origins }).unwrap();
    let (Outcome::Planned(p) | Outcome::NoneFound(p)) = &outcome;
    let seen = format!("{outcome:?} {:?} {:?}", p.env.iter().map(|e| &e.lines).collect::<Vec<_>>(), p.notes);
    assert!(!seen.contains("s3cret"), "a password shows: {seen}");
    outcome
}

/// The new value of the one variable.
fn one(value: &str, database: &Database) -> String {
    match planned(&[("X", value)], &[], database) {
        Outcome::Planned(plan) => plan.env[0].new.clone(),
        Outcome::NoneFound(plan) => panic!("not found in {value}: {:?}", plan.notes),
    }
}

#[test]
fn every_form_of_address_is_turned() {
    for (old, new) in [
        ("postgres://shop:s3cret%40@db:5432/shop", "postgres://shop:s3cret%40@rds.shop.test:5432/shop?sslmode=require"),
        ("postgresql://shop:s3c@ret@DB/shop?a=b", "postgresql://shop:s3c@ret@rds.shop.test/shop?a=b&sslmode=require"),
        (
            "jdbc:postgresql://172.18.0.4:5432/shop?user=u&password=s3cret&sslmode=prefer",
            "jdbc:postgresql://rds.shop.test:5432/shop?user=u&password=s3cret&sslmode=require",
        ),
        (
            "postgresql+psycopg2://shop@db/shop?sslmode=verify-full",
            "postgresql+psycopg2://shop@rds.shop.test/shop?sslmode=verify-full",
        ),
        ("postgresql+asyncpg://shop:s3cret@db/shop", "postgresql+asyncpg://shop:s3cret@rds.shop.test/shop?ssl=require"),
        (
            "${DB_URL:jdbc:postgresql://db:5432/shop}",
            "${DB_URL:jdbc:postgresql://rds.shop.test:5432/shop?sslmode=require}",
        ),
        (
            "jdbc:postgresql://${H:db}:${P:5432}/${N:shop}",
            "jdbc:postgresql://${H:rds.shop.test}:${P:5432}/${N:shop}?sslmode=require",
        ),
        ("postgres:///shop?host=db&port=5432", "postgres:///shop?host=rds.shop.test&port=5432&sslmode=require"),
        ("-d 'postgres://u:s3cret@db/shop' -v", "-d 'postgres://u:s3cret@rds.shop.test/shop?sslmode=require' -v"),
        (
            "host=db port=5432 dbname=shop password='s3 cret' sslmode=disable",
            "host=rds.shop.test port=5432 dbname=shop password='s3 cret' sslmode=require",
        ),
        (
            "Host=db;Port=5432;Database=shop;Password=s3cret;SSL Mode=Prefer",
            "Host=rds.shop.test;Port=5432;Database=shop;Password=s3cret;SSL Mode=Require",
        ),
    ] {
        assert_eq!(one(old, &shop(5432)), new);
    }
    assert_eq!(
        one("postgres://u:s3cret@db/shop", &shop(6432)),
        "postgres://u:s3cret@rds.shop.test:6432/shop?sslmode=require"
    );
    assert_eq!(
        one("postgres://u@db:5432,172.18.0.4:5432/shop", &shop(5432)),
        "postgres://u@rds.shop.test:5432/shop?sslmode=require"
    );
    assert_eq!(one("host=db dbname=shop", &shop(6432)), "host=rds.shop.test port=6432 dbname=shop");
}

#[test]
fn what_is_not_the_database_is_left() {
    for value in [
        "postgres://u:s3cret@db:5433/shop",
        "postgres://u:s3cret@db/other",
        "mysql://u:s3cret@db/shop",
        "http://db:5432/shop",
        "postgres://u:s3cret@mydb/shop",
        "postgres://u:s3cret@db.example.org/shop",
        "postgres://u:s3cret@db,replica/shop",
        "${DATABASE_URL}",
        "redis://db:6379",
        "postgres://u:s3cr/et@db:5432/shop",
    ] {
        let outcome = planned(&[("X", value)], &[], &shop(5432));
        let Outcome::NoneFound(plan) = outcome else { panic!("{value} was turned") };
        assert!(plan.env.is_empty());
        assert_eq!(plan.searched, ["environment (1 variables)"]);
    }
}

#[test]
fn keys_of_their_own() {
    let env = [
        ("DB_HOST", "db"),
        ("DB_PORT", "5432"),
        ("DB_NAME", "shop"),
        ("DB_PASSWORD", "s3cret"),
        ("DB_SSLMODE", "disable"),
        ("REDIS_HOST", "db"),
        ("REPORT_DB_HOST", "db"),
        ("REPORT_DB_NAME", "reports"),
        ("CORS_ORIGINS", "https://box.shop.test"),
        ("PGHOST", "${X:-172.18.0.4}"),
    ];
    let Outcome::Planned(plan) = planned(&env, &[], &shop(6432)) else { panic!("not found") };
    let new: Vec<_> = plan.env.iter().map(|e| (e.key.as_str(), e.new.as_str())).collect();
    assert_eq!(
        new,
        [
            ("DB_HOST", "rds.shop.test"),
            ("DB_PORT", "6432"),
            ("DB_SSLMODE", "require"),
            ("CORS_ORIGINS", "https://box.shop.test,https://www.shop.test"),
            ("PGHOST", "${X:-rds.shop.test}"),
        ]
    );
    assert!(plan.notes.iter().any(|n| n.starts_with("REDIS_HOST:")), "{:?}", plan.notes);
    assert!(plan.notes.iter().any(|n| n.starts_with("REPORT_DB_HOST:") && n.contains("reports")), "{:?}", plan.notes);
    assert!(plan.notes.iter().any(|n| n.starts_with("PGHOST:") && n.contains("6432")), "{:?}", plan.notes);
}

#[test]
fn files_change_by_the_addresses_only() {
    let yaml = "spring:\n  datasource: # main\n    url: \"jdbc:postgresql://db:5432/shop\" # old\n    password: s3cret\n\
                database:\n  host: 'db'\n  port: 5432\n  name: shop\ncors:\n  allowed-origins:\n    - https://box.shop.test # us\n";
    let toml = "[db]\r\nhost = \"db\" # x\r\nport = 5432\r\n[cors]\r\nallowed_origins = [\"https://a.test\"]";
    let json = "{\"db\": {\"url\": \"postgres:\\/\\/shop:s3\\u0063ret@db\\/shop\"}, \"cors\": {\"origins\": [\"*\"]}}";
    let properties =
        "# s3cret\ndb.url = jdbc\\:postgresql\\://db\\:5432/shop\ncors.allowed-origins[0]=https://a.test\n";
    let files = [
        ("application.yml", yaml),
        ("c.toml", toml),
        ("c.json", json),
        ("c.properties", properties),
        ("nginx.conf", "a {\nb;\n}"),
    ];
    let Outcome::Planned(plan) = planned(&[], &files, &shop(5432)) else { panic!("not found") };
    let new: Vec<&str> = plan.files.iter().map(|f| f.new_text.as_str()).collect();
    let turned = yaml
        .replace("//db:5432/shop", "//rds.shop.test:5432/shop?sslmode=require")
        .replace("'db'", "'rds.shop.test'")
        .replace("# us\n", "# us\n    - https://www.shop.test\n");
    assert_eq!(new[0], turned);
    assert_eq!(
        new[1],
        toml.replace("\"db\"", "\"rds.shop.test\"").replace("a.test\"", "a.test\", \"https://www.shop.test\"")
    );
    assert_eq!(new[2], json.replace("@db\\/shop", "@rds.shop.test\\/shop?sslmode=require"));
    assert_eq!(
        new[3],
        properties
            .replace("//db\\:5432/shop", "//rds.shop.test\\:5432/shop?sslmode=require")
            .replace("https://a.test\n", "https://a.test\ncors.allowed-origins[1]=https://www.shop.test\n")
    );
    assert!(
        plan.files[0].lines[0]
            .starts_with("application.yml:3 spring.datasource.url: jdbc:postgresql://db:5432/shop → ")
    );
    assert_eq!(
        plan.files[2].lines,
        ["c.json:1 db.url: postgres://shop:•••@db/shop → postgres://shop:•••@rds.shop.test/shop?sslmode=require"]
    );
    assert!(
        plan.notes.iter().any(|n| n.contains("nginx.conf")) && plan.notes.iter().any(|n| n.contains("(*)")),
        "{:?}",
        plan.notes
    );

    // a second plan over the result finds nothing left to do
    let again: Vec<(&str, &str)> = plan.files.iter().map(|f| (f.path.as_str(), f.new_text.as_str())).collect();
    let Outcome::NoneFound(rest) = planned(&[], &again, &shop(5432)) else { panic!("found again") };
    assert!(rest.files.is_empty(), "{:?}", rest.files);
}

#[test]
fn an_empty_list_takes_the_origins() {
    let files = [("db.yaml", "db: { host: db }\ncors:\n  origins: [] # none yet\n")];
    let Outcome::Planned(plan) = planned(&[], &files, &shop(5432)) else { panic!("not found") };
    let want = "db: { host: rds.shop.test }\ncors:\n  origins: [\"https://www.shop.test\"] # none yet\n";
    assert_eq!(plan.files[0].new_text, want);
}

#[test]
fn a_broken_file_is_named_without_its_text() {
    let files = [("etc/app.toml".to_owned(), "a = 1\npassword = \"s3cret\n".to_owned())];
    let error = plan(Search { env: &[], files: &files, database: Some(&shop(5432)), origins: &[] }).unwrap_err();
    assert!(error.to_string().starts_with("etc/app.toml: not readable as TOML at line 2"), "{error}");
    assert!(!error.to_string().contains("s3cret"));
}
