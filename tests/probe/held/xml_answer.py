"""XML answers: the query protocol, EC2's, and REST-XML."""

from xml.etree import ElementTree

from . import leaf


def query(operation, shape, body):
    """`<XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>`."""
    root, found = parsed(body, operation)
    found += named(root, f"{operation.name}Response")
    children = {plain(child.tag): child for child in root}
    metadata = children.pop("ResponseMetadata", None)
    if metadata is None or not metadata.findtext("{*}RequestId"):
        found.append("there is no ResponseMetadata with a RequestId")
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    if wrapper:
        inner = children.pop(wrapper, None)
        if inner is None:
            return found + [f"there is no {wrapper}"]
        found += structure(shape, inner, "")
    return found + [f"{name} is beside the result" for name in children]


def ec2(operation, shape, body):
    """`<XResponse><requestId/>…</XResponse>`."""
    root, found = parsed(body, operation)
    found += named(root, f"{operation.name}Response")
    if not root.findtext("{*}requestId"):
        found.append("there is no requestId")
    if shape is None:
        return found
    return found + structure(shape, root, "", beside=("requestId", "return"))


def rest(operation, shape, body):
    """The output, or the member that is its payload, is the root."""
    in_body = [] if shape is None else [m for m in shape.members.values() if "location" not in m.serialization]
    if not in_body:
        if not body.strip():
            return []
        root, found = parsed(body, operation)
        beside = list(root) or plain(root.tag) != f"{operation.name}Response"
        return found + (["there is a body, and the output has no members"] if beside else [])
    payload = shape.serialization.get("payload")
    if payload:
        member = shape.members[payload]
        if member.type_name in ("blob", "string"):
            return []
        if not body.strip():
            return [f"there is no {payload}"] if payload in shape.required_members else []
        root, found = parsed(body, operation)
        found += named(root, member.serialization.get("name", member.name))
        return found + structure(member, root, "")
    if not body.strip():
        return [f"there is no {name}" for name in shape.required_members]
    root, found = parsed(body, operation)
    return found + structure(shape, root, "")


def parsed(body, operation):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    wanted = operation.service_model.metadata.get("xmlNamespace")
    wanted = wanted.get("uri") if isinstance(wanted, dict) else wanted
    is_in = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else None
    wrong = wanted and (is_in or "").rstrip("/") != wanted.rstrip("/") and operation.service_model.service_name != "s3"
    return root, [f"the namespace is {is_in}, not {wanted}"] if wrong else []


def named(root, name):
    return [] if plain(root.tag) == name else [f"the root is {plain(root.tag)}, not {name}"]


def plain(tag):
    return tag.rpartition("}")[2]


def value(shape, node, path):
    """What is wrong with an element."""
    kind = shape.type_name
    if kind == "structure":
        return structure(shape, node, path)
    if kind == "list":
        return items(shape, list(node), path, shape.member.serialization.get("name", "member"))
    if kind == "map":
        return entries(shape, list(node), path)
    if len(node):
        return [f"{path} holds elements and is a {kind}"]
    return leaf.text(shape, node.text or "", path)


def items(shape, nodes, path, name):
    found = [f"{path} holds {plain(n.tag)}, not {name}" for n in nodes if plain(n.tag) != name]
    for at, node in enumerate(nodes):
        found += value(shape.member, node, f"{path}[{at}]")
    return found


def entries(shape, nodes, path):
    key, held = (s.serialization.get("name", d) for s, d in ((shape.key, "key"), (shape.value, "value")))
    found = []
    for node in nodes:
        inner = {plain(child.tag): child for child in node}
        found += [f"{path}: an entry has no {name}" for name in (key, held) if name not in inner]
        if held in inner:
            found += value(shape.value, inner[held], f"{path}.{key}")
    return found


def structure(shape, node, path, beside=()):
    """Children against members, by the names the wire has for them."""
    found, by_name = [], {}
    for name, member in shape.members.items():
        serialized = member.serialization
        if "location" in serialized or serialized.get("xmlAttribute"):
            continue
        wire = serialized.get("name", name)
        flat = member.type_name in ("list", "map") and serialized.get("flattened")
        if flat and member.type_name == "list":
            wire = member.member.serialization.get("name", wire)
        by_name[wire] = (name, member, flat)
    present = {}
    for child in node:
        present.setdefault(plain(child.tag), []).append(child)
    for tag, children in present.items():
        here = f"{path}.{tag}" if path else tag
        if tag not in by_name:
            if tag not in beside:
                found.append(f"{here} is unknown to {shape.name}")
            continue
        _, member, flat = by_name[tag]
        if flat:
            found += items(member, children, here, tag) if member.type_name == "list" else entries(member, children, here)
            continue
        if len(children) > 1:
            found.append(f"{here} is there {len(children)} times")
        found += value(member, children[0], here)
    for wire, (name, member, flat) in by_name.items():
        if name in shape.required_members and wire not in present and not flat:
            found.append(f"{path or shape.name} has no {wire}, which is required")
    return found
