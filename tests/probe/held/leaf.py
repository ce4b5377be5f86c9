"""Whether a scalar's text is what its shape says."""

import base64
import re

NUMBER = {"integer": r"-?\d+", "long": r"-?\d+", "short": r"-?\d+", "float": r"-?[\d.]+([eE][-+]?\d+)?"}
NUMBER["double"] = NUMBER["float"]
MOMENT = {
    "iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "rfc822": r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT",
    "unixTimestamp": r"\d+(\.\d+)?",
}


def text(shape, value, path, moment="iso8601"):
    """What is wrong with a value written as text."""
    kind = shape.type_name
    if kind == "boolean":
        fits = value in ("true", "false")
    elif kind in NUMBER:
        fits = re.fullmatch(NUMBER[kind], value) is not None
    elif kind == "timestamp":
        fits = re.fullmatch(MOMENT[shape.serialization.get("timestampFormat", moment)], value) is not None
    elif kind == "blob":
        try:
            base64.b64decode(value, validate=True)
            fits = True
        except ValueError:
            fits = False
    else:
        return among(shape, value, path)
    return [] if fits else [f"{path}: {value!r} is no {kind}"]


def among(shape, value, path):
    """Whether a text is one of its enumeration's."""
    values = shape.metadata.get("enum")
    return [] if not values or value in values else [f"{path}: {value!r} is none of {', '.join(values[:12])}"]
