"""Times outgrow's upload of a site and its peers' in turn. Started by scripts/bench.d/static, which says what for."""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import data  # noqa: E402

KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_REGION": "us-east-1"}
WORKS = ("small", "big", "site", "unchanged", "order", "memory")
MEASURES = ("seconds", "client_cpu_seconds", "peak_mb")


def say(text):
    print("·", text, file=sys.stderr, flush=True)


class Server:
    """The null server, with an answer's delay if one is asked for."""

    def __init__(self, program, stall=0):
        self.process = subprocess.Popen([program, "0"], env={**os.environ, "STALL_MS": str(stall)}, stderr=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stderr.readline())}"

    def ask(self, path):
        return urllib.request.urlopen(self.url + path).read().decode()

    def end(self):
        self.process.kill()
        self.process.wait()


def commands(tools, url, home, again):
    """What each of them types; `again` for a run over what is there already."""
    s5cmd = [f"{tools['s5cmd']}", "--log", "error", "--endpoint-url", url]
    rclone = [
        tools["rclone"], "copy", "{dir}", ":s3:bench", "--s3-provider", "Other", "--s3-endpoint", url, "--s3-access-key-id", "bench",
        "--s3-secret-access-key", "bench-secret", "--s3-region", "us-east-1", "--s3-no-check-bucket", "--transfers", "64",
        "--checkers", "64", "--fast-list", "--s3-upload-concurrency", "8", "--config", "/dev/null", "--log-level", "ERROR",
    ]
    aws = [tools["aws"], "s3", "sync" if again else "cp", "{dir}", "s3://bench/", "--endpoint-url", url, "--only-show-errors"]
    return {
        "outgrow": [tools["outgrow"], "static", "upload", "{dir}", "s3://bench", "--json"],
        "s5cmd": [*s5cmd, *(["sync"] if again else ["cp"]), "{dir}/", "s3://bench/"],
        "rclone": rclone,
        "aws": aws if again else [*aws, "--recursive"],
    }


