"""What an answer says in its headers."""

from . import leaf


def look(operation, got):
    """Members that travel in headers parse, and required ones are there."""
    shape = operation.output_shape
    if shape is None:
        return []
    found = []
    for name, member in shape.members.items():
        if member.serialization.get("location") != "header":
            continue
        header = member.serialization.get("name", name)
        if header in got:
            found += leaf.text(member, got[header], f"the header {header}", moment="rfc822")
        elif name in shape.required_members:
            found.append(f"there is no header {header}, which is required")
    return found
