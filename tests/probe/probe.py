#!/usr/bin/env python3
"""Asks the rehearsal's cloud what AWS would answer, and says where it answers otherwise.

    probe.py --program target/debug/outgrow     starts a cloud, asks everything, ends it
    probe.py --endpoint http://127.0.0.1:4600   asks a server that is there
    probe.py --only R53                         asks what the pattern finds in an id or a question
    probe.py --readme                           writes the list of the questions into README.md
    probe.py --readme --check                   says whether the list there is this one

Every answer is also held against botocore's model of the service (held/). The last line is `N passed, N failed`.
"""

import argparse
import concurrent.futures
import pathlib
import re
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import readme  # noqa: E402
from account import Account  # noqa: E402
from ask import NotAsked, QUESTIONS, Wrong  # noqa: E402
from asked import load  # noqa: E402
from held import Check  # noqa: E402
from server import Server  # noqa: E402

AT_ONCE = 8


def put(question, account):
    """What is wrong with the answer to a question, or nothing; and whether it was asked at all."""
    with account.check.during(question.id) as shapes:
        try:
            with account.asked():
                question.ask(account)
        except NotAsked as why:
            return question, [], str(why), 0
        except Wrong as wrong:
            return question, [str(wrong)] + shapes.found, None, 0
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{pathlib.Path(last.filename).name}:{last.lineno}"
            return question, [f"{type(error).__name__} at {where}: {str(error)[:400]}"] + shapes.found, None, 0
        return question, shapes.found, None, 0


def ask_all(account, questions):
    """Asks, several at a time; those that need the account for themselves last."""
    passed = failed = skipped = 0
    alone = [q for q in questions if getattr(q.ask, "alone", False)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda q: put(q, account), [q for q in questions if q not in alone]))
    answers += [put(q, account) for q in alone]
    for question, wrong, not_asked, _ in sorted(answers, key=lambda a: a[0].id):
        if not_asked:
            skipped += 1
            print(f"not asked: {question.id} {question.what}: {not_asked}")
        elif wrong:
            failed += 1
            law = f" [law {question.law}]" if question.law else ""
            print(f"WRONG {question.id} {question.what}{law}\n      ({question.source})")
            for line in dict.fromkeys(wrong):
                print(f"      {line}")
        else:
            passed += 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(HERE.parents[1] / "target/debug/outgrow"))
    parser.add_argument("--endpoint")
    parser.add_argument("--dns", help="the name server of --endpoint, ADDRESS:PORT")
    parser.add_argument("--only", metavar="PATTERN")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    load()
    if args.readme:
        sys.exit(readme.held() if args.check else readme.write())
    questions = [q for q in QUESTIONS if not args.only or re.search(args.only, f"{q.id} {q.what} {q.law or ''}")]
    began = time.monotonic()
    if args.endpoint:
        key = {"AWS_ACCESS_KEY_ID": "outgrow", "AWS_SECRET_ACCESS_KEY": "rehearsal"}
        passed, failed, skipped = ask_all(
            Account({"endpoint": args.endpoint, "dns": args.dns, "variables": key}, Check()), questions
        )
    else:
        with Server(args.program) as ready:
            passed, failed, skipped = ask_all(Account(ready, Check()), questions)
    print(f"{len(questions)} questions in {time.monotonic() - began:.0f} s, {skipped} not asked")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
