"""What a program reads: a `Subscription` to topics; and, for who asks, a `Question`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

from ._driver import Driver, ignore, wait_until
from ._errors import AskTimeout, BusError, ConnectionLost
from ._events import Message, SubscriptionEvent
from ._inbox import Ended, Inbox, Unread
from ._outgoing import Answer
from ._session import Join

_T = TypeVar("_T", bound=AbstractAsyncContextManager[Any])


class Opening(Generic[_T]):
    """Something that takes a while to be there: `await` it, or enter it with `async with`."""

    def __init__(self, opening: Coroutine[Any, Any, _T]) -> None:
        self._opening = opening
        self._opened: _T

    def __await__(self) -> Generator[Any, None, _T]:
        return self._opening.__await__()

    async def __aenter__(self) -> _T:
        self._opened = await self._opening
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.__aexit__(kind, error, traceback)


class Subscription:
    """Topics that are joined, and the messages that come from there, in order.

    `async for message in subscription` yields each `Message` and goes on over lost connections,
    which `on_event` is told of; `events` also says between which messages some may be missing. It
    ends when the program leaves or logs off, raises `Closed` if the connection ended for good
    otherwise, and `BusError` when the bus ended one of the joins.

    Read it, or leave it: while it is full of unread messages, nothing else of its connection is
    heard, not even answers.
    """

    def __init__(self, driver: Driver, verb: str, patterns: tuple[str, ...]) -> None:
        #: The topics, as they were joined.
        self.patterns = patterns
        self._driver = driver
        self._verb = verb
        self._unread = Unread(Inbox(driver.settings.events_bytes_max, driver.note_room))
        self._joined: list[Join] = []

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Message:
        try:
            while (message := self._unread.next_message()) is None:
                await self._wait()
        except Ended:
            raise StopAsyncIteration from None
        return message

    async def events(self) -> AsyncGenerator[SubscriptionEvent, None]:
        """Everything in the order in which it happened: each `Message`, and a `Disconnected` and a
        `Reconnected` between which others may be missing. A `BusError` says that the bus ended
        one of the joins. It ends after a `Disconnected` that is not `retrying`.
        """
        while True:
            try:
                event = self._unread.next_event()
            except Ended:
                return
            if event is None:
                await self._wait()
            else:
                yield event

    async def leave(self) -> None:
        """Leaves the topics. When it returns, not one message more comes from there; what had come
        before can still be read.
        """
        for pattern in self._end():
            try:
                await self._driver.command("leave", leave_line(pattern))
            except ConnectionLost:
                pass  # On another connection it will not be joined.
            except BusError as error:
                if error.code != "not-joined":
                    raise

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self.leave()
        else:
            self._leave_unasked()

    async def _join(self, group: str | None) -> Subscription:
        """Makes the joins, once."""
        try:
            for pattern in self.patterns:
                join = self._driver.session.join(self._verb, pattern, group, self._unread.inbox)
                self._joined.append(join)
                await self._driver.command(self._verb, join.line())
        except BaseException:
            self._leave_unasked()
            raise
        return self

    def _leave_unasked(self) -> None:
        """Leaves the topics without waiting for the answer."""
        for pattern in self._end():
            self._driver.push_unasked("leave", leave_line(pattern), ignore)

    def _end(self) -> list[str]:
        """Takes nothing more; returns what the bus is to be told to leave."""
        self._unread.inbox.end()
        joined, self._joined = self._joined, []
        session = self._driver.session
        return [join.pattern for join in joined if session.leave(join, self._unread.inbox)]

    async def _wait(self) -> None:
        inbox = self._unread.inbox
        await wait_until(inbox.when_ready, inbox.forget)


class Question:
    """A reply topic on which answers are awaited."""

    def __init__(self, driver: Driver, reply_topic: str) -> None:
        self._driver = driver
        self._reply_topic = reply_topic
        self.unread = Unread(Inbox(driver.settings.events_bytes_max, driver.note_room))
        driver.session.ask(reply_topic, self.unread.inbox)

    async def ask(self, question: bytes, timeout: float) -> None:
        """Joins the reply topic, then asks."""

        async def exchange() -> None:
            await self._driver.command("recv", f"recv {self._reply_topic}\n".encode())
            await self._driver.push(question)

        try:
            await asyncio.wait_for(exchange(), timeout)
        except asyncio.TimeoutError:
            raise AskTimeout(timeout) from None

    async def wait(self, timeout: float) -> bool:
        """Waits for an answer; whether one came in time."""
        inbox = self.unread.inbox
        try:
            await asyncio.wait_for(wait_until(inbox.when_ready, inbox.forget), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    def end(self) -> None:
        """Leaves the reply topic."""
        self.unread.inbox.end()

        def settle(_: Answer) -> None:
            # Until then, late answers find their inbox closed.
            self._driver.session.ask(self._reply_topic, None)

        self._driver.push_unasked("leave", leave_line(self._reply_topic), settle)


def leave_line(pattern: str) -> bytes:
    """The command that ends a join."""
    return f"leave {pattern}\n".encode("ascii")
