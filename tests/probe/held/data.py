"""Answers that are already values: JSON and CBOR."""

import datetime

from . import leaf

NUMBERS = ("integer", "long", "short", "float", "double")


def value(shape, got, path, moment):
    """What is wrong with a value; `moment` is the type of a timestamp."""
    kind = shape.type_name
    here = path or shape.name
    if kind == "structure":
        if not isinstance(got, dict):
            return [f"{here} is no structure: {got!r}"]
        found = [f"{here} has {name}, which {shape.name} does not know" for name in got if name not in wire(shape)]
        for name, member in wire(shape).items():
            if got.get(name) is not None:
                found += value(member, got[name], f"{path}.{name}" if path else name, moment)
            elif name in got:
                found.append(f"{here}.{name} is null")
        missing = [name for name in shape.required_members if name not in got]
        return found + [f"{here} has no {name}, which is required" for name in missing]
    if kind == "list":
        if not isinstance(got, list):
            return [f"{here} is no list: {got!r}"]
        return [f for at, item in enumerate(got) for f in value(shape.member, item, f"{path}[{at}]", moment)]
    if kind == "map":
        if not isinstance(got, dict):
            return [f"{here} is no map: {got!r}"]
        return [f for key, item in got.items() for f in value(shape.value, item, f"{path}.{key}", moment)]
    fits = {
        "boolean": isinstance(got, bool),
        "timestamp": isinstance(got, moment) and not isinstance(got, bool),
        "string": isinstance(got, str),
        "character": isinstance(got, str),
        "blob": isinstance(got, (str, bytes)),
    }
    whole = kind in NUMBERS and not isinstance(got, bool) and isinstance(got, (int, float))
    if kind in ("integer", "long", "short"):
        whole = whole and isinstance(got, int)
    if not fits.get(kind, whole):
        return [f"{here} is no {kind}: {got!r}"]
    return leaf.among(shape, got, here) if kind == "string" else []


def wire(shape):
    return {member.serialization.get("name", name): member for name, member in shape.members.items()}


JSON_MOMENT = (int, float)
CBOR_MOMENT = (datetime.datetime,)
