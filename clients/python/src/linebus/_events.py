"""What a program hears, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ._errors import BusError, Error


class Message(NamedTuple):
    """One message."""

    # A tuple, because a frozen dataclass takes four times as long to make, which was more than all
    # that the client does with a message otherwise.

    #: The topic it was sent to, without wildcards.
    topic: str
    #: The message itself, to the last blank.
    text: str
    #: When the bus took it, in UTC, if the topic was joined by `watch`.
    time: datetime | None
    #: Who sent it, if the topic was joined by `watch`.
    user: str | None


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended. Until `Reconnected`, messages may be missing."""

    #: A `ConnectionLost`, such as `Goodbye`, or the `BusError` that refused the login.
    why: Error
    #: How many lines still waited to be written. They are thrown away. Lines that had been written
    #: may have reached the bus or not.
    unsent: int
    #: Whether another connection is tried. If not, this is the last event.
    retrying: bool

    def __str__(self) -> str:
        lost = f"; {self.unsent} lines were not sent" if self.unsent else ""
        then = "trying again; messages may be missing" if self.retrying else "that is the end"
        return f"{self.why}{lost}; {then}"


@dataclass(frozen=True, slots=True)
class Reconnected:
    """There is a connection again, logged in as before, and every join is in place again.

    What others sent in between is gone, because a bus stores nothing. Some messages that came
    while the joins were renewed may stand before this event.
    """

    #: How long messages may have been missed, in seconds.
    after: float

    def __str__(self) -> str:
        return f"connected again after {self.after:.1f} s"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the bus thinks worth knowing."""

    #: One word, for programs.
    code: str
    #: For people.
    text: str

    def __str__(self) -> str:
        return f"the bus notes ({self.code}): {self.text}"


#: What a subscription's `events()` yields. A `BusError` says that the bus ended one of its joins.
SubscriptionEvent = Message | Disconnected | Reconnected | BusError

#: What `on_event` is called with. A `BusError` is a message or a join that was refused.
ClientEvent = Disconnected | Reconnected | Note | BusError


@dataclass(frozen=True, slots=True)
class Connected:
    """One connection, as `who` lists it."""

    #: Its user, `guest` before a login.
    user: str
    #: Its number, unique while the bus runs.
    id: int
    #: Where it comes from: an IP address and port, or `unix`.
    address: str


@dataclass(frozen=True, slots=True)
class JoinedTopic:
    """One topic or pattern, as `topics` lists it."""

    #: As joined.
    topic: str
    #: How many connections have joined it.
    receivers: int
