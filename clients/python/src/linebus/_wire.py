"""One connection, as asyncio sees it: bytes that come, bytes that go, and its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from ._errors import ConnectionLost, Error, ProtocolError
from ._protocol import LineBuffer
from ._session import Handshake, not_a_bus
from ._tls import explain

if TYPE_CHECKING:
    from ._driver import Driver

#: How long a client that is closed may take to write what it accepted, in seconds.
_CLOSE_PATIENCE = 2.0


class Wire(asyncio.Protocol):
    """One connection."""

    def __init__(self, driver: Driver, handshake: Handshake) -> None:
        self._driver = driver
        self._handshake = handshake
        self._buffer = LineBuffer()
        self._loop = driver.loop
        self._write_paused = False
        self._read_paused = False
        self.transport: asyncio.Transport
        self.heard_at = self._loop.time()
        #: Done when the bus is ready for commands.
        self.ready: asyncio.Future[None] = self._loop.create_future()
        #: Why the connection ended, once it has.
        self.ended: asyncio.Future[Error] = self._loop.create_future()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self.heard_at = self._loop.time()
        try:
            if self._handshake.done:
                self._driver.session.take_lines(self._buffer.feed(data))
            else:
                self._shake_hands(data)
        except Error as why:
            self.end(why)
        if self._driver.must_pause() and not (self._read_paused or self.ended.done()):
            self._read_paused = True
            self.transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        text = explain(error) if error else "the connection ended without a word"
        self.end(ConnectionLost(text))

    def pause_writing(self) -> None:
        """The socket is busy."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._write_paused = False
        self.flush()

    # What the driver calls

    def flush(self) -> None:
        """Writes what was accepted, unless the socket is busy."""
        if self._write_paused or self.ended.done():
            return
        lines = self._driver.outgoing.take()
        if lines:
            self.transport.write(lines)

    def resume_reading(self) -> None:
        """There is room again for what was read."""
        if self._read_paused and not self.ended.done():
            self._read_paused = False
            self.heard_at = self._loop.time()
            self.transport.resume_reading()

    @property
    def read_paused(self) -> bool:
        """Whether nothing is read at the moment."""
        return self._read_paused

    def end(self, why: Error) -> None:
        """Closes the connection."""
        if self.ended.done():
            return
        self.ended.set_result(why)
        if not self.ready.done():
            self.ready.set_exception(why)
            # Nobody may be there any more to look at it.
            self.ready.exception()
        self.transport.abort()

    async def close(self) -> None:
        """Writes what was accepted, if the socket takes it soon, and closes the connection."""
        self.transport.write(self._driver.outgoing.take())
        self.transport.close()
        await asyncio.wait([self.ended], timeout=_CLOSE_PATIENCE)
        self.transport.abort()

    def _shake_hands(self, data: bytes) -> None:
        came = self._buffer.unfinished() + data
        try:
            lines = self._buffer.feed(data)
        except ProtocolError:
            raise not_a_bus(self._driver.url.address, came.split(b"\n")[0]) from None
        for at, line in enumerate(lines):
            said = self._handshake.take(line, self._buffer)
            if said:
                self.transport.write(said)
            if self._handshake.done:
                self.ready.set_result(None)
                self._driver.session.take_lines(lines[at + 1 :])
                return
