"""What is on its way to the bus: lines in a bounded buffer, and the answers due for them.

Callers of any thread append, the connection takes all at once: a line alone goes out at once, and
lines that come while the socket is busy share its next write. Lines and due answers change under
one lock, so that they agree in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from threading import Lock
from typing import NamedTuple

from ._errors import Closed, ConnectionLost, Error, fresh
from ._inbox import Waker

#: The lines of an answer, or why there is none.
Answer = list[str] | Error


class Pending(NamedTuple):
    """A command whose answer is due."""

    verb: str
    settle: Callable[[Answer], None]


class Pushed(Enum):
    """What became of a line."""

    NO_ROOM = "nothing happened"
    FIRST = "it is in, and somebody has to see that it is written"
    BEHIND = "it is in, behind others"


class Outgoing:
    """The buffer and what belongs to it."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = Lock()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._pending: deque[Pending] = deque()
        self._line_bytes_max = 0
        #: Why there is no connection.
        self._down: ConnectionLost | None = ConnectionLost("not connected yet")
        self._wakers: list[Waker] = []

    def push(
        self, line: bytes, pending: Pending | None = None, *, room_needed: bool = True
    ) -> Pushed:
        """Puts in a line, its LF included, or raises why it can't go out."""
        with self._lock:
            if self._down is not None:
                raise fresh(self._down)
            if len(line) > self._line_bytes_max:
                raise ValueError(
                    f"the line would have {len(line)} bytes, "
                    f"and this bus accepts {self._line_bytes_max}"
                )
            first = not self._lines
            # A line longer than the whole buffer may go alone.
            if room_needed and not first and self._bytes + len(line) > self._bytes_max:
                return Pushed.NO_ROOM
            self._lines.append(line)
            self._bytes += len(line)
            if pending is not None:
                self._pending.append(pending)
        return Pushed.FIRST if first else Pushed.BEHIND

    def check(self) -> None:
        """Raises why there is no connection, if there is none."""
        if self._down is not None:
            raise fresh(self._down)

    def when_room(self, waker: Waker) -> bool:
        """Has `waker` called once lines were taken or the connection changed; `False` if a line
        may go in now.
        """
        with self._lock:
            if self._down is not None or not self._lines:
                return False
            self._wakers.append(waker)
            return True

    def take(self) -> bytes:
        """All lines, to be written."""
        with self._lock:
            lines, self._lines = self._lines, []
            self._bytes = 0
        self._wake()
        return b"".join(lines)

    def pop_pending(self, verb: str) -> Pending:
        """The oldest command whose answer is due; `LookupError` if it is not `verb`."""
        with self._lock:
            if not self._pending or self._pending[0].verb != verb:
                raise LookupError(self._pending[0].verb if self._pending else "nothing")
            return self._pending.popleft()

    def bring_up(self, line_bytes_max: int, first: Iterable[tuple[bytes, Pending]] = ()) -> None:
        """There is a connection. `first` goes out before anything else."""
        with self._lock:
            self._down = None
            self._line_bytes_max = line_bytes_max
            for line, pending in first:
                self._lines.append(line)
                self._bytes += len(line)
                self._pending.append(pending)
        self._wake()

    def take_down(self, why: Error, *, for_good: bool) -> int:
        """The connection is gone. Whoever waits for an answer is told; lines not yet taken are
        thrown away, and counted.
        """
        lost = why if isinstance(why, ConnectionLost) else ConnectionLost(str(why))
        with self._lock:
            # The first reason to be closed is the one that counts.
            if not isinstance(self._down, Closed):
                self._down = Closed(why) if for_good else lost
            pending, self._pending = self._pending, deque()
            lines, self._lines = self._lines, []
            self._bytes = 0
        for due in pending:
            due.settle(fresh(lost))
        self._wake()
        return len(lines)

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._down is None

    @property
    def line_bytes_max(self) -> int:
        """Longest line that the bus accepts, by its latest hello."""
        return self._line_bytes_max

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
