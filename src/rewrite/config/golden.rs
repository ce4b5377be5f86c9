//! Small fixtures for each format: what is found, and what an edit leaves alone.

use super::*;

/// Edits one key and checks that the result is the text with exactly `from` replaced by `to`, once.
fn golden(format: Format, text: &str, key: &str, new: &str, from: &str, to: &str) {
    assert_eq!(text.matches(from).count(), 1, "the fixture must hold {from:?} once");
    let out = edit(text, format, &[Edit { key: key.into(), new: new.into() }]).unwrap_or_else(|e| panic!("{key}: {e}"));
    assert_eq!(out, text.replace(from, to), "{key}");
}

fn says(format: Format, text: &str, key: &str) -> String {
    let all = values(text, format).unwrap();
    let found = all.iter().find(|f| f.path == key).unwrap_or_else(|| panic!("no {key} in {all:?}"));
    found.value.clone()
}

const ENV: &str = "\u{feff}# database\r\nDB_HOST=db   # the box\r\nexport DB_URL=\"postgres://shop:p\\\"w$x@db:5432/shop\"\r\n\
                   SINGLE='a b'  # c\r\n  SPACED = x y\r\nPASS_ON\r\nEMPTY=\r\nHASH=a#b\r\nMULTI=\"one\r\ntwo\"\r\nLAST=z";

#[test]
fn env() {
    use Format::Env;
    golden(Env, ENV, "DB_HOST", "rds.example", "DB_HOST=db ", "DB_HOST=rds.example ");
    golden(Env, ENV, "DB_URL", "postgres://shop:p\"w$x@rds:5432/shop", "@db:", "@rds:");
    golden(Env, ENV, "SINGLE", "a \"c\"", "'a b'", "'a \"c\"'");
    golden(Env, ENV, "SPACED", "x z", "x y", "x z");
    golden(Env, ENV, "EMPTY", "full", "EMPTY=", "EMPTY=full");
    golden(Env, ENV, "HASH", "two words", "a#b", "'two words'");
    golden(Env, ENV, "LAST", "", "LAST=z", "LAST=");
    assert_eq!(says(Env, ENV, "HASH"), "a#b");
    assert_eq!(says(Env, ENV, "MULTI"), "one\r\ntwo");
    golden(Env, ENV, "MULTI", "one\r\nthree", "two", "three");
    golden(Env, "export U=a\n", "U", "a&b", "=a", "='a&b'");
    golden(Env, "U=a\n", "U", "a&b", "=a", "=a&b");
}

const PROPERTIES: &str = "! old\n# c = d\nspring.datasource.url=jdbc:postgresql://db:5432/shop\ndb.host : db\nname value here\n\
    long = one, \\\n    two, \\\n    three\nescaped\\ key = a\\:b\\\\c\nkorean=\\uD55C\\uAE00 x\norigins[0]=https://a\nlast=1";

#[test]
fn properties() {
    use Format::Properties;
    golden(Properties, PROPERTIES, "spring.datasource.url", "jdbc:postgresql://rds:5432/shop", "//db:", "//rds:");
    golden(Properties, PROPERTIES, "db.host", "rds", "host : db", "host : rds");
    golden(Properties, PROPERTIES, "name", "value there", "value here", "value there");
    golden(Properties, PROPERTIES, "long", "one, 2, three", "two", "2");
    golden(Properties, PROPERTIES, "escaped key", "a:b\\d", "a\\:b\\\\c", "a\\:b\\\\d");
    golden(Properties, PROPERTIES, "korean", "한글 y", " x", " y");
    golden(Properties, PROPERTIES, "korean", "한굴 x", "\\uAE00", "\\uad74");
    assert_eq!(says(Properties, PROPERTIES, "long"), "one, two, three");
    let longer = append(PROPERTIES, Properties, "origins", "https://b").unwrap();
    assert_eq!(longer, PROPERTIES.replace("https://a\n", "https://a\norigins[1]=https://b\n"));
}

const YAML: &str = "# top\nspring:\n  datasource: # here\n    url: jdbc:postgresql://db:5432/shop   # keep\n    \
    username: 'it''s'\n    port: 5432\n  \"jpa.show\": \"a\\tb \\u00e9\"\nspring.redis.host: cache\n\
    flow: { host: db, list: [ a, \"b\" ], none: [] }\nblock: |\n  first\n  url=postgres://u:p@db/shop\n  last\n\
    folded: >-\n  one\n  host=db more\nbase: &base\n  host: &h db\ncopy:\n  <<: *base\n  again: *h\n\
    list:\n  - https://a # one\n  -  https://b\nempty:\n---\nspring:\n  profiles: x\n...\n";

