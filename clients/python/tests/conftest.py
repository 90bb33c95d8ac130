"""Runs tests that are coroutines, and lends them servers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Server, binary


def pytest_sessionstart() -> None:
    """Looks for the server, or builds it, before tests have so and so long."""
    binary()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine gets a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def no_bus_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever bus a developer uses, tests make their own."""
    monkeypatch.delenv("LINEBUS_URL", raising=False)


@pytest.fixture(scope="session")
def open_bus() -> Iterator[Server]:
    """One bus without accounts, for tests that use topics of their own."""
    with Server("--listen", "127.0.0.1:0") as server:
        yield server


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic that no other test uses."""
    return "".join(c if c.isalnum() else "_" for c in request.node.name)


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A bus with the users alice, who may do everything, and bob, who may hear and send on
    `rooms` alone.
    """
    folder: Path = tmp_path_factory.mktemp("accounts")
    users = folder / "users.toml"
    Server.add_user(users, "alice", "open sesame", "--send", ">", "--recv", ">", "--see")
    Server.add_user(users, "bob", "correct horse", "--send", "rooms.>", "--recv", "rooms.>")
    config = folder / "linebus.toml"
    config.write_text('listen = ["127.0.0.1:0"]\nusers = "users.toml"\n')
    with Server("--config", str(config)) as server:
        yield server
