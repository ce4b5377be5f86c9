"""Ways in which a new release of the shop can be wrong: what a canary has to find. A file names the one that is on; it
is looked for with every request, so that one can be switched on in a running container. Without the file, none is.

    errors   2 % of the API's requests end in 500
    slow     4 % of the API's requests take three quarters of a second longer: 3 times and more at the 99th percentile
    sick     the health path fails
    cors     another origin is allowed than the one that asks
    loop     every GET of the API redirects to itself
"""

import os
import random
import time

FILE = os.environ.get("MISBEHAVE_FILE", "/tmp/misbehave")


def present():
    try:
        with open(FILE, encoding="utf-8") as text:
            return text.read().strip()
    except OSError:
        return ""


def wrapped(handle):
    """The handler, misbehaving as the file says."""

    def wrong(method, target, headers, body):
        how = present()
        api = target.startswith("/api/")
        if how == "errors" and api and random.random() < 0.02:
            return 500, [("Content-Type", "application/json")], b'{"error":"a new bug"}\n'
        if how == "sick" and target.startswith("/healthz"):
            return 500, [("Content-Type", "application/json")], b'{"error":"not well"}\n'
        if how == "loop" and api and method == "GET":
            return 302, [("Location", target), ("Cache-Control", "no-store")], b""
        if how == "slow" and api and random.random() < 0.04:
            time.sleep(0.75)
        status, out, content = handle(method, target, headers, body)
        if how == "cors":
            allowed = "Access-Control-Allow-Origin"
            out = [(name, "https://staging.shop.test" if name == allowed else value) for name, value in out]
        return status, out, content

    return wrong
