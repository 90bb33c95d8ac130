"""The bounded queue between a connection and who reads a subscription.

When one is full, the client stops reading its socket, and the bus sees the slow receiver that it
is: nothing grows, and nothing is dropped from the middle. Events are handed over in batches, so
that one lock is taken per read of the socket and not per message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from ._errors import BusError, Closed, Error, fresh
from ._events import Disconnected, Message, SubscriptionEvent

#: What an event costs beside its line, in bytes; about what Python's objects take.
EVENT_BYTES = 256

Waker = Callable[[], None]


class Inbox:
    """A queue that the connection's thread fills and any thread reads."""

    def __init__(self, bytes_max: int, on_room: Callable[[Inbox], None]) -> None:
        #: For the connection's thread alone: what the next `commit` adds, and the bytes of its
        #: lines.
        self.fresh: list[SubscriptionEvent] = []
        self.fresh_bytes = 0
        self._bytes_max = bytes_max
        self._on_room = on_room
        self._lock = Lock()
        self._events: list[SubscriptionEvent] = []
        self._bytes = 0
        self._full = False
        self._ended = False
        self._wakers: list[Waker] = []

    def commit(self) -> bool:
        """Adds what is fresh; whether nothing more should come now."""
        with self._lock:
            if not self._ended:
                self._events += self.fresh
                self._bytes += self.fresh_bytes + EVENT_BYTES * len(self.fresh)
                self._full = self._bytes >= self._bytes_max
            full = self._full
        self.fresh = []
        self.fresh_bytes = 0
        self._wake()
        return full

    def push(self, event: SubscriptionEvent) -> None:
        """Adds an event that came on no line, full or not; there are few."""
        self.fresh.append(event)
        self.commit()

    def take(self) -> list[SubscriptionEvent] | None:
        """All that waits; `None` if there will never be more."""
        with self._lock:
            events, self._events = self._events, []
            self._bytes = 0
            was_full, self._full = self._full, False
            ended = self._ended
        if was_full:
            self._on_room(self)
        return None if ended and not events else events

    def when_ready(self, waker: Waker) -> bool:
        """Has `waker` called once `take` has something to say; `False` if it has already."""
        with self._lock:
            if self._events or self._ended:
                return False
            self._wakers.append(waker)
            return True

    def end(self) -> None:
        """Adds nothing from now on, whatever is committed. What waits can still be taken."""
        with self._lock:
            self._ended = True
            was_full, self._full = self._full, False
        if was_full:
            self._on_room(self)
        self._wake()

    def forget(self, waker: Waker) -> None:
        """Does not call it any more."""
        with self._lock:
            if waker in self._wakers:
                self._wakers.remove(waker)

    def _wake(self) -> None:
        with self._lock:
            wakers, self._wakers = self._wakers, []
        for waker in wakers:
            waker()

    def __len__(self) -> int:
        return len(self._events)


class Ended(Exception):
    """There will be no more events, as the program wished."""


class Unread:
    """What somebody has taken from an inbox and not looked at."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self._batch: Iterator[SubscriptionEvent] = iter(())
        self._closed: Closed | None = None

    def next_event(self) -> SubscriptionEvent | None:
        """The next event; `None` if none waits. Raises `Ended`."""
        while True:
            for event in self._batch:
                return event
            if not self._refill():
                return None

    def next_message(self) -> Message | None:
        """The next message; `None` if none waits.

        Raises `Ended`; `Closed` if the connection ended for good and nobody wished it, as often
        as it is called; and `BusError` when the bus has ended a join.
        """
        if self._closed is not None:
            raise fresh(self._closed)
        while True:
            for event in self._batch:
                if isinstance(event, Message):
                    return event
                if isinstance(event, BusError):
                    raise fresh(event)
                if isinstance(event, Disconnected) and not event.retrying:
                    self._closed = Closed(event.why)
                    raise fresh(self._closed)
            if not self._refill():
                return None

    def next_answer(self) -> str | None:
        """The next message's text; `None` if none waits. Raises why the connection ended."""
        while True:
            event = self.next_event()
            if event is None:
                return None
            if isinstance(event, Message):
                return event.text
            if isinstance(event, Disconnected):
                raise fresh(event.why)
            if isinstance(event, Error):
                raise fresh(event)

    def _refill(self) -> bool:
        """Takes what has come; whether there is something. Raises `Ended`."""
        events = self.inbox.take()
        if events is None:
            raise Ended
        self._batch = iter(events)
        return bool(events)
