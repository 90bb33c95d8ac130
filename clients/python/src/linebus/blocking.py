"""The same client for programs without asyncio: calls wait, subscriptions are iterators.

Behind each client runs one thread, which serves the connection; nothing else of it shows. Any
number of threads may use a client at once. `on_event` is called on the client's thread, which must
not wait for the client.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from . import _client
from ._ask import DONE
from ._errors import AskTimeout
from ._events import Connected, JoinedTopic, Message, SubscriptionEvent
from ._inbox import Ended, Waker
from ._subscription import Opening, Question
from ._subscription import Subscription as AsyncSubscription

__all__ = ["Client", "Subscription", "connect"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _as_there(
    there: Callable[_P, object],
) -> Callable[[Callable[..., _T]], Callable[_P, _T]]:
    """Says that a function takes the parameters of another."""

    def wrap(here: Callable[..., _T]) -> Callable[_P, _T]:
        return functools.update_wrapper(here, there, assigned=(), updated=())

    return wrap


class _Thread:
    """A thread with a loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="linebus", daemon=True)
        self._thread.start()
        self._ending = threading.Lock()
        self.ended = False

    def _run(self) -> None:
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Runs it there and waits."""
        try:
            self.refuse_itself()
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise
        try:
            return future.result()
        finally:
            future.cancel()  # If an interrupt ended the wait.

    def call_soon(self, function: Callable[[], object]) -> None:
        """Has it called there, if it has not ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def refuse_itself(self) -> None:
        """Nobody may wait on this thread for something that it does."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("on_event must not wait for its own client")

    def end(self, last: Callable[[], None] = lambda: None) -> None:
        """Ends the thread, once, after a last call."""
        with self._ending:
            if not self.ended:
                try:
                    last()
                finally:
                    self.ended = True
                    self._loop.call_soon_threadsafe(self._loop.stop)
                    self._thread.join()


@_as_there(_client.connect)
def connect(*args: Any, **kwargs: Any) -> Client:
    """As `linebus.connect`: `with linebus.blocking.connect() as bus`."""
    thread = _Thread()

    async def connecting() -> _client.Client:
        return await _client.connect(*args, **kwargs)

    try:
        return Client(thread.call(connecting()), thread)
    except BaseException:
        thread.end()
        raise


class Client:
    """`linebus.Client`, with calls that wait.

    `with linebus.blocking.connect() as bus`, or `logoff` at the end. A program that just ends
    closes it, too.
    """

    def __init__(self, inner: _client.Client, thread: _Thread) -> None:
        self._inner = inner
        self._driver = inner._driver
        self._thread = thread
        atexit.register(self.close)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and self.is_connected:
            self.logoff()
        else:
            self.close()

    def send(self, topic: str, message: str) -> None:
        """As `linebus.Client.send`: waits only while the bus is slower than this program."""
        line = _client.send_line(topic, message)
        while not self._driver.try_push_from_outside(line):
            self._thread.refuse_itself()
            _wait_until(self._driver.outgoing.when_room, self._driver.outgoing.forget)

    def ping(self) -> float:
        """As `linebus.Client.ping`."""
        return self._call(self._inner.ping())

    def recv(self, *patterns: str, group: str | None = None) -> Subscription:
        """As `linebus.Client.recv`: `with bus.recv("rooms.>") as messages`."""
        return self._subscribe(self._inner.recv(*patterns, group=group))

    def watch(self, *patterns: str) -> Subscription:
        """As `linebus.Client.watch`."""
        return self._subscribe(self._inner.watch(*patterns))

    def _subscribe(self, opening: Opening[AsyncSubscription]) -> Subscription:
        return Subscription(self._call(opening._opening), self._thread)

    def who(self, topic: str | None = None) -> list[Connected]:
        """As `linebus.Client.who`."""
        return self._call(self._inner.who(topic))

    def topics(self, pattern: str | None = None) -> list[JoinedTopic]:
        """As `linebus.Client.topics`."""
        return self._call(self._inner.topics(pattern))

    def ask(self, topic: str, message: str, *, timeout: float = 10.0) -> Generator[str, None, None]:
        """As `linebus.Client.ask`."""
        deadline = time.monotonic() + timeout
        line, reply_topic = _client.question_line(topic, message)

        async def asking() -> Question:
            question = Question(self._driver, reply_topic)
            try:
                await question.ask(line, timeout)
            except BaseException:
                question.end()
                raise
            return question

        question = self._call(asking())
        inbox = question.unread.inbox
        try:
            while True:
                answer = question.unread.next_answer()
                if answer is None:
                    rest = deadline - time.monotonic()
                    if not _wait_until(inbox.when_ready, inbox.forget, rest):
                        raise AskTimeout(timeout)
                elif answer == DONE:
                    return
                else:
                    yield answer
        finally:
            self._thread.call_soon(question.end)

    def logoff(self) -> None:
        """As `linebus.Client.logoff`."""
        self._driver.outgoing.check()
        self._end(self._inner.logoff)

    def close(self) -> None:
        """As `linebus.Client.close`."""
        self._end(self._inner.close)

    def _end(self, end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._thread.refuse_itself()
        self._thread.end(lambda: self._thread.call(end()))
        atexit.unregister(self.close)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._inner.is_connected

    @property
    def line_bytes_max(self) -> int:
        """As `linebus.Client.line_bytes_max`."""
        return self._inner.line_bytes_max

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        if self._thread.ended:
            coroutine.close()
            self._driver.outgoing.check()
        return self._thread.call(coroutine)


class Subscription:
    """`linebus.Subscription`, as an iterator.

    One thread at a time may read it.
    """

    def __init__(self, inner: AsyncSubscription, thread: _Thread) -> None:
        self._inner = inner
        self._unread = inner._unread
        self._inbox = inner._unread.inbox
        self._thread = thread

    @property
    def patterns(self) -> tuple[str, ...]:
        """The topics, as they were joined."""
        return self._inner.patterns

    def __iter__(self) -> Subscription:
        return self

    def __next__(self) -> Message:
        try:
            while (message := self._unread.next_message()) is None:
                self._wait(None)
        except Ended:
            raise StopIteration from None
        return message

    def next_within(self, timeout: float) -> Message | None:
        """The next message, waited for at most so many seconds; `None` if there will be no more.
        Raises `TimeoutError` when the time is up; nothing is lost by it.
        """
        deadline = time.monotonic() + timeout
        try:
            while (message := self._unread.next_message()) is None:
                if not self._wait(deadline - time.monotonic()):
                    raise TimeoutError(f"no message within {timeout:g} s")
        except Ended:
            return None
        return message

    def events(self) -> Generator[SubscriptionEvent, None, None]:
        """As `linebus.Subscription.events`."""
        while True:
            try:
                event = self._unread.next_event()
            except Ended:
                return
            if event is None:
                self._wait(None)
            else:
                yield event

    def leave(self) -> None:
        """As `linebus.Subscription.leave`."""
        if not self._thread.ended:
            self._thread.call(self._inner.leave())

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.leave()
        else:
            self._thread.call_soon(self._inner._leave_unasked)

    def _wait(self, timeout: float | None) -> bool:
        self._thread.refuse_itself()
        return _wait_until(self._inbox.when_ready, self._inbox.forget, timeout)


def _wait_until(
    when: Callable[[Waker], bool], forget: Callable[[Waker], None], timeout: float | None = None
) -> bool:
    """Waits until the waker that `when` is given is called, unless it says `False`; whether that
    was in time.
    """
    woken = threading.Event()
    if not when(woken.set):
        return True
    try:
        return woken.wait(timeout)
    finally:
        forget(woken.set)
