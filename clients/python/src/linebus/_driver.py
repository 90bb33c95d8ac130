"""The task behind a client: it holds the connection, and makes another when that is lost.

It never buffers on its own account. What it reads goes to subscriptions or to whoever waits for an
answer, and while a subscription is full it does not read.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ._errors import (
    AnswerTimeout,
    BusError,
    ConnectError,
    ConnectionLost,
    Error,
    Goodbye,
    ProtocolError,
)
from ._events import ClientEvent, Disconnected, Reconnected
from ._inbox import Inbox, Waker
from ._outgoing import Answer, Outgoing, Pending, Pushed
from ._protocol import check_text
from ._session import Handshake, Session
from ._tls import TlsFiles, explain
from ._url import BusUrl
from ._wire import Wire

#: Reasons of a goodbye after which another try would end the same way.
_FINAL_REASONS = frozenset({"logoff", "kicked", "login-timeout", "abuse", "not-lines"})


@dataclass(frozen=True)
class Settings:
    """What can be chosen; `connect` says what it means."""

    tls: TlsFiles
    reconnect: bool
    retry_first_connection: bool
    back_off: tuple[float, float]
    connect_timeout: float
    answer_timeout: float
    silence_max: float
    events_bytes_max: int
    outgoing_bytes_max: int
    on_event: Callable[[ClientEvent], None]


class BackOff:
    """Doubling delays with jitter, so that a thousand clients of a bus that restarts do not come
    back in step.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first = min(first, longest)
        self._longest = longest
        self._next = self._first

    def next_delay(self) -> float:
        """Between half and all of the first delay doubled once per earlier try."""
        full, self._next = self._next, min(self._next * 2, self._longest)
        return full * random.uniform(0.5, 1.0)  # noqa: S311, no secret

    def note_connection(self, lasted: float) -> None:
        """Begins anew if a connection lasted so long that the trouble is over."""
        if lasted >= self._longest:
            self._next = self._first


