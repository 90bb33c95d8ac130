"""Lost connections: what is said, what is repeated, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from servers import HELLO, FakeBus, Peer, Server

import linebus
from linebus import (
    BusError,
    Client,
    ClientEvent,
    Closed,
    ConnectionLost,
    Disconnected,
    Goodbye,
    Message,
    Reconnected,
    Subscription,
)
from linebus._driver import BackOff

SOON = (0.001, 0.01)


@asynccontextmanager
async def connected(
    bus: FakeBus, silence_max: float = 30.0, reconnect: bool = True
) -> AsyncIterator[tuple[Client, Peer]]:
    """A client that comes back soon, and the other side of it."""
    client = await linebus.connect(
        bus.url, back_off=SOON, silence_max=silence_max, reconnect=reconnect
    )
    try:
        yield client, await bus.accept()
    finally:
        await client.close()


async def joined(client: Client, peer: Peer, topic: str) -> Subscription:
    """A subscription that the peer has granted."""
    joining = asyncio.create_task(client.recv(topic).__aenter__())
    await peer.let_join(topic)
    return await joining


async def test_login_and_joins_are_repeated_in_order_before_it_is_said() -> None:
    events: list[ClientEvent] = []
    async with FakeBus() as bus:
        opening = linebus.connect(
            bus.url, user="alice", password="pw", back_off=SOON, on_event=events.append
        )
        connecting = asyncio.create_task(opening.__aenter__())
        peer = await bus.accept()
        await peer.expect("login alice pw")
        peer.say("ok login alice")
        client = await connecting
        messages = await joined(client, peer, "a")
        left = await joined(client, peer, "left")
        joining = asyncio.create_task(client.recv("c", group="g").__aenter__())
        await peer.expect("recv c g")
        peer.say("ok recv c g")
        await joining
        watching = asyncio.create_task(client.watch("b.>").__aenter__())
        await peer.let_join("b.>", "watch")
        await watching
        leaving = asyncio.create_task(left.leave())
        await peer.expect("leave left")
        peer.say("ok leave left")
        await leaving
        peer.say("recv a before", "bye shutdown so it is")
        peer = await bus.accept()
        await peer.expect("login alice pw")
        peer.say("ok login alice")
        await peer.expect("recv a", "recv c g", "watch b.>")
        peer.say("ok recv a", "recv a in between", "ok recv c g", "ok watch b.>", "recv a after")
        stream = messages.events()
        heard = [await anext(stream) for _ in range(5)]
        await client.close()
    before, lost, between, back, after = heard
    assert [event.text for event in (before, between, after) if isinstance(event, Message)] == [
        "before",
        "in between",
        "after",
    ]
    assert isinstance(lost, Disconnected)
    assert isinstance(lost.why, Goodbye)
    assert (lost.why.reason, lost.why.text, lost.retrying, lost.unsent) == (
        "shutdown",
        "so it is",
        True,
        0,
    )
    assert isinstance(back, Reconnected)
    assert back.after > 0
    assert events == [lost, back]


async def test_a_restarted_bus_is_found_again_and_messages_go_on() -> None:
    with Server("--listen", "127.0.0.1:0") as server:
        address = server.addresses["tcp"]
        async with linebus.connect(server.url, back_off=SOON) as alice:
            messages = await alice.recv("t")
            stream = messages.events()
            server.kill()
            lost = await anext(stream)
            assert isinstance(lost, Disconnected)
            assert str(lost.why) in (
                "the connection ended without a word",
                "Connection reset by peer",
            )
            with pytest.raises(ConnectionLost):
                await alice.send("t", "x")
            with Server("--listen", address):
                assert isinstance(await anext(stream), Reconnected)
                async with linebus.connect(server.url) as bob:
                    await bob.send("t", "here again")
                assert (await anext(messages)).text == "here again"
                await alice.logoff()


async def test_iterating_goes_on_over_a_loss() -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        messages = await joined(client, peer, "a")
        peer.say("recv a 1")
        assert (await anext(messages)).text == "1"
        peer.hang_up()
        peer = await bus.accept()
        await peer.let_join("a")
        peer.say("recv a 2")
        assert (await anext(messages)).text == "2"


async def test_a_join_that_is_refused_the_second_time_is_told_and_forgotten() -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        refused, other = await joined(client, peer, "a"), await joined(client, peer, "b")
        peer.hang_up()
        peer = await bus.accept()
        await peer.expect("recv a", "recv b")
        peer.say("error recv denied not any more", "ok recv b")
        with pytest.raises(BusError, match="not any more"):
            await anext(refused)
        stream = other.events()
        assert isinstance(await anext(stream), Disconnected)
        assert isinstance(await anext(stream), Reconnected)
        peer.hang_up()
        peer = await bus.accept()
        await peer.let_join("b")
        await refused.leave()


@pytest.mark.parametrize("reason", ["kicked", "abuse", "not-lines", "login-timeout"])
async def test_some_goodbyes_are_for_good(reason: str) -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        messages = await joined(client, peer, "a")
        peer.say("recv a last", f"bye {reason} so it is")
        assert (await anext(messages)).text == "last"
        for _ in range(2):
            with pytest.raises(Closed) as closed:
                await anext(messages)
            assert isinstance(closed.value.why, Goodbye)
            assert closed.value.why.reason == reason
        with pytest.raises(Closed, match=reason):
            await client.send("t", "x")
        with pytest.raises(Closed, match=reason):
            await client.ping()
        assert [event async for event in messages.events()] == []


@pytest.mark.parametrize("reason", ["shutdown", "slow", "memory", "busy", "error", "of-later"])
async def test_others_are_worth_another_try(reason: str) -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        ping = asyncio.create_task(client.ping())
        await peer.expect("ping")
        peer.say(f"bye {reason}")
        with pytest.raises(Goodbye) as goodbye:
            await ping
        assert goodbye.value.reason == reason
        await bus.accept()


async def test_who_wants_no_other_connection_is_told_the_end() -> None:
    async with FakeBus() as bus, connected(bus, reconnect=False) as (client, peer):
        messages = await joined(client, peer, "a")
        peer.hang_up()
        (event,) = [event async for event in messages.events()]
        assert isinstance(event, Disconnected)
        assert not event.retrying
        with pytest.raises(Closed, match="without a word"):
            await client.ping()


async def test_a_login_that_is_not_accepted_any_more_is_the_end() -> None:
    async with FakeBus() as bus:
        opening = linebus.connect(bus.url, user="alice", back_off=SOON)
        connecting = asyncio.create_task(opening.__aenter__())
        peer = await bus.accept()
        await peer.expect("login alice")
        peer.say("ok login alice")
        client = await connecting
        messages = await joined(client, peer, "a")
        peer.hang_up()
        for code in ("busy", "wrong-login"):
            peer = await bus.accept()
            await peer.expect("login alice")
            peer.say(f"error login {code} no")
        with pytest.raises(Closed, match="wrong-login"):
            await anext(messages)
        with pytest.raises(Closed, match="wrong-login"):
            await client.ping()
        await client.close()


async def test_calls_and_sends_of_a_lost_connection_fail_and_are_never_repeated() -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        messages = await joined(client, peer, "a")
        await client.send("t", "perhaps heard")
        calls = [asyncio.create_task(call) for call in (client.ping(), client.who())]
        await peer.expect("send t perhaps heard", "ping", "who")
        peer.hang_up()
        for call in calls:
            with pytest.raises(ConnectionLost, match="without a word"):
                await call
        assert not client.is_connected
        with pytest.raises(ConnectionLost):
            await client.send("t", "x")
        with pytest.raises(ConnectionLost):
            await client.recv("b")
        peer = await bus.accept()
        await peer.let_join("a")
        stream = messages.events()
        await anext(stream)
        assert isinstance(await anext(stream), Reconnected)
        await client.send("t", "after")
        await peer.expect("send t after")


async def test_what_was_left_while_there_was_no_connection_is_not_joined_again() -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        left, other = await joined(client, peer, "a"), await joined(client, peer, "b")
        peer.hang_up()
        assert isinstance(await anext(other.events()), Disconnected)
        await left.leave()
        peer = await bus.accept()
        await peer.let_join("b")
        ping = asyncio.create_task(client.ping())
        await peer.expect("ping")
        peer.say("pong")
        await ping


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("recv a \x1b[2J", r"not the protocol: 'recv a \\x1b\[2J'"),
        ("recv a", "not the protocol: 'recv a'"),
        ("watch a yesterday bob x", "not the protocol: 'watch a yesterday bob x'"),
        ("pong", "an answer to 'ping' where nothing was due"),
        ("ok who 0", "an answer to 'who' where nothing was due"),
        ("error recv denied x", "an answer to 'recv' where nothing was due"),
        ("x" * 70_000 * 3, "a line of more than 65792 bytes"),
    ],
)
async def test_what_is_not_the_protocol_ends_the_connection_and_is_quoted(
    line: str, says: str
) -> None:
    async with FakeBus() as bus, connected(bus) as (client, peer):
        messages = await joined(client, peer, "a")
        peer.say_bytes(f"recv a good\n{line}".encode() + (b"" if len(line) > 1000 else b"\n"))
        stream = messages.events()
        event = await anext(stream)
        if isinstance(event, Message):
            event = await anext(stream)
        assert isinstance(event, Disconnected)
        assert isinstance(event.why, linebus.ProtocolError)
        with pytest.raises(linebus.ProtocolError, match=says):
            raise event.why
        await (await bus.accept()).let_join("a")


async def test_a_silent_bus_is_asked_and_given_up() -> None:
    async with FakeBus() as bus, connected(bus, silence_max=0.3) as (client, peer):
        messages = await joined(client, peer, "a")
        await peer.expect("ping")
        peer.say("pong")
        await peer.expect("ping")
        event = await anext(messages.events())
        assert isinstance(event, Disconnected)
        assert str(event.why) == "nothing came for 0.6 s, not even the answer to a ping"
        assert event.retrying


async def test_the_first_connection_is_tried_again_if_that_is_wished() -> None:
    async with FakeBus("bye busy not now") as bus:
        opening = linebus.connect(bus.url, retry_first_connection=True, back_off=SOON)
        connecting = asyncio.create_task(opening.__aenter__())
        for _ in range(3):
            await bus.accept()
        bus.hello = HELLO
        client = await connecting
        await client.close()
    async with FakeBus("bye kicked no") as bus:
        with pytest.raises(Goodbye, match="kicked"):
            await linebus.connect(bus.url, retry_first_connection=True)


async def test_it_can_be_closed_while_it_looks_for_the_bus() -> None:
    async with FakeBus() as bus:
        client = await linebus.connect(bus.url, back_off=(1000.0, 1000.0))
        peer = await bus.accept()
        messages = await joined(client, peer, "a")
        peer.hang_up()
        assert isinstance(await anext(messages.events()), Disconnected)
        await client.close()
        assert [message async for message in messages] == []
        with pytest.raises(Closed):
            await client.ping()


async def test_a_block_ends_without_waiting_for_a_bus_that_is_gone() -> None:
    async with FakeBus() as bus:
        async with linebus.connect(bus.url) as client:
            peer = await bus.accept()
            messages = await joined(client, peer, "a")
            peer.hang_up()
            assert isinstance(await anext(messages.events()), Disconnected)


async def test_a_goodbye_that_the_bus_did_not_hear_is_an_error() -> None:
    async with FakeBus() as bus:
        client = await linebus.connect(bus.url)
        peer = await bus.accept()
        leaving = asyncio.create_task(client.logoff())
        await peer.expect("logoff")
        peer.hang_up()
        with pytest.raises(ConnectionLost):
            await leaving
        with pytest.raises(Closed):
            await client.ping()


def test_delays_double_up_to_the_longest_and_differ() -> None:
    back_off = BackOff(0.1, 5.0)
    for full in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0):
        assert full / 2 <= back_off.next_delay() <= full
    assert len({back_off.next_delay() for _ in range(20)}) > 1
    back_off.note_connection(2.5)
    assert back_off.next_delay() >= 2.5
    back_off.note_connection(5.0)
    assert back_off.next_delay() <= 0.1
