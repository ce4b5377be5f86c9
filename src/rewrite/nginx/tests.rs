//! The parser and what it makes of real-world configurations.

use std::collections::BTreeMap;

use super::*;

fn read(text: &str) -> Vec<Server> {
    servers(&parse("site.conf", text).unwrap())
}

fn peer(host: &str, port: u16) -> To {
    To::Upstream(vec![Peer { host: host.into(), port }])
}

#[test]
fn words_quotes_comments_and_lines() {
    let tree =
        parse("f", "# first\nlog_format main '$a \"b\" # no \\'comment';\nevents {\n  worker 1; } # end").unwrap();
    assert_eq!(tree[0].args, ["main", "$a \"b\" # no 'comment"]);
    assert_eq!((tree[0].line, tree[1].line, tree[1].inside()[0].line), (2, 3, 4));
    let tree = parse("f", "set $x ${host}y; location ~ \\.(js|css)$ { return 404; }").unwrap();
    assert_eq!(tree[0].args, ["$x", "${host}y"]);
    assert_eq!(tree[1].args, ["~", "\\.(js|css)$"]);
}

#[test]
fn what_is_no_configuration_is_refused_with_its_line() {
    let line = |text: &str| parse("f", text).unwrap_err().line;
    assert_eq!(line("a;\nb {\n c;\n"), 2);
    assert_eq!(line("a;\n}\n"), 2);
    assert_eq!(line("a;\nb \"c;\n"), 2);
    assert_eq!(line("a;\nb { c }\n"), 2);
    assert_eq!(line("a;\n\nb"), 3);
    assert_eq!(line(";"), 1);
}

#[test]
fn another_language_inside_is_skipped() {
    let tree = parse("f", "init_by_lua_block { t = { {}, {} } }\nuser a;").unwrap();
    assert_eq!((tree[1].name.as_str(), tree[1].line), ("user", 2));
}

#[test]
fn includes_are_followed_in_order_and_not_in_circles() {
    let files: BTreeMap<String, String> = [
        ("/etc/nginx/conf.d/b.conf", "server { server_name b; }"),
        ("/etc/nginx/conf.d/a.conf", "server { server_name a; include snippets/x; }"),
        ("/etc/nginx/conf.d/sub/c.conf", "server { server_name c; }"),
        ("/etc/nginx/snippets/x", "location /x { return 301 /y; }"),
        ("/etc/nginx/loop", "include /etc/nginx/loop;"),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    let resolve = |pattern: &str| matching(&files, pattern);
    let tree = load("/etc/nginx/nginx.conf", "http { include /etc/nginx/conf.d/*.conf; }", &resolve).unwrap();
    let found = servers(&tree);
    assert_eq!(found.iter().map(|s| s.names[0].as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((found[0].routes[0].file.as_str(), found[0].routes[0].line), ("/etc/nginx/snippets/x", 1));
    assert!(load("/etc/nginx/nginx.conf", "include loop;", &resolve).unwrap_err().what.contains("circle"));
}

#[test]
fn locations_and_where_they_go() {
    let found = read(
        "upstream app { server was:8000 weight=2; server was2:8000; }
         server { listen 443 ssl http2; server_name a.test; ssl_certificate /c.pem; root /www;
           location /api/ { proxy_pass http://app/; }
           location = /healthz { proxy_pass http://was:8000; }
           location ^~ /ws { proxy_pass https://was; location /ws/deep { proxy_pass http://x:1; } }
           location ~* \\.php$ { fastcgi_pass php:9000; }
           location /old { return 301 /new; }
           location / { try_files $uri @fallback; }
           location /img { expires 1d; }
           location /v { proxy_pass http://$unknown; }
           location @fallback { proxy_pass http://[fd00::1]:3000; } }",
    );
    let server = &found[0];
    assert_eq!(server.certificate.as_deref(), Some("/c.pem"));
    assert_eq!(server.listens, [Listen { port: 443, tls: true, default: false }]);
    let to: BTreeMap<&str, &To> = server.routes.iter().map(|r| (r.location.as_str(), &r.to)).collect();
    let both = ["was", "was2"].map(|host| Peer { host: host.into(), port: 8000 });
    assert_eq!(to["/api/"], &To::Upstream(both.to_vec()));
    assert_eq!(to["/healthz"], &peer("was", 8000));
    assert_eq!((to["/ws"], to["/ws/deep"]), (&peer("was", 443), &peer("x", 1)));
    assert_eq!(to["\\.php$"], &To::Other("fastcgi_pass php:9000".into()));
    assert!(matches!(to["/old"], To::Redirect(Redirect { status: 301, to, .. }) if to == "/new"));
    assert_eq!(to["/"], &peer("[fd00::1]", 3000));
    assert_eq!((to["/img"], to["/v"]), (&To::Static, &To::Other("http://$unknown".into())));
    let modifiers: Vec<Modifier> = server.routes.iter().take(5).map(|r| r.modifier).collect();
    assert_eq!(modifiers, [Modifier::Prefix, Modifier::Exact, Modifier::Final, Modifier::Prefix, Modifier::Regex]);
}

#[test]
fn variables_that_hold_constants_are_filled_in() {
    let found = read("server { set $app was; set $app_port 80; location / { proxy_pass http://$app:${app_port}00; } }");
    assert_eq!(found[0].routes[0].to, peer("was", 8000));
}

#[test]
fn redirects_of_a_whole_server_and_behind_an_if() {
    let found = read(
        "server { listen 80 default_server; server_name _; return 301 https://$host$request_uri; }
         server { listen [::]:8080; server_name b; if ($scheme = http) { return 301 https://$host; } }
         server { server_name c; return 404; }",
    );
    assert_eq!(found[0].redirect.as_ref().map(|r| r.status), Some(301));
    assert_eq!(found[1].listens[0].port, 8080);
    assert_eq!(found[1].conditional[0].when, "($scheme = http)");
    assert!(found[1].redirect.is_none() && found[2].redirect.is_none());
}

#[test]
fn the_server_of_a_host_is_the_one_nginx_takes() {
    let found = read(
        "server { listen 443 ssl; server_name first; }
         server { listen 443 ssl default_server; server_name _; }
         server { listen 443 ssl; server_name *.shop.test; }
         server { listen 443 ssl; server_name api.shop.test; }
         server { listen 80; server_name api.shop.test; }",
    );
    let line = |host: &str, port| server_for(&found, host, port).map(|server| server.at.1);
    assert_eq!(line("api.shop.test", 443), Some(4));
    assert_eq!(line("www.shop.test", 443), Some(3));
    assert_eq!(line("10.0.1.5", 443), Some(2));
    assert_eq!(line("other", 80), Some(5));
    assert_eq!(line("other", 8080), None);
}
