"""Nothing grows without bound, and nothing is dropped from the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from servers import FakeBus, Server, answer_timeout

import linebus
from linebus import Disconnected, Goodbye, Message, Reconnected

TEXT = "x" * 100
LONG_TEXT = "x" * 2000


async def test_a_client_that_is_not_read_stops_reading_and_loses_nothing(
    open_bus: Server, topic: str
) -> None:
    count = 20_000
    async with (
        linebus.connect(open_bus.url, events_bytes_max=50_000) as alice,
        linebus.connect(open_bus.url) as bob,
    ):
        messages = await alice.recv(topic)
        for at in range(count):
            await bob.send(topic, f"{at} {TEXT}")
        await bob.ping()
        with pytest.raises(linebus.AnswerTimeout) as given_up, answer_timeout(alice, 0.1):
            await alice.ping()
        # One read of asyncio is 256 KiB, which may exceed the limit.
        assert 0 < given_up.value.unread < 50_000 / 356 + 256 * 1024 / 100 < count / 4
        for at in range(count):
            assert (await anext(messages)).text == f"{at} {TEXT}"
        await alice.ping()


async def test_unread_messages_do_not_hinder_leaving_or_the_goodbye(
    open_bus: Server, topic: str
) -> None:
    async with linebus.connect(open_bus.url) as bob:
        for leaves in (True, False):
            async with linebus.connect(open_bus.url, events_bytes_max=10_000) as alice:
                messages = await alice.recv(topic)
                for _ in range(2_000):
                    await bob.send(topic, LONG_TEXT)
                await bob.ping()
                if leaves:
                    await messages.leave()
                    assert await alice.topics(topic) == []


async def test_an_abandoned_question_does_not_hinder_either(open_bus: Server, topic: str) -> None:
    async with (
        linebus.connect(open_bus.url, events_bytes_max=10_000) as alice,
        linebus.connect(open_bus.url) as bob,
    ):
        questions = await bob.recv(topic)
        answers = alice.ask(topic, "?")
        first = asyncio.create_task(anext(answers))
        _, reply_topic = linebus.split_reply((await anext(questions)).text)
        assert reply_topic is not None
        for _ in range(2_000):
            await bob.send(reply_topic, LONG_TEXT)
        await bob.ping()
        assert await first == LONG_TEXT
        await answers.aclose()
        await alice.ping()
        assert await alice.topics(reply_topic) == []


async def test_who_is_too_slow_hears_an_unbroken_run_and_why_it_ended(tmp_path: Path) -> None:
    config = tmp_path / "linebus.toml"
    config.write_text(
        'listen = ["127.0.0.1:0"]\n[limits]\noutbox_soft_bytes = 100000\n'
        "outbox_hard_bytes = 1000000\ndrain_ms = 1\n"
    )
    with Server("--config", str(config)) as server:
        async with (
            linebus.connect(server.url, events_bytes_max=10_000, back_off=(0.001, 0.01)) as slow,
            linebus.connect(server.url) as fast,
        ):
            messages = await slow.recv("t")
            # More than the system's buffers and the bus hold together.
            sent = 20_000
            for at in range(sent):
                await fast.send("t", f"{at} {LONG_TEXT}")
            await fast.ping()
            heard = 0
            stream = messages.events()
            async for event in stream:
                if not isinstance(event, Message):
                    break
                assert event.text == f"{heard} {LONG_TEXT}"
                heard += 1
            assert 0 < heard < sent
            assert isinstance(event, Disconnected)
            assert isinstance(event.why, Goodbye)
            assert event.why.reason == "slow"
            assert isinstance(await anext(stream), Reconnected)


async def test_send_waits_for_a_bus_that_does_not_read_and_loses_nothing() -> None:
    async with FakeBus() as bus, linebus.connect(bus.url, outgoing_bytes_max=10_000) as client:
        peer = await bus.accept()
        count = 0
        while True:
            try:
                await asyncio.wait_for(client.send("t", f"{count} {LONG_TEXT}"), 0.1)
            except asyncio.TimeoutError:
                break
            count += 1
        for at in range(count):
            await peer.expect(f"send t {at} {LONG_TEXT}")
        ping = asyncio.create_task(client.ping())
        await peer.expect("ping")
        peer.say("pong")
        await ping
        await client.close()


async def test_lines_that_never_left_are_counted() -> None:
    events: list[linebus.ClientEvent] = []
    async with FakeBus() as bus:
        client = await linebus.connect(
            bus.url, outgoing_bytes_max=10_000, on_event=events.append, reconnect=False
        )
        peer = await bus.accept()
        joining = asyncio.create_task(client.recv("a").__aenter__())
        await peer.let_join("a")
        messages = await joining
        sending = asyncio.create_task(_send_until_refused(client))
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while client._driver.outgoing.when_room(lambda: None) is False:
            await asyncio.wait([sending], timeout=0)
        peer.say("bye kicked out")
        (event,) = [event async for event in messages.events()]
        await sending
        assert isinstance(event, Disconnected)
        assert 0 < event.unsent <= 10_000 / 100
        assert f"{event.unsent} lines were not sent" in str(event)
        await client.close()


async def _send_until_refused(client: linebus.Client) -> None:
    with pytest.raises(linebus.ConnectionLost):
        while True:
            await client.send("t", TEXT)


async def test_a_task_that_only_sends_lets_others_run(open_bus: Server, topic: str) -> None:
    async with linebus.connect(open_bus.url) as alice, linebus.connect(open_bus.url) as bob:
        messages = await alice.recv(topic)
        heard = asyncio.create_task(anext(messages))
        while not heard.done():
            await bob.send(topic, TEXT)
        assert (await heard).text == TEXT
