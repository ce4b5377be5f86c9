"""README.md's list of the questions, written from the questions themselves."""

import pathlib

from ask import QUESTIONS

FILE = pathlib.Path(__file__).resolve().parent / "README.md"
MARK = "<!-- the rest is written by `probe.py --readme` -->\n"


def table():
    lines, service = [], None
    for question in QUESTIONS:
        if question.service != service:
            service = question.service
            count = sum(q.service == service for q in QUESTIONS)
            lines += ["", f"## {service} ({count})", "", "| id | law | what AWS does | where AWS says so |", "|---|---|---|---|"]
        cells = [question.id, question.law or "", question.what, question.source]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return f"\n{len(QUESTIONS)} questions.\n" + "\n".join(lines) + "\n"


def parts():
    text = FILE.read_text()
    head, mark, rest = text.partition(MARK)
    if not mark:
        raise SystemExit(f"{FILE} has no line {MARK.strip()}")
    return head + mark, rest


def write():
    head, _ = parts()
    FILE.write_text(head + table())
    return 0


def held():
    if parts()[1] == table():
        return 0
    print(f"{FILE} does not list the questions as they are: run probe.py --readme")
    return 1
