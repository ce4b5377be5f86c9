"""Requests that boto3 would not send: unsigned, to an address of the edge, or of an action that is none; and DNS."""

import http.client
import secrets
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from account import REGION


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the redirect is the answer."""

    def redirect_request(self, *_):
        return None


OPEN = urllib.request.build_opener(Stay)


def anonymous(url, method="GET", body=None, headers=None):
    """Status, body and headers of a request nobody signed."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with OPEN.open(request, timeout=15) as got:
            return got.status, got.read(), got.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def signed(a, service, body):
    """Status and body of a signed form of the query protocol."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", a.endpoint + "/", data=body, headers=headers)
    credentials = boto3.session.Session(*a.key).get_credentials()
    SigV4Auth(credentials, service, REGION).add_auth(request)
    status, got, _ = anonymous(a.endpoint + "/", "POST", body, dict(request.headers))
    return status, got


def visit(address, host, path="/", method="GET", headers=None):
    """Status, body and headers from an edge's address, asked for a host; port 80 is served on 8080 there."""
    connection = http.client.HTTPConnection(address, 8080, timeout=15)
    try:
        connection.request(method, path, headers={"Host": host, **(headers or {})})
        got = connection.getresponse()
        return got.status, got.read().decode(), got.headers
    finally:
        connection.close()


def lookup(a, name, kind=1):
    """The answers of the name server, and its code: addresses for A, else how many there are."""
    host, _, port = a.dns.rpartition(":")
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    query = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)
        udp.sendto(query, (host, int(port)))
        reply = udp.recv(4096)
    flags, count = struct.unpack(">HxxH", reply[2:8])
    found, at = [], len(query)
    for _ in range(count):
        while reply[at] and reply[at] < 0xC0:
            at += reply[at] + 1
        at += 2 if reply[at] else 1
        of_kind, _, ttl, length = struct.unpack(">HHIH", reply[at : at + 10])
        if of_kind == 1:
            found.append((socket.inet_ntoa(reply[at + 10 : at + 14]), ttl))
        at += 10 + length
    return found, flags & 0xF
