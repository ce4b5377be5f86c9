"""Times outgrow's copy of a database and its peers' in turn. Started by scripts/bench.d/database, which says what for."""

import argparse
import glob
import json
import os
import pwd
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE, TARGET = 55461, 55462
BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))[-1]
ENV = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PGUSER": "postgres", "PGHOST": "127.0.0.1"}
WORKS = {"pgbench": None, "small": None, "wide": None}


def say(text):
    print("·", text, file=sys.stderr, flush=True)


def run(command, **more):
    return subprocess.run(command, env=ENV, check=True, stdout=subprocess.DEVNULL, **more)


def psql(port, database, *statements, **more):
    arguments = [part for statement in statements for part in ("-c", statement)]
    run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-p", str(port), "-d", database, *arguments], **more)


class Servers:
    """The two servers: the source as a container has it, the target with a managed one's settings, both with fsync."""

    SETTINGS = {
        SOURCE: ["shared_buffers=512MB", "max_wal_size=4GB", "wal_level=logical"],
        TARGET: ["shared_buffers=2GB", "max_wal_size=4GB", "wal_level=logical", "maintenance_work_mem=256MB"],
    }

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="outgrow-bench-")
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        self.processes = []
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)

    def command(self, arguments, start=False, **more):
        ids = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        act = subprocess.Popen if start else subprocess.check_call
        return act(arguments, env=ENV, cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **ids, **more)

    def __enter__(self):
        for port, settings in self.SETTINGS.items():
            data = f"{self.dir}/{port}"
            self.command([f"{BIN}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
            options = [part for setting in settings for part in ("-c", setting)]
            places = ["-h", "127.0.0.1", "-k", self.dir, "-p", str(port)]
            self.processes.append(self.command([f"{BIN}/postgres", "-D", data, *places, *options], start=True))
        for port in self.SETTINGS:
            deadline = time.time() + 60
            while subprocess.run(["pg_isready", "-q", "-p", str(port)], env=ENV, check=False).returncode:
                if time.time() > deadline:
                    raise SystemExit(f"error: the server on port {port} did not start; is the port in use?")
                time.sleep(0.1)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def make(work, size):
    say(f"making the data of {work}")
    run(["createdb", "-p", str(SOURCE), work])
    if work == "pgbench":
        scale = max(1, 60 * size // 100)
        run(["pgbench", "-p", str(SOURCE), "-i", "-q", "-s", str(scale), "--foreign-keys", "-I", "dtGvpf", work], stderr=subprocess.DEVNULL)
        rows = f"SELECT n % {10 * scale} + 1, n % {scale} + 1, n, n % 1000, now(), '' FROM generate_series(1, {1000 * scale}) n"
        psql(SOURCE, work, f"INSERT INTO pgbench_history (tid, bid, aid, delta, mtime, filler) {rows}", "VACUUM ANALYZE")
    else:
        sizes = ["-v", f"rows={1_900_000 * size // 100}", "-v", f"objects={max(1, 4 * size)}"]
        run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-p", str(SOURCE), "-d", work, *sizes, "-f", f"{HERE}/{work}.sql"])


def ways(program, work, dir):
    """What each of them types, as one shell command."""
    source, target = (f"postgres://postgres@127.0.0.1:{port}/{work}" for port in (SOURCE, TARGET))
    quiet = f">{dir}/log 2>&1"
    columns = "COPY visits TO STDOUT (FORMAT binary)"
    indexes = [
        "ALTER TABLE visits ADD PRIMARY KEY (id)", "CREATE INDEX ON visits (account, made)",
        "CREATE INDEX ON visits (mail)", "CREATE UNIQUE INDEX ON visits (token)",
    ]
    build = lambda *sql: "psql -qX -v ON_ERROR_STOP=1 -d " + target + "".join(f" -c {shlex.quote(one)}" for one in sql)
    return {
        "outgrow": f"{program} database copy {source} {target} --yes --jobs 2 {quiet}",
        "pipe": f"pg_dump -d {source} | psql -qX -v ON_ERROR_STOP=1 -d {target} {quiet} && vacuumdb -q -Z -j2 -d {target}",
        "directory": f"pg_dump -Fd -Z0 -j2 -f {dir}/d -d {source} && pg_restore -j2 -d {target} {dir}/d && vacuumdb -q -Z -j2 -d {target}",
        "pgcopydb": f"pgcopydb clone --source {source} --target {target} --dir {dir}/p --table-jobs 2 --index-jobs 2 "
                    f"--split-tables-larger-than 200MB {quiet}",
        "floor": f"pg_dump -s -t visits --section=pre-data -d {source} | psql -qX -d {target} {quiet} && "
                 f"psql -qX -d {source} -c {shlex.quote(columns)} | psql -qX -d {target} -c 'COPY visits FROM STDIN (FORMAT binary)' && "
                 f"{build(indexes[0])} && {{ {build(*indexes[1:3])} & {build(indexes[3])}; wait; }} && {build('ANALYZE')}",
    }


def tree(root):
    """The process and all below it."""
    children, found = {}, []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = open(stat).read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.split("/")[2]))
    waiting = [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting.extend(children.get(process, []))
    return found


def resident(processes):
    total = 0
    for process in processes:
        try:
            total += int(open(f"/proc/{process}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return total / 1e6


def measure(command, work, dir):
    """Seconds, the clients' CPU seconds, the clients' peak MB together."""
    subprocess.run(["dropdb", "-p", str(TARGET), "--if-exists", "-f", work], env=ENV, check=True, stderr=subprocess.DEVNULL)
    run(["createdb", "-p", str(TARGET), work])
    shutil.rmtree(dir, ignore_errors=True)
    os.makedirs(dir)
    for port in (SOURCE, TARGET):
        psql(port, "postgres", "CHECKPOINT")
    before, begun, peak = os.times(), time.time(), 0.0
    process = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], env=ENV)
    while process.poll() is None:
        peak = max(peak, resident(tree(process.pid)))
        time.sleep(0.1)
    seconds, after = time.time() - begun, os.times()
    if process.returncode:
        log = open(f"{dir}/log").read()[-2000:] if os.path.exists(f"{dir}/log") else ""
        raise SystemExit(f"error: this ended with {process.returncode}: {command}\n{log}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": seconds, "client_cpu_seconds": cpu, "peak_mb": peak}


def results(times):
    """Medians of ours and theirs, and the median of the ratios made round by round."""
    lines = []
    for work, peers in times.items():
        for peer, rounds in peers.items():
            if peer == "outgrow":
                continue
            for name in ("seconds", "client_cpu_seconds", "peak_mb"):
                ours, theirs = ([one[name] for one in taken] for taken in (peers["outgrow"], rounds))
                ratio = statistics.median(one / max(other, 1e-9) for one, other in zip(ours, theirs))
                middle = [round(statistics.median(all_), 3) for all_ in (ours, theirs)]
                lines.append({"work": work, "peer": peer, "measure": name, "ours": middle[0], "theirs": middle[1], "ratio": round(ratio, 3)})
    return lines


def main():
    parser = argparse.ArgumentParser()
    for name in ("program", "only", "peers"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    works = asked.only.split(",")
    if unknown := [work for work in works if work not in WORKS]:
        raise SystemExit(f"error: there is no work {unknown[0]}: {', '.join(WORKS)}")
    # Ended from outside, it still removes its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    times = {work: {} for work in works}
    with Servers() as servers:
        dir = f"{servers.dir}/work"
        os.chmod(servers.dir, 0o755)
        for work in works:
            make(work, asked.size)
        for number in range(asked.rounds):
            for work in works:
                typed = ways(os.path.abspath(asked.program), work, dir)
                for peer in ["outgrow", *asked.peers.split(",")]:
                    if peer == "floor" and work != "wide":
                        continue
                    taken = measure(typed[peer], work, dir)
                    times[work].setdefault(peer, []).append(taken)
                    say(f"round {number + 1}, {work}, {peer}: {taken['seconds']:.2f} s, {taken['client_cpu_seconds']:.2f} s of CPU, {taken['peak_mb']:.0f} MB")
    lines = results(times)
    if asked.json:
        print(json.dumps({"rounds": asked.rounds, "size": asked.size, "results": lines}))
        return
    print(f"{'work':8} {'peer':10} {'measure':19} {'ours':>9} {'theirs':>9} {'ratio':>7}")
    for line in lines:
        print(f"{line['work']:8} {line['peer']:10} {line['measure']:19} {line['ours']:9.2f} {line['theirs']:9.2f} {line['ratio']:7.2f}")


if __name__ == "__main__":
    main()
