#!/usr/bin/env python3
"""Makes the demo's built front end into the folder given: some 400 files, 25 MB, the same bytes every time.

It has what real document roots have: assets named by their content's hash and referred to by the pages, names with
spaces, plus, percent and Korean, an empty file, a file without an extension under .well-known, one large file, integrity
digests, a service worker with a list of revisions, packed twins, and an environment file that was forgotten there.
The API's base address stands in it absolutely: plainly and with escaped slashes in bundles and JSON, in a meta tag,
and beside it look-alikes that are something else.
"""

import base64
import gzip
import hashlib
import json
import os
import random
import struct
import sys
import zlib

API = "https://box.shop.test/api"
ESCAPED = API.replace("/", "\\/")
LOOK_ALIKE = "https://box.shop.test.example.org/api"
OTHER = "https://notbox.shop.test/api"

WORDS = "basket price order parcel return size colour stock review account voucher delivery material care".split()
KOREAN = "배송 주문 결제 반품 상품 할인 재고 문의 회원 장바구니 교환 포장".split()
PRODUCTS = 180

seed = random.Random(20250601)


class Site:
    def __init__(self, root):
        self.root = root

    def write(self, path, content):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return "/" + path

    def read(self, path):
        with open(os.path.join(self.root, path.lstrip("/")), "rb") as file:
            return file.read()

    def integrity(self, path):
        return "sha384-" + base64.b64encode(hashlib.sha384(self.read(path)).digest()).decode()

    def twin(self, path):
        """The packed copy that nginx's gzip_static would send."""
        self.write(path.lstrip("/") + ".gz", gzip.compress(self.read(path), 9, mtime=0))

    def asset(self, stem, ending, content):
        """A file under assets/ with its content's hash in the name."""
        content = content.encode() if isinstance(content, str) else content
        digest = hashlib.sha256(content).hexdigest()[:8]
        return self.write(f"assets/{stem}.{digest}.{ending}", content)


def sentence(words=WORDS, count=12):
    return " ".join(seed.choice(words) for _ in range(count))


def code(kilobytes, tag):
    """Minified-looking JavaScript that parses: functions nobody calls."""
    lines, size = [], 0
    while size < kilobytes * 1024:
        name = f"{tag}{len(lines)}"
        line = (
            f'function {name}(e,t){{var n={{label:"{sentence(count=6)}",at:{seed.random():.6f}}};'
            f'return e>{seed.randrange(999)}?n.label+t:"{seed.getrandbits(64):x}"+n.at}}'
        )
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines) + "\n"


def png(side):
    """A valid picture of noise, which no compression makes smaller."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + seed.randbytes(side * 3) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


APP = """/*! shop front end. The pages used to be made on box.shop.test itself; see the wiki on how the box was built. */
(function () {
"use strict";
// Mirrors of the documentation live at %(look_alike)s (not ours).
var API = "%(api)s";
var MIRROR = "%(look_alike)s", PARTNER = "%(other)s";
window.shop = {
  api: API, mirror: MIRROR, partner: PARTNER,
  products: function (page) { return fetch(API + "/products?page=" + page, {credentials: "include"}).then(function (r) { return r.json(); }); },
  product: function (id) { return fetch("%(api)s/products/" + id, {credentials: "include"}).then(function (r) { return r.json(); }); },
  order: function (id, product, quantity, note) {
    return fetch(`%(api)s/orders`, {method: "POST", credentials: "include", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({id: id, product: product, quantity: quantity, note: note})});
  }
};
document.addEventListener("DOMContentLoaded", function () {
  var list = document.getElementById("products");
  if (!list) return;
  window.shop.products(1).then(function (answer) {
    answer.products.forEach(function (p) { var li = document.createElement("li"); li.textContent = p.name + " " + p.price; list.appendChild(li); });
  });
});
})();
"""


WORKER = """/*! shop service worker: pages from the network, the listed files from the cache by their revision. */
var LIST = %s;
var key = function (e) { return e.url + (e.revision ? "?" + e.revision : ""); };
self.addEventListener("install", function (event) {
  event.waitUntil(caches.open("shop").then(function (cache) {
    return Promise.all(LIST.map(function (e) { return fetch(e.url).then(function (r) { return r.ok && cache.put(key(e), r); }); }));
  }).then(function () { return self.skipWaiting(); }));
});
self.addEventListener("activate", function (event) {
  var known = LIST.map(key);
  event.waitUntil(caches.open("shop").then(function (cache) {
    return cache.keys().then(function (all) {
      return Promise.all(all.map(function (r) { var u = new URL(r.url); return known.indexOf(u.pathname + u.search) < 0 && cache.delete(r); }));
    });
  }));
});
"""


def page(title, body, head, language="en"):
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="api-base" content="{API}">
<link rel="manifest" href="/manifest.webmanifest">
{head}</head>
<body>
<!-- Served from box.shop.test since 2021. -->
<nav><a href="/">Shop</a> <a href="/%EC%95%88%EB%82%B4/%EB%B0%B0%EC%86%A1%20%EC%95%88%EB%82%B4.html">배송 안내</a></nav>
<main>
{body}
</main>
</body>
</html>
"""


