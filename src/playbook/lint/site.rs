//! Lint of site files: names that contradict each other, and values that no service would take.

use std::collections::BTreeMap;

use super::super::complaint::Complaint;
use super::super::source::Source;
use crate::site::{Base, Site};

/// Everything to say about a site.
pub fn site(site: &Site, source: &Source) -> Vec<Complaint> {
    let mut lint = Lint { site, source, told: Vec::new() };
    lint.own_name();
    lint.names();
    lint.api_base();
    lint.containers();
    lint.hosts();
    lint.aws();
    lint.told.sort_by_key(|c| c.spot.map(|spot| (spot.line, spot.column)));
    lint.told
}

struct Lint<'a> {
    site: &'a Site,
    source: &'a Source,
    told: Vec<Complaint>,
}

impl Lint<'_> {
    fn error(&mut self, path: &str, what: impl Into<String>, fix: impl Into<String>) {
        self.told.push(Complaint::error(self.source.value(path), what, fix));
    }

    fn warning(&mut self, path: &str, what: impl Into<String>, fix: impl Into<String>) {
        self.told.push(Complaint::warning(self.source.value(path), what, fix));
    }

    fn own_name(&mut self) {
        let name = &self.site.site;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(fits) || name.starts_with('-') {
            let fix = "use lower-case letters, digits and hyphens, at most 40, as in `site: shop`";
            self.error("site", format!("`{name}` cannot be a site's name"), fix);
        }
    }

    fn names(&mut self) {
        let names = &self.site.names;
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        if !is_host(&names.zone) {
            self.error("names/zone", format!("`{}` is no zone", names.zone), "write it like `example.com`");
        }
        for (kind, hosts) in [("pages", &names.pages), ("api", &names.api)] {
            if hosts.is_empty() {
                let fix = format!("name at least one host, as in `{kind}: [{kind}.{}]`", names.zone);
                self.error(&format!("names/{kind}"), format!("`{kind}` names no host"), fix);
            }
            for (at, host) in hosts.iter().enumerate() {
                let path = format!("names/{kind}/{at}");
                if !is_host(host) {
                    let fix = "write a bare host name in lower case, without scheme, port, path or final dot";
                    self.error(&path, format!("`{host}` is no host name"), fix);
                } else if host != &names.zone && !host.ends_with(&format!(".{}", names.zone)) {
                    let fix = format!("only names in `{}` can be moved; correct the name or the zone", names.zone);
                    self.error(&path, format!("`{host}` is outside the zone `{}`", names.zone), fix);
                } else if kind == "pages" && host == &names.zone {
                    let what = format!("`{host}` is the zone's apex");
                    self.warning(&path, what, "make sure its record is an A record with an alias, never a CNAME");
                }
                match seen.insert(host, kind) {
                    Some(before) if before == kind => {
                        self.error(&path, format!("`{host}` is named twice"), "remove one of the two");
                    }
                    Some(_) => {
                        let fix = "pages go to the distribution and the API to the balancer: one host cannot do both; \
                                   give the API a host of its own";
                        self.error(&path, format!("`{host}` is a host of the pages and of the API"), fix);
                    }
                    None => {}
                }
            }
        }
    }

    fn api_base(&mut self) {
        let names = &self.site.names;
        let (old, new) = (&names.api_base.old, &names.api_base.new);
        if old == new {
            let fix = "right if the pages call that address already; otherwise write what they call today";
            self.warning("names/api-base/new", "the API's address stays the same: no page is rewritten", fix);
        }
        let under_pages = names.pages.contains(&new.host) && !self.site.aws.pages.api_paths.is_empty();
        if !names.api.contains(&new.host) && !under_pages {
            let fix = format!("use one of {}, or add `{}` to `api`", names.api.join(", "), new.host);
            self.error("names/api-base/new", format!("`{}` is not among the hosts of the API", new.host), fix);
        }
        if new.scheme == "http" {
            let fix = format!("write `https://{}{}`", new.host, new.path);
            self.warning("names/api-base/new", "browsers refuse plain HTTP calls from pages served over HTTPS", fix);
        }
    }

    fn containers(&mut self) {
        let old = &self.site.old;
        for (path, name, other, role) in [
            ("box/app/container", &old.app.container, &old.proxy, "the proxy"),
            ("box/database/container", &old.database.container, &old.app.container, "the app"),
            ("box/database/container", &old.database.container, &old.proxy, "the proxy"),
        ] {
            if name == other {
                let fix = "name the container of each role; `docker ps` lists them";
                self.error(path, format!("`{name}` is {role} already"), fix);
            }
        }
        let files = old.app.files.iter().enumerate().map(|(at, file)| (format!("box/app/files/{at}"), file));
        let paths = [("box/web/root".to_owned(), &old.web.root), ("app/health".to_owned(), &self.site.app.health)];
        for (path, text) in paths.into_iter().chain(files) {
            if !text.starts_with('/') {
                self.error(&path, format!("`{text}` does not begin with a slash"), format!("write `/{text}`"));
            }
        }
        for (path, port) in [
            ("box/app/port", old.app.port),
            ("box/database/port", old.database.port),
            ("app/listen/port", self.site.app.listen.port),
        ] {
            if port == 0 {
                self.error(path, "there is no port 0", "write the port it listens on, 1 to 65535");
            }
        }
        for (at, origin) in self.site.app.origins.iter().enumerate() {
            if !origin.parse::<Base>().is_ok_and(|base| base.path.is_empty()) {
                let fix = "write scheme and host alone, as in `https://partner.example.com`";
                self.error(&format!("app/origins/{at}"), format!("`{origin}` is no origin"), fix);
            }
        }
    }

    fn hosts(&mut self) {
        let app = &self.site.app;
        if app.hosts.is_empty() {
            self.error("app/hosts", "there is no new host", "add one: `- { name: …, engine: …, address: … }`");
        }
        for (at, host) in app.hosts.iter().enumerate() {
            let path = |key: &str| format!("app/hosts/{at}/{key}");
            if host.address == self.site.old.address {
                let what = format!("`{}` is the box's own address", host.address);
                self.error(&path("address"), what, "write the new host's address, as the balancer reaches it");
            }
            if host.engine == self.site.old.engine {
                let what = format!("`{}` is the box's own engine", host.engine);
                self.error(&path("engine"), what, "write the new host's engine");
            }
            for before in &app.hosts[..at] {
                for (key, same, value) in [
                    ("name", before.name == host.name, host.name.clone()),
                    ("address", before.address == host.address, host.address.to_string()),
                    ("engine", before.engine == host.engine, host.engine.to_string()),
                ] {
                    if same {
                        let what = format!("`{value}` belongs to another host already");
                        self.error(&path(key), what, format!("give each host its own `{key}`"));
                    }
                }
            }
        }
    }

    fn aws(&mut self) {
        let aws = &self.site.aws;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bucket = &aws.bucket;
        if !(3..=63).contains(&bucket.len())
            || !bucket.chars().all(fits)
            || !bucket.starts_with(edge)
            || !bucket.ends_with(edge)
        {
            let fix = "use 3 to 63 lower-case letters, digits and hyphens";
            self.error("aws/bucket", format!("`{bucket}` cannot be a bucket's name"), fix);
        }
        let id =
            |text: &str| text.starts_with('E') && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if aws.named_distribution().is_some_and(|named| !is_host(named) && !id(named)) {
            let fix =
                "write its domain name, as in `d111111abcdef8.cloudfront.net`, or `new` for one that outgrow makes";
            self.error("aws/distribution", format!("`{}` is no domain name", aws.distribution), fix);
        }
        for (at, path) in aws.pages.api_paths.iter().enumerate() {
            if !path.starts_with('/') || path.len() < 2 || path == "/*" {
                let fix = "write a path below the pages' own, as in `/api/*`";
                self.error(&format!("aws/pages/api-paths/{at}"), format!("`{path}` would take the pages along"), fix);
            }
        }
        if !aws.region.contains('-') || aws.region.chars().any(|c| !fits(c)) {
            let what = format!("`{}` does not look like a region", aws.region);
            self.warning("aws/region", what, "write it like `ap-northeast-2`");
        }
    }
}

/// A lower-case host name of at least two labels, without a final dot.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        !label.is_empty() && label.len() <= 63 && label.chars().all(fits) && !label.starts_with('-')
    };
    text.contains('.') && text.len() <= 253 && text.split('.').all(label)
}
