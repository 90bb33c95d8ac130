"""Servers for tests: the real one, as a process; and one that says what a test wants."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType

import linebus


@cache
def binary() -> str:
    """The server: `LINEBUS_BINARY`, or what cargo has built in this repository, or builds now."""
    if "LINEBUS_BINARY" in os.environ:
        return os.environ["LINEBUS_BINARY"]
    root = Path(__file__).resolve().parents[3]
    target = root / os.environ.get("CARGO_TARGET_DIR", "target")
    for profile in ("release", "debug"):
        built = target / profile / "linebus"
        if built.exists():
            return str(built)
    subprocess.run(["cargo", "build", "--package", "linebus"], cwd=root, check=True)
    return str(target / "debug" / "linebus")


class Server:
    """`linebus serve` with these arguments. Listens once it is there, and ends with its block."""

    def __init__(self, *arguments: str) -> None:
        command = [binary(), "serve", *arguments]
        #: Where it listens, by kind: `tcp`, `tls`, `unix`.
        self.addresses: dict[str, str] = {}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "ready\n":
                return
            _, kind, address = line.split()
            self.addresses[kind] = address
        raise AssertionError(f"it ended with {self._process.wait()}: {command}")

    @staticmethod
    def add_user(users: Path, name: str, password: str, *arguments: str) -> None:
        """`linebus user add` with these arguments."""
        command = [binary(), "user", "add", name, "--file", str(users), *arguments]
        subprocess.run(command, input=password + "\n", text=True, check=True, capture_output=True)

    @property
    def url(self) -> str:
        """Its plain port's URL."""
        return f"linebus://{self.addresses['tcp']}"

    def url_of(self, user: str, password: str) -> str:
        """The same, logged in."""
        return f"linebus://{user}:{password.replace(' ', '%20')}@{self.addresses['tcp']}"

    def reload(self) -> None:
        """Has it read its files again."""
        self._process.send_signal(signal.SIGHUP)

    def terminate(self) -> None:
        """Ends it decently: it says goodbye to everyone."""
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        """Ends it without a word."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def answer_timeout(client: linebus.Client, seconds: float) -> Iterator[None]:
    """Has a client wait so long for answers, for as long as the block."""
    settings = client._driver.settings
    client._driver.settings = replace(settings, answer_timeout=seconds)
    try:
        yield
    finally:
        client._driver.settings = settings


HELLO = "hello linebus 1 line-max=65536 login=open"


class Peer:
    """A connection as the server in a test sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, *lines: str) -> None:
        """Sends lines."""
        self.say_bytes("".join(f"{line}\n" for line in lines).encode())

    def say_bytes(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)

    async def expect(self, *lines: str) -> None:
        """Reads lines, which must be these."""
        for line in lines:
            assert (await self.reader.readline()).decode() == f"{line}\n"

    async def let_join(self, topic: str, verb: str = "recv") -> None:
        """Lets the client join."""
        await self.expect(f"{verb} {topic}")
        self.say(f"ok {verb} {topic}")

    def hang_up(self) -> None:
        """Ends the connection without a word."""
        self.writer.close()


class FakeBus:
    """A server that accepts, says hello, and leaves the rest to the test."""

    def __init__(self, hello: str = HELLO) -> None:
        self.hello = hello
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._all: list[Peer] = []
        self._server: asyncio.Server
        self.url: str

    async def accept(self) -> Peer:
        """The next connection."""
        return await self._peers.get()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        if self.hello:
            peer.say(self.hello)
        self._all.append(peer)
        self._peers.put_nowait(peer)

    async def __aenter__(self) -> FakeBus:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"linebus://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for peer in self._all:
            peer.writer.transport.abort()
