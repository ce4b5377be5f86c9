"""A small HTTP/1.1 server: a thread a connection, keep-alive, and an end that lets running requests finish."""

import os
import socket
import sys
import threading
import time
import traceback

LIMIT_HEAD = 32 * 1024
LIMIT_BODY = 1024 * 1024
IDLE_SECONDS = 75  # longer than a balancer's idle time, so that it closes first
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 302: "Found", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 413: "Content Too Large", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable",
}


class BadRequest(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Server:
    """handle(method, target, headers, body) → (status, [(name, value)], body bytes)."""

    def __init__(self, port, handle):
        self.handle = handle
        self.stopping = False
        self.connections = {}  # socket → busy
        self.lock = threading.Lock()
        self.listener = socket.create_server(("", port), backlog=512, reuse_port=False)

    def serve(self):
        while not self.stopping:
            try:
                client, _ = self.listener.accept()
            except OSError:
                break
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(IDLE_SECONDS)
            with self.lock:
                self.connections[client] = False
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def stop(self, seconds):
        """No new connection, no new request; what runs may finish within `seconds`."""
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        deadline = time.monotonic() + seconds
        with self.lock:
            idle = [client for client, busy in self.connections.items() if not busy]
        for client in idle:
            try:
                client.shutdown(socket.SHUT_RD)  # what has arrived is still read and answered
            except OSError:
                pass
        while time.monotonic() < deadline:
            with self.lock:
                if not self.connections:
                    return
            time.sleep(0.01)

    def _talk(self, client):
        reader = client.makefile("rb", buffering=16 * 1024)
        try:
            while True:
                try:
                    request = read_request(reader, client)
                except BadRequest as error:
                    client.sendall(render("GET", error.status, [], str(error).encode() + b"\n", False))
                    break
                if request is None:
                    break
                with self.lock:
                    self.connections[client] = True
                method, target, headers, body, keep = request
                try:
                    status, out, content = self.handle(method, target, headers, body)
                except Exception:
                    traceback.print_exc(file=sys.stderr)
                    status, out, content = 500, [("Content-Type", "application/json")], b'{"error":"internal error"}\n'
                keep = keep and not self.stopping
                client.sendall(render(method, status, out, content, keep))
                with self.lock:
                    self.connections[client] = False
                if not keep:
                    break
        except OSError:
            pass  # the other side went away, or was idle too long
        finally:
            with self.lock:
                self.connections.pop(client, None)
            reader.close()
            client.close()


def read_request(reader, client):
    line = reader.readline(LIMIT_HEAD)
    while line in (b"\r\n", b"\n"):
        line = reader.readline(LIMIT_HEAD)
    if not line:
        return None
    try:
        method, target, version = line.decode("latin-1").split()
    except ValueError:
        raise BadRequest(400, "not a request line") from None
    headers, size = {}, len(line)
    while True:
        line = reader.readline(LIMIT_HEAD)
        size += len(line)
        if size > LIMIT_HEAD:
            raise BadRequest(431, "the header is too long")
        if line in (b"\r\n", b"\n"):
            break
        name, colon, value = line.decode("latin-1").partition(":")
        if not line.endswith(b"\n") or not colon:
            raise BadRequest(400, "not a header line")
        headers[name.lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = read_body(reader, headers)
    wish = headers.get("connection", "").lower()
    keep = "close" not in wish if version == "HTTP/1.1" else "keep-alive" in wish
    return method, target, headers, body, keep


def read_body(reader, headers):
    coding = headers.get("transfer-encoding", "").lower()
    if coding == "chunked":
        body = b""
        while True:
            size = reader.readline(64).split(b";")[0].strip()
            try:
                size = int(size, 16)
            except ValueError:
                raise BadRequest(400, "not a chunk") from None
            if len(body) + size > LIMIT_BODY:
                raise BadRequest(413, "the body is too long")
            if size == 0:
                while reader.readline(LIMIT_HEAD) not in (b"\r\n", b"\n", b""):
                    pass
                return body
            body += reader.read(size)
            reader.readline(64)
    if coding:
        raise BadRequest(501, "an unknown transfer coding")
    try:
        size = int(headers.get("content-length", 0))
    except ValueError:
        raise BadRequest(400, "not a content length") from None
    if size > LIMIT_BODY:
        raise BadRequest(413, "the body is too long")
    body = reader.read(size) if size > 0 else b""
    if len(body) < size:
        raise BadRequest(400, "the body ended early")
    return body


SERVED_BY = os.environ.get("HOSTNAME") or socket.gethostname()


def render(method, status, headers, body, keep):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"X-Served-By: {SERVED_BY}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: keep-alive" if keep else "Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if method == "HEAD" or status == 204 else head + body
