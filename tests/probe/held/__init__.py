"""Holds every answer against botocore's model of its service: the shapes that AWS itself publishes."""

import contextlib
import threading

from . import cbor_answer, errors, headers, json_answer, xml_answer

BY_PROTOCOL = {
    "query": xml_answer.query,
    "ec2": xml_answer.ec2,
    "rest-xml": xml_answer.rest,
    "json": json_answer.answer,
    "rest-json": json_answer.answer,
    "smithy-rpc-v2-cbor": cbor_answer.answer,
}


class Found:
    """What was found in the answers to one question."""

    def __init__(self):
        self.found = []


class Check:
    """Watches clients; what it finds belongs to the question whose thread made the call."""

    def __init__(self):
        self._thread = threading.local()

    def watch(self, client):
        client.meta.events.register("before-parse.*.*", self._look)

    @contextlib.contextmanager
    def during(self, _question):
        self._thread.now = Found()
        try:
            yield self._thread.now
        finally:
            self._thread.now = None

    def _look(self, operation_model, response_dict, **_):
        now = getattr(self._thread, "now", None)
        if now is None:
            return
        service = operation_model.service_model
        where = f"{service.service_name} {operation_model.name}"
        for found in look(service.resolved_protocol, operation_model, response_dict):
            now.found.append(f"{where}: {found}")


def look(protocol, operation, response):
    """What in the answer is not as the model has it."""
    status, body = response["status_code"], response["body"]
    if status >= 300:
        # A 304 and the answer to a HEAD have no body to say more.
        return errors.look(protocol, operation, status, response) if body else []
    found = headers.look(operation, response["headers"])
    shape = operation.output_shape
    if operation.has_streaming_output or operation.has_event_stream_output:
        return found
    try:
        return found + BY_PROTOCOL[protocol](operation, shape, body)
    except ValueError as why:
        return found + [f"the body cannot be read: {why}"]
