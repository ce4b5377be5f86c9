"""Makes the bench's sites, the same bytes every time: `small` (20,000 files of 1 to 40 KiB), `big` (8 of 256 MiB), `site`
(3,000 files, 150 MB: pages, bundles named by their hash, pictures; the bundles sort after the pages)."""

import hashlib
import os
import random

WORDS = ("function return const window document props state api fetch then catch export default import from class extends "
         "render className useEffect null true false div span header footer https").split()
OLD = 1_700_000_000


def text(draw, size):
    out, length = [], 0
    while length < size:
        word = draw.choice(WORDS) + draw.choice((" ", "(", ")", ";", "{", "}", "=", ".", ","))
        word += str(draw.randrange(9999)) if draw.random() < 0.2 else ""
        out.append(word)
        length += len(word)
    return "".join(out).encode()[:size]


def put(root, path, content):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(content)
    os.utime(full, (OLD, OLD))


def small(root, count=20_000):
    draw = random.Random(20260101)
    pool = text(random.Random(1), 1 << 20) + random.Random(2).randbytes(1 << 20)
    for i in range(count):
        size = draw.randint(1024, 40 * 1024)
        at = draw.randrange(len(pool) - size)
        folder = f"d{draw.randrange(40):02d}/s{draw.randrange(25):02d}" + (f"/t{draw.randrange(4)}" if draw.random() < 0.5 else "")
        ending = draw.choice(["js", "css", "html", "png", "json", "svg"])
        put(root, f"{folder}/f{i:05d}.{ending}", i.to_bytes(4, "big") + pool[at:at + size - 4])


def tiny(root, count):
    """As many files as asked for, of a few bytes, a thousand in a folder."""
    for i in range(count):
        folder = os.path.join(root, f"{i // 1000:04d}")
        if i % 1000 == 0:
            os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{i:07d}.txt", "w") as file:
            file.write(f"object {i}")


def big(root):
    os.makedirs(root, exist_ok=True)
    for i in range(8):
        draw = random.Random(77 + i)
        with open(f"{root}/big{i}.bin", "wb") as file:
            for _ in range(256):
                file.write(draw.randbytes(1 << 20))


def site(root, folder="static"):
    draw, total, scripts, styles = random.Random(4242), 0, [], []
    name = lambda content: hashlib.sha256(content).hexdigest()[:8]
    for i in range(500):
        content = text(draw, int(min(900_000, max(2_000, draw.lognormvariate(10.2, 1.1)))))
        if i % 10 == 0:
            content += b';var API="https://api.old.example.com/v1",WS="wss://api.old.example.com/ws";'
        scripts.append(f"{folder}/chunk-{i}.{name(content)}.js")
        put(root, scripts[-1], content)
        total += len(content)
    for i in range(120):
        content = text(draw, int(min(400_000, max(800, draw.lognormvariate(9.3, 1)))))
        styles.append(f"{folder}/style-{i}.{name(content)}.css")
        put(root, styles[-1], content)
        total += len(content)
    for i in range(900):
        language = draw.choice(["", "en/", "de/", "ja/日本語/", "fr/é à/"])
        links = [f'<link rel="stylesheet" href="/{one}">' for one in draw.sample(styles, 3)]
        links += [f'<script src="/{one}"></script>' for one in draw.sample(scripts, 5)]
        content = ("<!doctype html><head>" + "".join(links)).encode() + text(draw, draw.randint(4_000, 60_000))
        put(root, "index.html" if i == 0 else f"{language}pages/p{i}/index.html", content)
        total += len(content)
    for i in range(40):
        put(root, f"misc/name with space & plus+{i} (1).txt", b"" if i % 4 == 0 else text(draw, 900))
    left = 3_000 - sum(len(files) for _, _, files in os.walk(root))
    for i in range(left):
        size = int(min(max(2_000, draw.gammavariate(1.2, (150_000_000 - total) / left / 1.2)), 3_000_000))
        put(root, f"img/{i % 30:02d}/pic-{i}.{draw.choice(['png', 'jpg', 'webp'])}", b"\x89PNG\r\n\x1a\n" + draw.randbytes(size))
