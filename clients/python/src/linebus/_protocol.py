"""The wire: what may stand in a line, and bytes cut into lines. No IO, no clock, no state of a
session. PROTOCOL.md is what it follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ._errors import ProtocolError
from ._events import Message

VERSION = 1
PORT = 5463
TLS_PORT = 5464

_TOPIC_BYTES_MAX = 200
_TOPIC_TOKENS_MAX = 16
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# C0 and DEL but TAB, and in text of lines that are not cut yet, LF.
_CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n") + b"\x7f"
_CONTROLS_AND_LF = _CONTROLS + b"\n"
_new_tuple = tuple.__new__
_C1 = re.compile("[\x80-\x9f]")

#: Longest line before `hello` has said what is usual on this bus, in bytes.
HELLO_BYTES_MAX = 1024
#: A `watch` line is longer than the `send` line that caused it by time, user, two blanks and a
#: letter: less than this many bytes.
_WATCH_BYTES_EXTRA = 256
#: Longest line that is believed whatever `hello` said, in bytes.
_LINE_BYTES_BELIEVED = 64 * 1024 * 1024


def is_name(word: str) -> bool:
    """Whether `word` may be a user or a group."""
    return _NAME.fullmatch(word) is not None


@lru_cache(maxsize=4096)
def check_pattern(word: str) -> bytes:
    """A topic, perhaps with wildcards, as it stands in a line."""
    why = _what_is_wrong(word)
    if why is not None:
        raise ValueError(f"{word!r} is no topic: {why}")
    return word.encode("ascii")


@lru_cache(maxsize=4096)
def check_topic(word: str) -> bytes:
    """A topic that one may send to, as it stands in a line."""
    checked = check_pattern(word)
    if "*" in word or ">" in word:
        raise ValueError(f"{word!r} is no topic: no wildcards here: name one topic")
    if word.startswith("$"):
        raise ValueError(f"nobody but the bus itself sends to {word!r}")
    return checked


def _what_is_wrong(word: str) -> str | None:
    if len(word.encode("utf-8", "replace")) > _TOPIC_BYTES_MAX:
        return f"a topic has at most {_TOPIC_BYTES_MAX} bytes"
    tokens = word.removeprefix("$").split(".")
    if len(tokens) > _TOPIC_TOKENS_MAX:
        return f"a topic has at most {_TOPIC_TOKENS_MAX} tokens between its dots"
    for at, token in enumerate(tokens):
        if not token:
            return "a topic has no empty tokens: no dot at either end and no two in a row"
        if "*" in token or ">" in token:
            alone = token == "*" or (token == ">" and at == len(tokens) - 1)
            if not alone or (at == 0 and word.startswith("$")):
                return "* stands for one whole token, > for all that follow and only at the end"
        elif not _TOKEN.fullmatch(token):
            return "a topic is made of letters, digits, _ and -, in tokens joined by dots"
    return None


def check_text(text: str) -> bytes:
    """A message, or a password, as it stands in a line."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise ValueError("a message is text that UTF-8 can write, without surrogates") from None
    if len(data.translate(None, _CONTROLS_AND_LF)) != len(data) or (
        not data.isascii() and _C1.search(text)
    ):
        raise ValueError(
            "a message is one line of text without control characters; "
            "send several lines as several messages"
        )
    return data


def matches(pattern: str, topic: str) -> bool:
    """Whether a line sent to `topic` is one that `pattern` asks for."""
    if topic.startswith("$") and pattern[0] in "*>":
        return False
    wanted, tokens = pattern.split("."), topic.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(tokens) <= len(wanted):
            return False
        tokens = tokens[: len(wanted)]
    return len(wanted) == len(tokens) and all(
        one in ("*", token) for one, token in zip(wanted, tokens, strict=True)
    )


def overlap(one: str, other: str) -> bool:
    """Whether there is a topic that both patterns match."""
    for first, second in ((one, other), (other, one)):
        if first.startswith("$") and second[0] in "*>":
            return False
    left, right = one.split("."), other.split(".")
    for a, b in zip(left, right, strict=False):
        if ">" in (a, b):
            return True
        if a != b and "*" not in (a, b):
            return False
    return len(left) == len(right)