#[test]
fn yaml() {
    use Format::Yaml;
    golden(Yaml, YAML, "spring.datasource.url", "jdbc:postgresql://rds:5432/shop", "//db:5432", "//rds:5432");
    golden(Yaml, YAML, "spring.datasource.username", "it's me", "'it''s'", "'it''s me'");
    golden(Yaml, YAML, "spring.datasource.port", "6432", "5432\n", "6432\n");
    golden(Yaml, YAML, "spring.jpa.show", "a\tb é!", "\\u00e9", "\\u00e9!");
    golden(Yaml, YAML, "spring.redis.host", "x: y", "cache", "'x: y'");
    golden(Yaml, YAML, "flow.host", "a,b", "{ host: db", "{ host: 'a,b'");
    golden(Yaml, YAML, "flow.list[1]", "c", "\"b\"", "\"c\"");
    golden(Yaml, YAML, "block", "first\nurl=postgres://u:p@rds/shop\nlast\n", "@db", "@rds");
    let two = "a: |\n    x=db1\n      y=2\n\n    z=db3\nb: 1\n";
    let both = edit(two, Yaml, &[Edit { key: "a".into(), new: "x=rds1\n  y=2\n\nz=rds3\n".into() }]).unwrap();
    assert_eq!(both, two.replace("db", "rds"));
    golden(Yaml, YAML, "folded", "one host=rds more", "host=db more", "host=rds more");
    golden(Yaml, YAML, "base.host", "rds", "&h db", "&h rds");
    golden(Yaml, YAML, "spring.profiles", "true", "profiles: x", "profiles: 'true'");
    assert!(says(Yaml, YAML, "list[1]") == "https://b");
    let longer = append(YAML, Yaml, "list", "https://c").unwrap();
    assert_eq!(longer, YAML.replace("https://b\n", "https://b\n  - https://c\n"));
    let longer = append(YAML, Yaml, "flow.list", "c").unwrap();
    assert_eq!(longer, YAML.replace("\"b\" ]", "\"b\", \"c\" ]"));
    let longer = append(YAML, Yaml, "flow.none", "c").unwrap();
    assert_eq!(longer, YAML.replace("[]", "[\"c\"]"));
}

const JSON: &str = "{\r\n\t// c\r\n\t\"db\": { \"host\": \"d\\u0062\", \"port\": 5432, \"tls\": false },\r\n\t\"url\": \"http:\\/\\/db\\/x\", /* d */\r\n\
    \t\"origins\": [\r\n\t\t\"https://a\"\r\n\t],\r\n\t\"nothing\": null,\r\n}";

#[test]
fn json() {
    use Format::Json;
    golden(Json, JSON, "db.host", "rds", "d\\u0062", "rds");
    golden(Json, JSON, "db.port", "6432", "5432", "6432");
    golden(Json, JSON, "db.tls", "true", "false", "true");
    golden(Json, JSON, "url", "http://rds/x", "\\/db", "\\/rds");
    let refused = edit(JSON, Json, &[Edit { key: "db.port".into(), new: "many".into() }]).unwrap_err();
    assert!(matches!(refused, RewriteError::CannotHold { line: 3, .. }), "{refused}");
    let longer = append(JSON, Json, "origins", "https://b").unwrap();
    assert_eq!(longer, JSON.replace("\"https://a\"", "\"https://a\",\r\n\t\t\"https://b\""));
}

const TOML: &str = "# c\ntitle = 'db\\raw'\n[database] # d\nhost = \"d\\u0062\"   # e\nport = 5_432\nnested.url = \"postgres://db/shop\"\n\
    inline = { host = \"db\", tags = [\"a\", 'b'] }\nlong = \"\"\"\nfirst\nhost=db\n\"\"\"\n[[servers]]\nname = \"one\"\n[[servers]]\nname = \"two\"\n";

#[test]
fn toml() {
    use Format::Toml;
    golden(Toml, TOML, "title", "rds\\raw", "'db", "'rds");
    golden(Toml, TOML, "database.host", "rds", "d\\u0062", "rds");
    golden(Toml, TOML, "database.port", "6432", "5_432", "6432");
    golden(Toml, TOML, "database.nested.url", "postgres://rds/shop", "//db", "//rds");
    golden(Toml, TOML, "database.inline.host", "rds", "host = \"db\"", "host = \"rds\"");
    golden(Toml, TOML, "database.long", "first\nhost=rds\n", "host=db", "host=rds");
    golden(Toml, TOML, "servers[1].name", "drei", "two", "drei");
    let longer = append(TOML, Toml, "database.inline.tags", "c").unwrap();
    assert_eq!(longer, TOML.replace("'b'", "'b', 'c'"));
}

#[test]
fn errors_name_the_place_and_keep_the_value() {
    let missing = edit("A=1\n", Format::Env, &[Edit { key: "B".into(), new: "x".into() }]).unwrap_err();
    assert_eq!(missing, RewriteError::NoSuchKey { key: "B".into() });
    let twice = edit("A=1\nA=2\n", Format::Env, &[Edit { key: "A".into(), new: "x".into() }]).unwrap_err();
    assert_eq!(twice, RewriteError::Ambiguous { key: "A".into(), first: 1, second: 2 });
    for (format, text, at) in [
        (Format::Toml, "a = 1\nb = \"s3cret\n", 2),
        (Format::Json, "{\n\"b\": \"s3cret\n}", 2),
        (Format::Env, "A=1\nB=\"s3cret\n", 2),
        (Format::Yaml, "a: 1\nb: \"s3cret\n", 3),
        (Format::Properties, "a=1\nb=\\u12 s3cret", 2),
    ] {
        let error = values(text, format).unwrap_err();
        assert!(matches!(error, RewriteError::Syntax { line, .. } if line == at), "{format}: {error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
    let found = values("PASSWORD=s3cret\n", Format::Env).unwrap();
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[test]
fn formats_by_name_and_text() {
    for (path, text, want) in [
        ("app/.env", "", Format::Env),
        (".env.production", "", Format::Env),
        ("a/application.yml", "", Format::Yaml),
        ("application-prod.properties", "", Format::Properties),
        ("설정.toml", "", Format::Toml),
        ("config", "{\"a\": 1}", Format::Json),
        ("config", "# c\nexport A=1\n", Format::Env),
    ] {
        assert_eq!(Format::of(path, text).unwrap(), want, "{path}");
    }
    let nginx = Format::of("nginx.conf", "server {\n listen 80;\n}\n").unwrap_err().to_string();
    assert!(nginx.contains("nginx.conf") && nginx.contains("nginx configuration"), "{nginx}");
    assert!(matches!(Format::of("my.ini", "[a]\nb=c"), Err(RewriteError::Unsupported { .. })));
}