class Driver:
    """Connection after connection."""

    def __init__(self, url: BusUrl, settings: Settings) -> None:
        self.url = url
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self.outgoing = Outgoing(settings.outgoing_bytes_max)
        self.session = Session(self.outgoing, settings.on_event)
        #: Whether the program wants the end.
        self.closing = False
        self._back_off = BackOff(*settings.back_off)
        self._wire: Wire | None = None
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    async def start(self) -> None:
        """Makes the first connection, and serves it from then on."""
        while True:
            try:
                wire, handshake = await self._connect()
                break
            except Error as error:
                if not self.settings.retry_first_connection or is_final(error):
                    raise
            await asyncio.sleep(self._back_off.next_delay())
        self.outgoing.bring_up(handshake.line_bytes_max)
        self._wire = wire
        self._task = asyncio.create_task(self._run(wire))

    # Lines

    def try_push(self, line: bytes) -> bool:
        """Puts in a line if there is room. For the loop's thread."""
        pushed = self.outgoing.push(line)
        if pushed is Pushed.FIRST:
            # Lines that the program sends before its next await share a write.
            self.loop.call_soon(self.flush)
        return pushed is not Pushed.NO_ROOM

    def try_push_from_outside(self, line: bytes) -> bool:
        """Puts in a line if there is room. For other threads."""
        pushed = self.outgoing.push(line)
        if pushed is Pushed.FIRST:
            self.loop.call_soon_threadsafe(self.flush)
        return pushed is not Pushed.NO_ROOM

    async def push(self, line: bytes, pending: Pending | None = None) -> None:
        """Puts in a line once there is room. Cancelled, nothing was put in."""
        while (pushed := self.outgoing.push(line, pending)) is Pushed.NO_ROOM:
            self.flush()
            # A task that only sends would otherwise never let another one run.
            await asyncio.sleep(0)
            await wait_until(self.outgoing.when_room, self.outgoing.forget)
        if pushed is Pushed.FIRST:
            self.loop.call_soon(self.flush)

    def push_unasked(self, verb: str, line: bytes, settle: Callable[[Answer], None]) -> None:
        """Puts in a short command that nobody waits for, room or not. Its caller takes care that
        there are few. `settle` is told `ConnectionLost` if there is no connection.
        """
        try:
            self.outgoing.push(line, Pending(verb, settle), room_needed=False)
        except ConnectionLost as lost:
            settle(lost)
        else:
            self.flush()

    async def command(self, verb: str, line: bytes) -> list[str]:
        """Says a command and waits for its answer. Cancelled, the answer is thrown away."""
        answer: asyncio.Future[list[str]] = self.loop.create_future()

        def settle(given: Answer) -> None:
            if answer.done():
                return
            if isinstance(given, Error):
                answer.set_exception(given)
            else:
                answer.set_result(given)

        async def exchange() -> list[str]:
            await self.push(line, Pending(verb, settle))
            return await answer

        after = self.settings.answer_timeout
        try:
            return await asyncio.wait_for(exchange(), after)
        except asyncio.TimeoutError:
            raise AnswerTimeout(verb, after, self.session.unread()) from None

    def flush(self) -> None:
        """Writes what was accepted. For the loop's thread."""
        if self._wire is not None:
            self._wire.flush()

    # Room

    def must_pause(self) -> bool:
        """Whether a subscription has no room for more."""
        if self.session.full:
            self._room.clear()
        return bool(self.session.full)

    def note_room(self, inbox: Inbox) -> None:
        """A full inbox was emptied. For any thread."""
        with suppress(RuntimeError):  # The loop is closed.
            self.loop.call_soon_threadsafe(self._note_room, inbox)

    def _note_room(self, inbox: Inbox) -> None:
        self.session.full.discard(inbox)
        if not self.session.full:
            self._room.set()
            if self._wire is not None:
                self._wire.resume_reading()

    # Connections

    async def close(self) -> None:
        """Ends everything. What was accepted is written, if the socket takes it soon."""
        self.closing = True
        self.session.end()
        if self._wire is not None and not self._wire.ended.done():
            await self._wire.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _connect(self) -> tuple[Wire, Handshake]:
        """Connects, reads the hello and logs in."""
        address, after = self.url.address, self.settings.connect_timeout
        try:
            return await asyncio.wait_for(self._dial_and_shake_hands(), after)
        except asyncio.TimeoutError:
            plain = not (self.url.encrypted or self.url.path)
            hint = "; a port that speaks TLS wants linebuss://" if plain else ""
            raise ConnectError(address, f"no answer within {after:g} s{hint}") from None
        except (Goodbye, ProtocolError, BusError):
            raise
        except (OSError, Error, UnicodeError) as error:  # The last, of a host that is no name.
            raise ConnectError(address, explain(error)) from error

    async def _dial_and_shake_hands(self) -> tuple[Wire, Handshake]:
        handshake = Handshake(self.url.address, self._login())
        wire = Wire(self, handshake)
        if self.url.path:
            await self.loop.create_unix_connection(lambda: wire, self.url.path)
        elif self.url.encrypted:
            context = await self.loop.run_in_executor(None, self.settings.tls.context)
            await self.loop.create_connection(
                lambda: wire, self.url.host, self.url.port, ssl=context
            )
        else:
            await self.loop.create_connection(lambda: wire, self.url.host, self.url.port)
        try:
            await wire.ready
        except BaseException:
            wire.transport.abort()
            raise
        return wire, handshake

    def _login(self) -> bytes | None:
        if self.url.user is None:
            return None
        line = b"login " + self.url.user.encode("ascii")
        if self.url.password is not None:
            line += b" " + check_text(self.url.password)
        return line + b"\n"

    async def _run(self, wire: Wire) -> None:
        """Serves connection after connection until there is reason to stop."""
        why: Error = ConnectionLost("this program closed it")
        try:
            while True:
                began = self.loop.time()
                why = await self._serve(wire)
                lost_at = self.loop.time()
                self._back_off.note_connection(lost_at - began)
                if self.closing:
                    self.outgoing.take_down(why, for_good=False)
                    return
                retrying = self.settings.reconnect and not is_final(why)
                self._tell_lost(why, retrying=retrying)
                if not retrying:
                    return
                try:
                    wire = await self._reconnect(lost_at)
                except Error as final:
                    why = final
                    self._tell_lost(why, retrying=False)
                    return
        finally:
            if self.closing:
                # `close` may have ended this before it looked.
                why = ConnectionLost("this program closed it")
                said = wire.ended.result() if wire.ended.done() else None
                if isinstance(said, Goodbye) and said.reason == "logoff":
                    why = said
            self.outgoing.take_down(why, for_good=True)
            self.session.end()

    async def _serve(self, wire: Wire) -> Error:
        """Waits for the end; a silent bus is asked whether it is still there. Time in which
        nothing is read does not count.
        """
        silence_max = self.settings.silence_max
        asked_at: float | None = None
        while True:
            if wire.read_paused:
                wait = silence_max
            elif asked_at is not None and wire.heard_at <= asked_at:
                wait = asked_at + silence_max - self.loop.time()
                if wait <= 0:
                    silent = (
                        f"nothing came for {2 * silence_max:g} s, not even the answer to a ping"
                    )
                    wire.end(ConnectionLost(silent))
            else:
                asked_at = None
                wait = wire.heard_at + silence_max - self.loop.time()
                if wait <= 0:
                    self.push_unasked("ping", b"ping\n", ignore)
                    asked_at, wait = self.loop.time(), silence_max
            await asyncio.wait([wire.ended], timeout=max(wait, 0))
            if wire.ended.done():
                return wire.ended.result()

    def _tell_lost(self, why: Error, *, retrying: bool) -> None:
        unsent = self.outgoing.take_down(why, for_good=not retrying)
        event = Disconnected(why, unsent, retrying)
        self.session.end_asks(event)
        self.session.tell(event)

    async def _reconnect(self, lost_at: float) -> Wire:
        """Tries until there is a connection. Raises what makes it vain."""
        # What a program does not read may not grow by one read for each connection.
        await self._room.wait()
        while True:
            await asyncio.sleep(self._back_off.next_delay())
            try:
                wire, handshake = await self._connect()
                break
            except Error as error:
                if is_final(error):
                    raise
        self._wire = wire

        def on_last() -> None:
            self.session.tell(Reconnected(self.loop.time() - lost_at))

        self.outgoing.bring_up(handshake.line_bytes_max, self.session.rejoins(on_last))
        wire.flush()
        return wire


def ignore(_: Answer) -> None:
    """For commands whose answer does not matter."""


async def wait_until(when: Callable[[Waker], bool], forget: Callable[[Waker], None]) -> None:
    """Waits until the waker that `when` is given is called, unless it says `False`."""
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()

    def waker() -> None:
        if not woken.done():
            woken.set_result(None)

    if when(waker):
        try:
            await woken
        finally:
            forget(waker)


def is_final(error: Error) -> bool:
    """Whether trying again would end the same way."""
    if isinstance(error, Goodbye):
        return error.reason in _FINAL_REASONS
    return isinstance(error, BusError) and error.code not in ("busy", "too-many")
