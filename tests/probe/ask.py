"""How a question is written: a function, what it is about, where AWS says so; and what an answer can be."""

from botocore.exceptions import ClientError

QUESTIONS = []


class Question:
    """One question to the cloud."""

    def __init__(self, service, number, what, source, law, ask):
        self.id = f"{service}-{number:02}"
        self.service, self.what, self.source, self.law, self.ask = service, what, source, law, ask


class Wrong(Exception):
    """The cloud did not answer as AWS does."""


class NotAsked(Exception):
    """The question needs something that is not here, such as a host for database servers."""


def of(service, guide):
    """The decorator for the questions of a service; `guide`, if there is one, stands before the name of the page."""
    count = [0]

    def about(what, page, law=None):
        def register(ask):
            count[0] += 1
            QUESTIONS.append(Question(service, count[0], what, f"{guide}: {page}" if guide else page, law, ask))
            return ask

        return register

    return about


def refused(code, call, status=400, saying=None):
    """The call is refused with this error code (one of several, where AWS documents no single one) and status."""
    codes = (code,) if isinstance(code, str) else code
    wanted = f"{' or '.join(codes)} ({status})"
    try:
        got = call()
    except ClientError as error:
        told = error.response["Error"].get("Code"), error.response["ResponseMetadata"]["HTTPStatusCode"]
        message = error.response["Error"].get("Message") or ""
        if told[0] not in codes or told[1] != status:
            raise Wrong(f"expected {wanted}, got {told[0]} ({told[1]}): {message}") from None
        if saying and saying.lower() not in message.lower():
            raise Wrong(f"expected a message about {saying!r}, got: {message}") from None
        return error.response
    if hasattr(got, "keys"):
        got = {key: value for key, value in got.items() if key != "ResponseMetadata"}
    raise Wrong(f"expected {wanted}, and it was accepted: {short(got)}")


def same(got, wanted, of_what=""):
    """The two are equal."""
    if got != wanted:
        raise Wrong(f"{of_what + ': ' if of_what else ''}expected {short(wanted)}, got {short(got)}")


def true(holds, what):
    """It holds; `what` says what was expected."""
    if not holds:
        raise Wrong(f"expected {what}")


def short(value):
    text = repr(value)
    return text if len(text) < 300 else text[:297] + "..."
