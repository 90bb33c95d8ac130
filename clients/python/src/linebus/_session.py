"""What the lines of a bus mean to this client: which subscription a message is for, which command
an answer answers, and what is to be said again on a new connection. No IO and no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ._errors import BusError, Error, Goodbye, ProtocolError
from ._events import ClientEvent, Disconnected, Note, Reconnected
from ._inbox import Inbox
from ._outgoing import Answer, Outgoing, Pending
from ._protocol import (
    VERSION,
    LineBuffer,
    excerpt,
    matches,
    overlap,
    parse_hello,
    parse_recv,
    parse_watch,
)

#: Most bytes of lines that one answer to `who` or `topics` may have. What exceeds it is read and
#: thrown away, and the command fails.
ANSWER_BYTES_MAX = 64 * 1024 * 1024
#: Topics of which it is remembered whose they are; then it is found out anew.
_ROUTES_MAX = 4096


class Handshake:
    """The beginning of a connection: hello, and login where there is a user."""

    def __init__(self, address: str, login: bytes | None) -> None:
        self._address = address
        self._login = login
        self._heard_hello = False
        self.line_bytes_max = 0
        self.done = False

    def take(self, line: str, buffer: LineBuffer) -> bytes:
        """Takes the next line; returns what is to be written. Raises why there is no connection."""
        verb, _, rest = line.partition(" ")
        if verb == "bye":
            raise goodbye(rest)
        if not self._heard_hello:
            return self._take_hello(line, buffer)
        if verb == "error":
            # Whatever verb it names: nothing else has been said.
            raise bus_error(rest)
        self.done = verb == "ok" and rest.split(" ")[0] == "login"
        return b""

    def _take_hello(self, line: str, buffer: LineBuffer) -> bytes:
        hello = parse_hello(line)
        if hello is None:
            raise not_a_bus(self._address, line)
        if hello.version != VERSION:
            raise ProtocolError(
                f"{self._address} speaks version {hello.version} of the protocol, "
                f"and this client version {VERSION}"
            )
        if hello.login_required and self._login is None:
            raise BusError(
                "connect",
                "login-first",
                "this bus wants to know who you are; "
                "write linebus://user:password@host, or give user and password",
            )
        self._heard_hello = True
        self.line_bytes_max = hello.line_bytes_max
        buffer.accept_lines_of(hello.line_bytes_max)
        if self._login is None:
            self.done = True
            return b""
        if len(self._login) > hello.line_bytes_max:
            raise BusError("login", "too-long", "user and password are longer than a line may be")
        return self._login


@dataclass
class Join:
    """A topic that is joined, or about to be."""

    #: `recv` or `watch`.
    verb: str
    pattern: str
    group: str | None
    inboxes: list[Inbox] = field(default_factory=list)

    def line(self) -> bytes:
        """The command that makes it."""
        group = f" {self.group}" if self.group else ""
        return f"{self.verb} {self.pattern}{group}\n".encode("ascii")


class Session:
    """All that outlives a connection, but for what is on its way to the bus."""

    def __init__(self, outgoing: Outgoing, on_event: Callable[[ClientEvent], None]) -> None:
        self._outgoing = outgoing
        self._on_event = on_event
        self._joins: dict[tuple[str, str], Join] = {}
        self._asks: dict[str, Inbox] = {}
        self._routes: dict[str, dict[str, tuple[Inbox, ...]]] = {"recv": {}, "watch": {}}
        #: Inboxes that have no room.
        self.full: set[Inbox] = set()
        self._answer: list[str] = []
        self._answer_bytes = 0

    # Joins

    def join(self, verb: str, pattern: str, group: str | None, inbox: Inbox) -> Join:
        """Takes note of a join that is about to be asked for: its first message may come before
        the answer.
        """
        join = self._joins.get((verb, pattern)) or Join(verb, pattern, group)
        for other in self._joins.values():
            # Of a member of a group that hears a line anyway, the bus does not say which it is.
            if (
                verb == other.verb
                and (group or other.group)
                and any(one is not inbox for one in other.inboxes)
                and overlap(pattern, other.pattern)
            ):
                raise ValueError(
                    f"{pattern!r} overlaps {other.pattern!r}, which another subscription of this "
                    "connection has joined; beside a group, use a connection of its own"
                )
        join.inboxes.append(inbox)
        self._joins[verb, pattern] = join
        self._routes[verb].clear()
        return join

    def leave(self, join: Join, inbox: Inbox) -> bool:
        """An inbox wants no more of it; whether the bus is to be told."""
        join.inboxes.remove(inbox)
        self._routes[join.verb].clear()
        if join.inboxes or self._joins.get((join.verb, join.pattern)) is not join:
            return False
        del self._joins[join.verb, join.pattern]
        # `leave` ends both kinds.
        return not any(join.pattern == other.pattern for other in self._joins.values())

    def ask(self, reply_topic: str, inbox: Inbox | None) -> None:
        """From now on, messages on a reply topic go to `inbox` alone; or not any more."""
        self._routes["recv"].clear()
        if inbox is None:
            self._asks.pop(reply_topic, None)
        else:
            self._asks[reply_topic] = inbox

    def rejoins(self, on_last: Callable[[], None]) -> list[tuple[bytes, Pending]]:
        """What a new connection has to say first. `on_last` is called when all is answered."""
        joins = list(self._joins.values())

        def pending(at: int, join: Join) -> Pending:
            def settle(answer: Answer) -> None:
                if isinstance(answer, BusError):
                    self._forget(join, answer)
                    self._on_event(answer)
                if at == len(joins) - 1 and not isinstance(answer, ConnectionError):
                    on_last()

            return Pending(join.verb, settle)

        if not joins:
            on_last()
        return [(join.line(), pending(at, join)) for at, join in enumerate(joins)]

    def _forget(self, join: Join, why: BusError) -> None:
        """The bus does not let this client hear it any more."""
        if self._joins.pop((join.verb, join.pattern), None) is not None:
            self._routes[join.verb].clear()
            for inbox in join.inboxes:
                inbox.push(why)

    # Events

    def tell(self, event: Disconnected | Reconnected) -> None:
        """Tells everyone that the connection has ended or come again."""
        for inbox in self._inboxes():
            inbox.push(event)
        self._on_event(event)

    def end_asks(self, why: Disconnected) -> None:
        """Answers are not waited for on another connection."""
        for inbox in self._asks.values():
            inbox.push(why)
            inbox.end()
        self._asks.clear()
        self._routes["recv"].clear()

    def end(self) -> None:
        """Nobody will hear anything more."""
        for inbox in (*self._inboxes(), *self._asks.values()):
            inbox.end()

    def unread(self) -> int:
        """How many events wait to be read."""
        return sum(len(inbox) for inbox in (*self._inboxes(), *self._asks.values()))

    def _inboxes(self) -> list[Inbox]:
        found = (inbox for join in self._joins.values() for inbox in join.inboxes)
        return list(dict.fromkeys(found))

    # Lines

    def take_lines(self, lines: list[str]) -> None:
        """Passes lines on. Raises why the connection ends."""
        touched: dict[Inbox, None] = {}
        routes = self._routes
        try:
            for line in lines:
                if line.startswith("recv "):
                    verb, message = "recv", parse_recv(line)
                elif line.startswith("watch "):
                    verb, message = "watch", parse_watch(line)
                else:
                    self._take_other(line)
                    continue
                topic = message[0]
                for inbox in routes[verb].get(topic) or self._route(verb, topic):
                    touched[inbox] = None
                    inbox.fresh.append(message)
                    inbox.fresh_bytes += len(line)
        finally:
            self.full.update(inbox for inbox in touched if inbox.commit())

    def _route(self, verb: str, topic: str) -> tuple[Inbox, ...]:
        """Who is to hear lines of a topic."""
        if verb == "recv" and topic in self._asks:
            found = [self._asks[topic]]
        else:
            found = [
                inbox
                for join in self._joins.values()
                if join.verb == verb and matches(join.pattern, topic)
                for inbox in join.inboxes
            ]
        routes = self._routes[verb]
        if len(routes) >= _ROUTES_MAX:
            routes.clear()
        inboxes = routes[topic] = tuple(dict.fromkeys(found))
        return inboxes

    def _take_other(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if verb == "pong":
            self._settle("ping", [])
        elif verb == "ok":
            self._take_ok(rest.partition(" ")[0])
        elif verb in ("who", "topic"):
            self._answer_bytes += len(line)
            if self._answer_bytes <= ANSWER_BYTES_MAX:
                self._answer.append(rest)
        elif verb == "error":
            self._take_error(bus_error(rest))
        elif verb == "note":
            code, _, text = rest.partition(" ")
            if code == "left":
                self._take_left(text)
            self._on_event(Note(code, text))
        elif verb == "bye":
            bye = goodbye(rest)
            with suppress(LookupError):
                self._outgoing.pop_pending("logoff").settle([])
            raise bye
        # Clients ignore verbs that they do not know.

    def _take_ok(self, verb: str) -> None:
        answer: Answer = self._answer
        if self._answer_bytes > ANSWER_BYTES_MAX:
            answer = Error(f"the answer is longer than {ANSWER_BYTES_MAX} bytes; ask for less")
        self._answer, self._answer_bytes = [], 0
        self._settle(verb, answer)

    def _take_error(self, error: BusError) -> None:
        if error.verb in ("send", "line"):
            self._on_event(error)
        else:
            self._answer, self._answer_bytes = [], 0
            self._settle(error.verb, error)

    def _take_left(self, text: str) -> None:
        """Accounts have changed, and a join is no longer allowed."""
        pattern = text.partition(" ")[0].rstrip(":")
        for join in [join for join in self._joins.values() if join.pattern == pattern]:
            self._forget(join, BusError(join.verb, "denied", f"the bus has ended it: {text}"))

    def _settle(self, verb: str, answer: Answer) -> None:
        try:
            pending = self._outgoing.pop_pending(verb)
        except LookupError as due:
            raise ProtocolError(
                f"the bus sent what is not the protocol: an answer to {excerpt(verb)} "
                f"where {due.args[0]} was due"
            ) from None
        pending.settle(answer)


def not_a_bus(address: str, said: str | bytes) -> ProtocolError:
    """The error for a stranger's first words."""
    return ProtocolError(f"{address} is no bus: it said {excerpt(said)} instead of hello")


def goodbye(rest: str) -> Goodbye:
    """`bye <reason> <text>`, without its first word."""
    reason, _, text = rest.partition(" ")
    return Goodbye(reason, text)


def bus_error(rest: str) -> BusError:
    """`error <verb> <code> <text>`, without its first word."""
    verb, _, rest = rest.partition(" ")
    code, _, text = rest.partition(" ")
    return BusError(verb, code, text)
