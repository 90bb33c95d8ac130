"""The asyncio client: `connect`, the `Client` that it gives, and the `Subscription`s of that."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Callable
from types import TracebackType

from ._ask import DONE, invent_reply_topic
from ._driver import Driver, Settings
from ._errors import AskTimeout, ProtocolError
from ._events import ClientEvent, Connected, JoinedTopic, Note
from ._protocol import check_pattern, check_text, check_topic, excerpt, is_name
from ._subscription import Opening, Question, Subscription
from ._tls import TlsFiles
from ._url import BusUrl, parse_url

#: A path of a file.
PathLike = str | os.PathLike[str]

_log = logging.getLogger("linebus")


def log_event(event: ClientEvent) -> None:
    """What becomes of events if `on_event` does not say otherwise."""
    level = logging.INFO if isinstance(event, Note) else logging.WARNING
    _log.log(level, "%s", event)


def connect(
    url: str | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
    ca_file: PathLike | None = None,
    cert_file: PathLike | None = None,
    key_file: PathLike | None = None,
    reconnect: bool = True,
    retry_first_connection: bool = False,
    back_off: tuple[float, float] = (0.1, 10.0),
    connect_timeout: float = 10.0,
    answer_timeout: float = 30.0,
    silence_max: float = 30.0,
    events_bytes_max: int = 8 * 1024 * 1024,
    outgoing_bytes_max: int = 256 * 1024,
    on_event: Callable[[ClientEvent], None] = log_event,
) -> Opening[Client]:
    """Connects to a bus: `async with linebus.connect() as bus`, or `bus = await linebus.connect()`
    and, at the end, `await bus.logoff()`.

    `url` is `linebus://[user[:password]@]host[:port]`, `linebuss://…` over TLS, `unix:/path` or
    `host:port`; without it, that of the environment's `LINEBUS_URL`, or `linebus://127.0.0.1:5463`.

    - `user`, `password`: who to log in as, whatever the URL says, again after each reconnect.
    - `ca_file`: over TLS, trust only who signs with these certificates, not whom the system trusts.
    - `cert_file`, `key_file`: over TLS, show this certificate to a bus that asks for one.
    - `reconnect`: whether another connection is made when one is lost; not after a goodbye with
      `kicked`, `abuse`, `login-timeout` or `not-lines`, nor when a login is not accepted any more.
    - `retry_first_connection`: whether to go on trying until there is a bus, instead of failing.
    - `back_off`: how long to wait before the first try to connect again, and at most, in seconds.
      The delay doubles each time; of each a random part, at most half, is left out.
    - `connect_timeout`: how long one connection, hello and login may take, in seconds.
    - `answer_timeout`: how long commands wait for their answer, in seconds.
    - `silence_max`: after so many seconds without a line a ping is sent, and after as long again
      without an answer the connection counts as lost; `math.inf` turns it off.
    - `events_bytes_max`: how many bytes of messages wait for a subscription to be read, each
      counted with 256 more, about what Python takes for it. Beyond, the client stops reading its
      socket, and the bus sees a slow receiver. One read of the socket may exceed it, and what
      the program took last counts apart.
    - `outgoing_bytes_max`: how many bytes of lines wait to be written; beyond, `send` waits.
    - `on_event`: called with each `Disconnected`, `Reconnected`, `Note`, and with a `BusError` for
      each message that the bus refused. By default they are logged, by the logger `linebus`.

    Raises `ValueError` for what can't be right; then, when it is awaited, `ConnectError`,
    `ProtocolError` where something answers that is no bus, `Goodbye`, or `BusError` if the bus
    wants a login or does not accept it.
    """
    place = parse_url(url)
    if user is not None or password is not None:
        place = place.with_login(user if user is not None else place.user, password)

    def guarded_on_event(event: ClientEvent) -> None:
        try:
            on_event(event)
        except Exception:
            _log.exception("on_event failed at: %s", event)

    files = (None if file is None else os.fspath(file) for file in (ca_file, cert_file, key_file))
    settings = Settings(
        tls=TlsFiles(*files),
        reconnect=reconnect,
        retry_first_connection=retry_first_connection,
        back_off=back_off,
        connect_timeout=connect_timeout,
        answer_timeout=answer_timeout,
        silence_max=silence_max,
        events_bytes_max=events_bytes_max,
        outgoing_bytes_max=outgoing_bytes_max,
        on_event=guarded_on_event,
    )
    return Opening(_connect(place, settings))


async def _connect(place: BusUrl, settings: Settings) -> Client:
    driver = Driver(place, settings)
    await driver.start()
    return Client(driver)


class Client:
    """A connection to a bus. Any number of tasks of its loop may use it at once.

    Nothing is sent that the bus would not take: topics, names and messages are checked first, and
    what is wrong is a `ValueError`. And nothing is sent twice: what a broken connection may have
    swallowed is reported, not repeated. While there is no connection, calls raise
    `ConnectionLost`, or `Closed` if there will be no other.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and self.is_connected:
            await self.logoff()
        else:
            await self.close()

    async def send(self, topic: str, message: str) -> None:
        """Sends one message to everybody else who has joined the topic.

        Returns when the message is on its way to the socket, which is at once unless the bus is
        slower than this program. There is no answer: a message that the bus does not accept comes
        to `on_event` as a `BusError`, at the latest before the answer to the next `ping`.
        Cancelling it means that nothing was sent.

        Raises `ValueError` before anything is sent, and `ConnectionLost`.
        """
        line = send_line(topic, message)
        if not self._driver.try_push(line):
            await self._driver.push(line)

    async def ping(self) -> float:
        """Asks for a pong and returns how long that took, in seconds. The bus has then routed
        every message sent before, and whatever it had for this client by then is in its
        subscriptions.
        """
        began = self._driver.loop.time()
        await self._driver.command("ping", b"ping\n")
        return self._driver.loop.time() - began

    def recv(self, *patterns: str, group: str | None = None) -> Opening[Subscription]:
        """Joins topics: `async with bus.recv("rooms.>") as messages`, or
        `messages = await bus.recv("rooms.>")`.

        From then on every message that others send there can be read. `*` stands for one token of a
        topic, `>` at the end for all that follow. With a `group`, each message goes to one of its
        members. The joins are made again after a reconnect.

        Raises `ValueError`, `BusError`, `ConnectionLost`, `AnswerTimeout`.
        """
        if group is not None and not is_name(group):
            raise ValueError(f"{group!r} is no group: a name is 1 to 64 letters, digits, _ . or -")
        return self._subscribe("recv", patterns, group)

    def watch(self, *patterns: str) -> Opening[Subscription]:
        """Joins topics like `recv`, and each message says when and who."""
        return self._subscribe("watch", patterns, None)

    def _subscribe(
        self, verb: str, patterns: tuple[str, ...], group: str | None
    ) -> Opening[Subscription]:
        if not patterns:
            raise ValueError(f"{verb} needs a topic")
        for pattern in patterns:
            check_pattern(pattern)
        subscription = Subscription(self._driver, verb, tuple(dict.fromkeys(patterns)))
        return Opening(subscription._join(group))

    async def who(self, topic: str | None = None) -> list[Connected]:
        """Who is connected, or with a topic: who has joined it."""
        answer = await self._driver.command("who", _line("who", topic))
        try:
            rows = [line.split(" ", 2) for line in answer]
            return [Connected(user, int(number), address) for user, number, address in rows]
        except ValueError:
            raise _not_understood("who", answer) from None

    async def topics(self, pattern: str | None = None) -> list[JoinedTopic]:
        """Which topics somebody has joined, or with a pattern: which of those that it covers."""
        answer = await self._driver.command("topics", _line("topics", pattern))
        try:
            rows = [line.split(" ") for line in answer]
            return [JoinedTopic(topic, int(receivers)) for topic, receivers in rows]
        except ValueError:
            raise _not_understood("topics", answer) from None

    async def ask(
        self, topic: str, message: str, *, timeout: float = 10.0
    ) -> AsyncGenerator[str, None]:
        """Sends a question and yields the answers, by a convention of programs, not of the bus:
        the question is `<message> @<reply topic>`, answers go to the reply topic, and the one that
        says just `done` is the last. `split_reply` is the other side's half.

        The reply topic is private by being unguessable, 128 random bits; on a bus that lets
        somebody see everything, that somebody sees answers too. `timeout` is for the whole
        exchange, in seconds; nobody may be there to answer.

        Raises `AskTimeout`, and as `recv` and `send`. Answers are not waited for on another
        connection.
        """
        deadline = self._driver.loop.time() + timeout
        line, reply_topic = question_line(topic, message)
        question = Question(self._driver, reply_topic)
        try:
            await question.ask(line, timeout)
            while True:
                answer = question.unread.next_answer()
                if answer is None:
                    if not await question.wait(deadline - self._driver.loop.time()):
                        raise AskTimeout(timeout)
                elif answer == DONE:
                    return
                else:
                    yield answer
        finally:
            question.end()

    async def logoff(self) -> None:
        """Says goodbye. When it returns, the bus has taken everything sent before, and this client
        is closed: subscriptions end once what they hold is read, and every further call raises
        `Closed`.

        Raises `ConnectionLost` if the connection broke first, `AnswerTimeout`.
        """
        self._driver.closing = True
        # What comes from here on is not wanted; nor may it keep the answer out.
        self._driver.session.end()
        try:
            await self._driver.command("logoff", b"logoff\n")
        finally:
            await self.close()

    async def close(self) -> None:
        """Ends without a goodbye: what was accepted is written, if the socket takes it soon."""
        await self._driver.close()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._driver.outgoing.is_up

    @property
    def line_bytes_max(self) -> int:
        """Longest line that the bus accepts, in bytes, the verb and the line's end included."""
        return self._driver.outgoing.line_bytes_max


def send_line(topic: str, message: str) -> bytes:
    """The line for a message, checked but for its length."""
    return b"send %b %b\n" % (check_topic(topic), check_text(message))


def question_line(topic: str, message: str) -> tuple[bytes, str]:
    """The line for a question, and the reply topic that it names."""
    reply_topic = invent_reply_topic()
    return send_line(topic, f"{message} @{reply_topic}"), reply_topic


def _line(verb: str, pattern: str | None) -> bytes:
    words = [verb.encode()] if pattern is None else [verb.encode(), check_pattern(pattern)]
    return b" ".join(words) + b"\n"


def _not_understood(verb: str, answer: list[str]) -> ProtocolError:
    return ProtocolError(f"the bus sent what is no answer to {verb}: {excerpt(repr(answer))}")
