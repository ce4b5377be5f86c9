"""Starts the shop's app server on port 8000 (PORT)."""

import os
import signal
import sys
import threading

import misbehave
import settings
from http1 import Server
from pool import Pool
from shop import Shop


def main():
    chosen = settings.load()
    pool = Pool(chosen.dsn, chosen.pool_size, chosen.pool_wait)
    server = Server(int(os.environ.get("PORT", "8000")), misbehave.wrapped(Shop(chosen, pool).handle))
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    threading.Thread(target=server.serve, daemon=True).start()
    print(f"{chosen.name}: serving; database {chosen.dsn['host']}:{chosen.dsn['port']}/{chosen.dsn['dbname']}", file=sys.stderr)
    end.wait()
    print(f"{chosen.name}: ending", file=sys.stderr)
    server.stop(1.8)
    os._exit(0)


main()
