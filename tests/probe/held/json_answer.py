"""JSON answers."""

import json

from . import data


def answer(_, shape, body):
    """The body is the output; an operation without one answers an empty body or `{}`."""
    got = json.loads(body) if body.strip() else {}
    if shape is None:
        return [] if got in ({}, None) else [f"the output has no members, and the body is {got!r}"]
    return data.value(shape, got, "", data.JSON_MOMENT)