def build(root):
    site = Site(root)
    words = {"api": API, "look_alike": LOOK_ALIKE, "other": OTHER}

    style = site.asset("app", "css", "\n".join(
        f".c{i}{{color:#{seed.getrandbits(24):06x};margin:{seed.randrange(40)}px}}" for i in range(4000)))
    vendor = site.asset("vendor", "js", code(1200, "v"))
    chunks = []
    for i in range(40):
        content = code(seed.randrange(8, 60), f"c{i}_")
        if i % 8 == 0:
            content += f"var boot{i}=JSON.parse('{{\"api\":\"{ESCAPED}\"}}');\n"
        if i % 8 == 3:
            content += f'var cfg{i}={{"api":"{ESCAPED}","docs":"{LOOK_ALIKE}"}};\n'
        if i % 8 == 5:
            content += f'var url{i}="{API}/products/{i}";\n'
        chunks.append(site.asset(f"chunk-{seed.choice(WORDS)}-{i:02}", "js", content))
    app = site.asset("app", "js", APP % words + f"var CHUNKS={json.dumps(chunks)};\n" + code(300, "a"))
    site.write("assets/" + os.path.basename(app) + ".map",
               json.dumps({"version": 3, "file": os.path.basename(app), "sources": ["src/app.ts"], "mappings": "AAAA",
                           "sourcesContent": ["// the source; compare box.shop.test in the wiki"]}))
    fonts = [site.asset(f"sans-{weight}", "woff2", b"wOF2" + seed.randbytes(48_000)) for weight in (400, 600, 800)]
    pictures = [site.asset(f"photo-{i:03}", "png", png(seed.randrange(90, 190))) for i in range(160)]
    logo = site.asset("logo", "svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>\n')

    head = f'<link rel="stylesheet" href="{style}" integrity="{site.integrity(style)}">\n'
    head += "".join(f'<link rel="preload" as="font" type="font/woff2" href="{font}" crossorigin>\n' for font in fonts)
    for script in (vendor, app):
        head += f'<script defer src="{script}" integrity="{site.integrity(script)}"></script>\n'
    head += '<script>if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js");</script>\n'

    links = "\n".join(f'<a href="/products/{i}/"><img src="{pictures[i % len(pictures)]}" alt=""></a>' for i in range(1, 25))
    site.write("index.html", page("Shop", f'<img src="{logo}" alt="Shop">\n<ul id="products"></ul>\n{links}', head))
    site.write("404.html", page("Not found", "<p>There is no such page.</p>", head))
    for i in range(1, PRODUCTS + 1):
        site.write(f"products/{i}/index.html", page(
            f"Product {i}",
            f'<h1>Product {i}</h1><img src="{pictures[i % len(pictures)]}" alt="">'
            f"<p>{sentence(count=60)}</p><p>{sentence(KOREAN, 30)}</p>"
            f'<script src="{chunks[i % len(chunks)]}" defer></script>', head))
    for i in range(1, 41):
        site.write(f"journal/2025/{1 + i % 12:02}/entry-{i}.html", page(f"Entry {i}", f"<p>{sentence(count=200)}</p>", head))

    site.write("안내/배송 안내.html", page("배송 안내", f"<p>{sentence(KOREAN, 80)}</p>", head, "ko"))
    site.write("안내/자주 묻는 질문.html", page("자주 묻는 질문", f"<p>{sentence(KOREAN, 80)}</p>", head, "ko"))
    site.write("docs/size+fit.html", page("Size + fit", f"<p>{sentence(count=80)}</p>", head))
    site.write("downloads/price list (old).csv", "sku,price\n" + "".join(f"SKU-{i:05},{seed.randrange(900, 90000)}\n" for i in range(400)))
    site.write("downloads/100% cotton.txt", sentence(count=40) + "\n")
    site.write("downloads/catalogue 2025.pdf", b"%PDF-1.4\n" + seed.randbytes(8 * 1024 * 1024) + b"\n%%EOF\n")
    site.write("empty.txt", b"")
    site.write("robots.txt", "User-agent: *\nAllow: /\n")
    site.write("favicon.ico", b"\0\0\1\0" + seed.randbytes(1146))
    site.write(".well-known/security.txt", "Contact: mailto:security@shop.test\nExpires: 2030-01-01T00:00:00Z\n")
    site.write(".well-known/apple-app-site-association", json.dumps({"applinks": {"apps": [], "details": []}}) + "\n")
    site.write("manifest.webmanifest", json.dumps(
        {"name": "Shop", "start_url": "/", "icons": [{"src": logo, "type": "image/svg+xml", "sizes": "any"}]}, indent=2) + "\n")
    site.write("config.json", json.dumps({"api": API, "retries": 2, "mirror": LOOK_ALIKE, "partner": OTHER}, indent=2) + "\n")
    site.write("data/boot.json", '{"api":"%s","language":"ko"}\n' % ESCAPED)
    site.write("data/catalogue.json", json.dumps(
        [{"id": i, "name": sentence(count=3), "이름": sentence(KOREAN, 3), "picture": pictures[i % len(pictures)]} for i in range(1, 3000)],
        ensure_ascii=False))
    for packed in (style, vendor, app, "/index.html"):
        site.twin(packed)
    listed = [{"url": path, "revision": hashlib.md5(site.read(path)).hexdigest()} for path in ("/index.html", "/404.html")]
    listed += [{"url": path, "revision": None} for path in (style, vendor, app)]
    site.write("sw.js", WORKER % json.dumps(listed))
    site.write(".env", "SHOP_ADMIN_PASSWORD=forgotten-here\n")


build(sys.argv[1])
