"""The account the questions are asked in: a client a service, names nobody has, and things several questions share."""

import contextlib
import itertools
import threading
import time

import boto3
from botocore.config import Config

from ask import Wrong

REGION = "ap-northeast-2"
# What is asked is sent as it is: boto3's own checks would refuse it before AWS could.
RAW = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
)
SERVICES = ["s3", "sts", "ec2", "elbv2", "route53", "cloudfront", "acm", "rds", "cloudwatch", "secretsmanager"]
# AWS's own ceiling for the whole account is five (law R8).
ROUTE53_SECONDS = 0.22


PATIENT = {"retries": {"total_max_attempts": 8, "mode": "standard"}}
# A server that refuses before it has read a body closes the connection, and S3 does: that is no answer yet.
HOLDING_ON = {"retries": {"total_max_attempts": 3, "mode": "standard"}}
HOW = {"route53": PATIENT, "s3": HOLDING_ON}


class Account:
    """What a question is given."""

    def __init__(self, ready, check):
        self.ready, self.endpoint, self.check = ready, ready["endpoint"], check
        self.dns = ready.get("dns")
        self.key = ready["variables"]["AWS_ACCESS_KEY_ID"], ready["variables"]["AWS_SECRET_ACCESS_KEY"]
        self._session = boto3.session.Session()
        self._count, self._lock, self._shared = itertools.count(1), threading.RLock(), {}
        self._locks, self._route53_free, self._thread = {}, 0.0, threading.local()
        self._run = f"{int(time.time()) % 0xFFFFFF:06x}"
        for service in SERVICES:
            setattr(self, service, self.client(service, **HOW.get(service, {})))
        self.route53.meta.events.register("before-send.route-53.*", self._pace)
        self.s3_bare = self.client("s3", request_checksum_calculation="when_required", **HOLDING_ON)
        self.acm_us = self.client("acm", region="us-east-1")

    def client(self, service, region=REGION, key=None, secret=None, checked=True, **config):
        """A client; by default the account's own."""
        with self._lock:
            client = self._session.client(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id=key or self.key[0],
                aws_secret_access_key=secret or self.key[1],
                config=RAW.merge(Config(**config)),
            )
        if checked and self.check:
            self.check.watch(client)
        return client

    def name(self, prefix="probe"):
        """A name nobody has: lower-case letters, digits and hyphens."""
        return f"{prefix}-{self._run}-{next(self._count)}"

    def afterwards(self, tidy):
        """Done when the question that asks for it is over."""
        self._thread.tidy.append(tidy)

    @contextlib.contextmanager
    def asked(self):
        """Tidies up behind a question."""
        self._thread.tidy = []
        try:
            yield
        finally:
            for tidy in reversed(self._thread.tidy):
                tidy()

    def shared(self, what, make):
        """Made once, for every question that asks for it."""
        with self._lock:
            lock = self._locks.setdefault(what, threading.RLock())
        with lock:
            if what not in self._shared:
                self._shared[what] = make()
            return self._shared[what]

    def wait(self, what, look, seconds=30, every=0.25):
        """Looks until it is so; gives what was seen."""
        end = time.monotonic() + seconds
        while True:
            seen = look()
            if seen:
                return seen
            if time.monotonic() > end:
                raise Wrong(f"expected {what} within {seconds} s")
            time.sleep(every)

    def _pace(self, **_):
        with self._lock:
            at = max(self._route53_free, time.monotonic())
            self._route53_free = at + ROUTE53_SECONDS
        time.sleep(max(0.0, at - time.monotonic()))