def measure(command, dir, env):
    """Seconds, the client's CPU seconds, its peak MB."""
    command = [part.replace("{dir}", dir) for part in command]
    log = tempfile.TemporaryFile()
    begun = time.time()
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.time() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        log.seek(0)
        raise SystemExit(f"error: this ended with {process.returncode}: {' '.join(command)}\n{log.read()[-2000:].decode(errors='replace')}")
    return {"seconds": seconds, "client_cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1000}


def early(server, dir):
    """Pages that were there before one of their own scripts and styles."""
    place = {urllib.parse.unquote(key): number for number, key in enumerate(server.ask("/_order").split("\n"))}
    count = 0
    for folder, _, files in os.walk(dir):
        for name in files:
            if name.endswith(".html"):
                path = os.path.relpath(os.path.join(folder, name), dir)
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    own = re.findall(r'(?:src|href)="/([^"]+)"', file.read())
                count += any(place.get(path, 0) < place.get(one, 1 << 60) for one in own)
    return count


def main():
    parser = argparse.ArgumentParser()
    for name in ("program", "server", "tools", "data", "only", "peers"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("rounds", "objects"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    works = asked.only.split(",")
    if unknown := [work for work in works if work not in WORKS]:
        raise SystemExit(f"error: there is no work {unknown[0]}: {', '.join(WORKS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scratch = tempfile.mkdtemp(prefix="outgrow-bench-")
    servers = []
    try:
        run(asked, works, scratch, servers)
    finally:
        for server in servers:
            server.end()
        shutil.rmtree(scratch, ignore_errors=True)


def made(asked, name, make):
    """A set of data, made once and kept."""
    path = os.path.join(asked.data, name)
    if not os.path.exists(f"{path}.made"):
        say(f"making the data of {name}")
        shutil.rmtree(path, ignore_errors=True)
        make(path)
        open(f"{path}.made", "w").close()
    return path


def run(asked, works, scratch, servers):
    tools = {name: f"{asked.tools}/bin/{name}" for name in ("s5cmd", "rclone", "aws")}
    tools["outgrow"] = os.path.abspath(asked.program)
    config = f"{scratch}/aws"
    with open(config, "w") as file:
        file.write("[default]\ns3 =\n  preferred_transfer_client = crt\n  target_bandwidth = 100Gb/s\n")
    env = {**os.environ, **KEYS, "OUTGROW_HOME": f"{scratch}/home", "AWS_CONFIG_FILE": config, "AWS_EC2_METADATA_DISABLED": "true"}
    for name in [name for name in env if name.lower().endswith("_proxy")]:
        del env[name]
    sets = {"small": data.small, "big": data.big, "site": data.site}
    of = {"unchanged": "small", "order": "site"}
    peers = ["outgrow", *[peer for peer in asked.peers.split(",") if peer]]
    taken, lines = {}, []
    for work in [work for work in works if work != "memory"]:
        dir = made(asked, of.get(work, work), sets[of.get(work, work)])
        server = Server(asked.server, stall=30 if work == "site" else 0)
        servers.append(server)
        for number in range(1 if work == "order" else asked.rounds):
            for peer in peers:
                server.ask("/_reset")
                shutil.rmtree(f"{scratch}/home", ignore_errors=True)
                with_url = {**env, "AWS_ENDPOINT_URL": server.url}
                if work == "unchanged":
                    measure(commands(tools, server.url, scratch, False)[peer], dir, with_url)
                once = measure(commands(tools, server.url, scratch, work == "unchanged")[peer], dir, with_url)
                if work == "order":
                    once = {"pages_before_their_assets": early(server, dir)}
                taken.setdefault(work, {}).setdefault(peer, []).append(once)
                say(f"round {number + 1}, {work}, {peer}: " + ", ".join(f"{name} {value:.2f}" for name, value in once.items()))
        server.end()
        servers.remove(server)
    for work, found in taken.items():
        for peer in peers[1:]:
            for name in found[peer][0]:
                ours, theirs = ([one[name] for one in found[who]] for who in ("outgrow", peer))
                ratio = statistics.median(one / max(other, 1e-9) for one, other in zip(ours, theirs))
                middle = [round(statistics.median(all_), 3) for all_ in (ours, theirs)]
                lines.append({"work": work, "peer": peer, "measure": name, "ours": middle[0], "theirs": middle[1], "ratio": round(ratio, 3)})
    if "memory" in works:
        lines += memory(asked, tools, env, scratch, servers)
    if asked.json:
        print(json.dumps({"rounds": asked.rounds, "results": lines}))
        return
    print(f"{'work':10} {'peer':16} {'measure':26} {'ours':>9} {'theirs':>9} {'ratio':>7}")
    for line in lines:
        print(f"{line['work']:10} {line['peer']:16} {line['measure']:26} {line['ours']:9.2f} {line['theirs']:9.2f} {line['ratio']:7.2f}")


def memory(asked, tools, env, scratch, servers):
    """Our own peak with many objects against that with a thousand."""
    peaks = {}
    for count in (1_000, asked.objects):
        dir = made(asked, f"tiny-{count}", lambda path: data.tiny(path, count))
        server = Server(asked.server)
        servers.append(server)
        shutil.rmtree(f"{scratch}/home", ignore_errors=True)
        once = measure(commands(tools, server.url, scratch, False)["outgrow"], dir, {**env, "AWS_ENDPOINT_URL": server.url})
        say(f"memory, {count} objects: {once['peak_mb']:.1f} MB, {once['seconds']:.1f} s")
        peaks[count] = once["peak_mb"]
        server.end()
        servers.remove(server)
    few, many = peaks[1_000], peaks[asked.objects]
    name = "outgrow, 1000"
    return [{"work": "memory", "peer": name, "measure": f"peak_mb of {asked.objects}", "ours": round(many, 1), "theirs": round(few, 1), "ratio": round(many / few, 3)}]


if __name__ == "__main__":
    main()
