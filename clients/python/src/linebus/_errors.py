"""What can go wrong. Bad arguments are `ValueError`s; everything else is an `Error`."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

_E = TypeVar("_E", bound="Error")


class Error(Exception):
    """The base of this package's errors."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        # `OSError`, a base of some, keeps only some arguments; copies and pickles need all.
        self._parts = parts

    def __str__(self) -> str:
        return " ".join(map(str, self._parts))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts


class ConnectError(Error, ConnectionError):
    """No connection came about, or no hello and login in the time set for it."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__(address, text)
        self.address = address
        self.text = text

    def __str__(self) -> str:
        return f"can't connect to {self.address}: {self.text}"


class ConnectionLost(Error, ConnectionError):
    """There is no connection at the moment, or it broke before the answer came.

    A command that was under way may have been carried out; nothing is ever sent again.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Goodbye(ConnectionLost):
    """The bus said why it ended the connection."""

    def __init__(self, reason: str, text: str) -> None:
        Error.__init__(self, reason, text)
        #: One word, such as `shutdown`, `slow` or `kicked`; PROTOCOL.md lists them.
        self.reason = reason
        #: For people.
        self.text = text

    def __str__(self) -> str:
        return f"the bus said goodbye ({self.reason}): {self.text}"


class ProtocolError(ConnectionLost):
    """The other side sent what is not the protocol, or is no bus at all."""


class Closed(ConnectionLost):
    """The connection is gone and there will be no other."""

    def __init__(self, why: Error) -> None:
        Error.__init__(self, why)
        #: What ended it.
        self.why = why
        self.text = str(why)

    def __str__(self) -> str:
        return f"the connection is closed: {self.why}"


class BusError(Error):
    """The bus refused a line."""

    def __init__(self, verb: str, code: str, text: str) -> None:
        super().__init__(verb, code, text)
        #: The command's verb, or `line`.
        self.verb = verb
        #: One word, for programs, such as `denied`; PROTOCOL.md lists them.
        self.code = code
        #: What to do about it, for people.
        self.text = text

    def __str__(self) -> str:
        return f"the bus refused {self.verb} ({self.code}): {self.text}"


class AnswerTimeout(Error, TimeoutError):
    """The bus did not answer in time; whether it carried the command out is unknown.

    The usual cause is in the program: answers come on the same connection as messages, so while
    a subscription is full of unread ones, no answer can arrive. `unread` tells.
    """

    def __init__(self, verb: str, after: float, unread: int) -> None:
        super().__init__(verb, after, unread)
        self.verb = verb
        #: The time set for it, in seconds.
        self.after = after
        #: How many messages the program has not read.
        self.unread = unread

    def __str__(self) -> str:
        waiting = f"while {self.unread} messages wait to be read"
        return f"no answer to {self.verb} within {self.after:g} s, {waiting}"


class AskTimeout(Error, TimeoutError):
    """Nobody said `done` on the reply topic in time."""

    def __init__(self, after: float) -> None:
        super().__init__(after)
        #: The time set for it, in seconds.
        self.after = after

    def __str__(self) -> str:
        return f"the answers were not complete within {self.after:g} s"


def fresh(error: _E) -> _E:
    """The same error without a traceback, for one more who is told of it."""
    return copy.copy(error)