class Hello(NamedTuple):
    """The first line of every connection."""

    version: int
    line_bytes_max: int
    login_required: bool


def parse_hello(line: str) -> Hello | None:
    """`hello linebus 1 line-max=65536 login=open`, perhaps with more behind it."""
    found = re.match(
        r"hello linebus (\d{1,9}) line-max=(\d{1,9}) login=(\S+)(?: |$)", line, re.ASCII
    )
    if found is None:
        return None
    return Hello(int(found[1]), int(found[2]), found[3] == "required")


def parse_recv(line: str) -> Message:
    """`recv <topic> <message>`"""
    try:
        _, topic, text = line.split(" ", 2)
    except ValueError:
        raise malformed(line) from None
    # Half of the time that Message(…) takes.
    return _new_tuple(Message, (topic, text, None, None))


def parse_watch(line: str) -> Message:
    """`watch <topic> <time> <user> <message>`"""
    try:
        _, topic, time, user, text = line.split(" ", 4)
        if not time.endswith("Z"):
            raise malformed(line)
        when = datetime.fromisoformat(time[:-1] + "+00:00")
    except ValueError:
        raise malformed(line) from None
    return Message(topic, text, when, user)


def malformed(line: str | bytes) -> ProtocolError:
    """The error for a line that is none."""
    return ProtocolError(f"the bus sent what is not the protocol: {excerpt(line)}")


def excerpt(line: str | bytes) -> str:
    """The beginning of what a stranger said, fit to be printed."""
    shown = line[:60]
    return repr(shown).removeprefix("b") + ("…" if len(shown) < len(line) else "")


class LineBuffer:
    """Bytes from the bus, cut into lines.

    It holds at most one unfinished line. Lines are checked for UTF-8 and control characters all
    at once, as the bus does with what it takes.
    """

    def __init__(self) -> None:
        self._unfinished: list[bytes] = []
        self._unfinished_bytes = 0
        self._line_bytes_max = HELLO_BYTES_MAX

    def accept_lines_of(self, line_bytes_max: int) -> None:
        """Takes note of what `hello` says about lines sent to the bus."""
        self._line_bytes_max = min(line_bytes_max + _WATCH_BYTES_EXTRA, _LINE_BYTES_BELIEVED)

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, without their ends.

        Raises `ProtocolError` for what is no text, or for a line longer than lines may be.
        """
        end = data.rfind(b"\n") + 1
        if end == 0:
            self._keep(data)
            return []
        whole = data[:end] if end < len(data) else data
        if self._unfinished:
            whole = b"".join((*self._unfinished, whole))
            self._unfinished.clear()
            self._unfinished_bytes = 0
        if end < len(data):
            self._keep(data[end:])
        lines = _decode(whole).split("\n")
        lines.pop()
        return lines

    def _keep(self, data: bytes) -> None:
        self._unfinished.append(data)
        self._unfinished_bytes += len(data)
        if self._unfinished_bytes > self._line_bytes_max:
            raise ProtocolError(
                f"the bus sent what is not the protocol: "
                f"a line of more than {self._line_bytes_max} bytes"
            )

    def unfinished(self) -> bytes:
        """What came so far of a line."""
        return b"".join(self._unfinished)


def _decode(lines: bytes) -> str:
    if len(lines.translate(None, _CONTROLS)) == len(lines):
        try:
            text = lines.decode()
        except UnicodeDecodeError:
            raise malformed(_first_bad(lines.split(b"\n"))) from None
        if lines.isascii() or not _C1.search(text):
            return text
    raise malformed(_first_bad(lines.split(b"\n")))


def _first_bad(lines: Iterable[bytes]) -> bytes:
    for line in lines:
        try:
            check_text(line.decode())
        except ValueError:
            return line
    raise AssertionError("one of the lines was found bad")
