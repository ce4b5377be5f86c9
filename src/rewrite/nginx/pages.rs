//! What a web server does with paths that are no file: the index of a folder, and what is shown where there is nothing.

use super::Directive;

/// What a server does with paths that are no file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pages {
    /// The file a folder stands for; `None` for nginx's own default.
    pub index: Option<String>,
    /// The page that is shown with 200 where there is no file: a single-page application's.
    pub fallback: Option<String>,
    /// The page that is shown with 404 where there is no file.
    pub not_found: Option<String>,
}

impl Pages {
    /// The file a folder stands for.
    pub fn index(&self) -> &str {
        self.index.as_deref().unwrap_or("index.html")
    }
}

/// What the server that serves files at `/` does: the first one of the tree that does not only redirect or pass on.
pub fn pages(tree: &[Directive]) -> Pages {
    let https = tree.iter().filter(|d| d.name == "http").flat_map(Directive::inside);
    let all: Vec<&Directive> = https.chain(tree.iter().filter(|d| d.name != "http")).collect();
    let mut servers = all.iter().filter(|d| d.name == "server" && d.block.is_some());
    let outer: Vec<&Directive> = all.iter().filter(|d| d.block.is_none()).copied().collect();
    let with_files = servers.find(|one| !one.inside().iter().any(|d| d.name == "return"));
    with_files.map(|one| of_server(one.inside(), &outer)).unwrap_or_default()
}

fn of_server(server: &[Directive], outer: &[&Directive]) -> Pages {
    let root = server.iter().find(|d| d.name == "location" && d.args.len() == 1 && d.arg() == "/");
    let inside = root.map(Directive::inside).unwrap_or_default();
    // nginx takes a directive from the innermost level that has it.
    let find = |name: &str| {
        let at = |level: &[Directive]| level.iter().find(|d| d.name == name).cloned();
        at(inside).or_else(|| at(server)).or_else(|| outer.iter().find(|d| d.name == name).map(|d| (*d).clone()))
    };
    let index =
        find("index").and_then(|d| d.args.iter().find(|file| !file.contains('$') && !file.contains('/')).cloned());
    let last = find("try_files").and_then(|d| d.args.last().cloned()).map(|last| named(&last, server));
    let error = error_page(inside).or_else(|| error_page(server));
    let fallback = last.filter(|last| is_page(last)).or_else(|| error.clone().filter(|e| e.1).map(|e| e.0));
    let not_found = error.filter(|e| !e.1 && fallback.is_none()).map(|e| e.0);
    Pages { index, fallback, not_found }
}

/// A named location that only rewrites everything to one page is that page.
fn named(last: &str, server: &[Directive]) -> String {
    let location = server.iter().find(|d| d.name == "location" && d.arg() == last && last.starts_with('@'));
    let rewrite = location.and_then(|location| location.inside().iter().find(|d| d.name == "rewrite"));
    let all = |d: &&Directive| matches!(d.arg(), "^" | ".*" | "^.*$" | "^(.*)$" | "^(.+)$" | "^/(.*)$");
    rewrite.filter(all).and_then(|d| d.args.get(1).cloned()).unwrap_or_else(|| last.to_owned())
}

/// The page for 404, and whether it is shown as if all were well (`error_page 404 =200 /index.html`).
fn error_page(level: &[Directive]) -> Option<(String, bool)> {
    let of_404 = |d: &&Directive| d.name == "error_page" && d.args.iter().rev().skip(1).any(|arg| arg == "404");
    let found = level.iter().find(of_404)?;
    let page = found.args.last().filter(|page| is_page(page))?.clone();
    Some((page, found.args.iter().any(|arg| arg == "=200")))
}

fn is_page(text: &str) -> bool {
    text.starts_with('/') && text.len() > 1 && !text.ends_with('/') && !text.contains(['$', '?', '*', ' '])
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn of(server: &str) -> Pages {
        let text = format!("http {{ index start.html; server {{ listen 80; {server} }} }}");
        pages(&parse("nginx.conf", &text).unwrap())
    }

    fn said(index: &str, fallback: Option<&str>, not_found: Option<&str>) -> Pages {
        let own = |text: &str| text.to_owned();
        Pages { index: Some(index.into()), fallback: fallback.map(own), not_found: not_found.map(own) }
    }

    #[test]
    fn a_single_page_application_is_told_from_a_site_of_many() {
        for (server, wanted) in [
            ("location / { try_files $uri $uri/ /index.html; }", said("start.html", Some("/index.html"), None)),
            ("try_files $uri /app.html;", said("start.html", Some("/app.html"), None)),
            (
                "index index.html; error_page 404 /404.html; location / { try_files $uri $uri/ =404; }",
                said("index.html", None, Some("/404.html")),
            ),
            ("error_page 403 404 =200 /index.html;", said("start.html", Some("/index.html"), None)),
            ("error_page 500 502 /50x.html;", said("start.html", None, None)),
            (
                "location / { try_files $uri @spa; } location @spa { rewrite ^ /index.html last; }",
                said("start.html", Some("/index.html"), None),
            ),
            (
                "location / { try_files $uri @app; } location @app { proxy_pass http://was; }",
                said("start.html", None, None),
            ),
            ("location / { try_files $uri /index.php?$args; }", said("start.html", None, None)),
        ] {
            assert_eq!(of(server), wanted, "{server}");
        }
    }

    #[test]
    fn a_server_that_only_redirects_is_passed_over() {
        let text = "server { listen 80; return 301 https://$host$request_uri; }
                    server { listen 443 ssl; location / { try_files $uri /index.html; } }";
        let found = pages(&parse("site.conf", text).unwrap());
        assert_eq!((found.index(), found.fallback.as_deref()), ("index.html", Some("/index.html")));
        assert_eq!(pages(&[]), Pages::default());
    }
}
