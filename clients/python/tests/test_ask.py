"""Questions and answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from servers import FakeBus, Server

import linebus
from linebus import AskTimeout, BusError, ConnectionLost, split_reply


@asynccontextmanager
async def answering(url: str, topic: str) -> AsyncIterator[None]:
    """A bot that says each question backwards, twice."""

    async def answer(client: linebus.Client, questions: linebus.Subscription) -> None:
        async for question in questions:
            text, reply_topic = split_reply(question.text)
            assert reply_topic is not None
            for line in (text[::-1], text[::-1], "done", "too late"):
                await client.send(reply_topic, line)

    async with linebus.connect(url) as client, client.recv(topic) as questions:
        bot = asyncio.create_task(answer(client, questions))
        yield
        bot.cancel()
        await asyncio.wait([bot])
        assert bot.cancelled(), bot.exception()


async def test_answers_come_until_done(open_bus: Server, topic: str) -> None:
    async with answering(open_bus.url, topic), linebus.connect(open_bus.url) as client:
        assert [answer async for answer in client.ask(topic, "abc")] == ["cba", "cba"]
        both = [client.ask(topic, "1 2"), client.ask(topic, "x @y")]
        assert [await anext(answers) for answers in both] == ["2 1", "y@ x"]
        assert [answer async for answer in both[0]] == ["2 1"]
        assert [answer async for answer in both[1]] == ["y@ x"]
        await client.ping()
        assert await client.topics("_reply.>") == []


async def test_who_stops_listening_leaves_the_reply_topic(open_bus: Server, topic: str) -> None:
    async with answering(open_bus.url, topic), linebus.connect(open_bus.url) as client:
        async for answer in client.ask(topic, "abc"):
            assert answer == "cba"
            break
        await client.ping()
        assert await client.topics("_reply.>") == []


async def test_a_question_does_not_disturb_who_hears_everything(
    open_bus: Server, topic: str
) -> None:
    async with answering(open_bus.url, topic), linebus.connect(open_bus.url) as client:
        async with client.recv("_reply.>", f"{topic}.>", group="g") as all_of_it:
            assert [answer async for answer in client.ask(topic, "abc")] == ["cba", "cba"]
            await client.ping()
        assert [message async for message in all_of_it] == []


async def test_nobody_there_to_answer_is_a_timeout(open_bus: Server, topic: str) -> None:
    async with linebus.connect(open_bus.url) as client:
        with pytest.raises(AskTimeout, match=r"not complete within 0.05 s"):
            async for _ in client.ask(topic, "?", timeout=0.05):
                raise AssertionError
        await client.ping()
        assert await client.topics("_reply.>") == []


async def test_a_bus_that_does_not_answer_is_a_timeout_too() -> None:
    async with FakeBus() as bus, linebus.connect(bus.url) as client:
        with pytest.raises(TimeoutError):
            await anext(client.ask("t", "?", timeout=0.05))
        await client.close()


async def test_a_lost_connection_ends_the_answers() -> None:
    events: asyncio.Queue[linebus.ClientEvent] = asyncio.Queue()
    async with (
        FakeBus() as bus,
        linebus.connect(bus.url, back_off=(0.001, 0.01), on_event=events.put_nowait) as client,
    ):
        peer = await bus.accept()
        answers = client.ask("t", "?")
        first = asyncio.create_task(anext(answers))
        line = (await peer.reader.readline()).decode()
        reply_topic = line.split()[1]
        peer.say(f"ok recv {reply_topic}")
        await peer.expect(f"send t ? @{reply_topic}")
        peer.say(f"recv {reply_topic} one")
        assert await first == "one"
        peer.hang_up()
        with pytest.raises(ConnectionLost):
            await anext(answers)
        peer = await bus.accept()
        assert isinstance(await events.get(), linebus.Disconnected)
        assert isinstance(await events.get(), linebus.Reconnected)
        ping = asyncio.create_task(client.ping())
        await peer.expect("ping")
        peer.say("pong")
        await ping
        await client.close()


async def test_a_reply_topic_that_may_not_be_joined_is_an_error(accounts: Server) -> None:
    async with linebus.connect(accounts.url_of("bob", "correct horse")) as bob:
        with pytest.raises(BusError, match="denied"):
            await anext(bob.ask("rooms.a", "?"))


async def test_bad_questions_are_refused_at_once(open_bus: Server) -> None:
    async with linebus.connect(open_bus.url) as client:
        for topic, message in (("t", "a\nb"), ("t.*", "a"), ("t", "x" * 65_500)):
            with pytest.raises(ValueError, match=r"topic|message|would have"):
                await anext(client.ask(topic, message))
        await client.ping()
        assert await client.topics("_reply.>") == []


def test_it_is_the_same_without_asyncio(open_bus: Server, topic: str) -> None:
    def answer(questions: linebus.blocking.Subscription) -> None:
        for question in questions:
            text, reply_topic = split_reply(question.text)
            assert reply_topic is not None
            bot.send(reply_topic, text[::-1])
            bot.send(reply_topic, "done")

    with linebus.blocking.connect(open_bus.url) as bot, bot.recv(topic) as questions:
        answering = threading.Thread(target=answer, args=[questions])
        answering.start()
        with linebus.blocking.connect(open_bus.url) as client:
            assert list(client.ask(topic, "abc")) == ["cba"]
            with pytest.raises(AskTimeout):
                list(client.ask("nobody.is.here", "?", timeout=0.05))
            with pytest.raises(ValueError, match="a message is"):
                list(client.ask(topic, "\n"))
            client.ping()
            assert client.topics("_reply.>") == []
        questions.leave()
        answering.join()


def test_a_question_ends_with_its_reply_topic() -> None:
    for message, parts in {
        "x @a.b": ("x", "a.b"),
        " @a": ("", "a"),
        "x  y  @a": ("x  y ", "a"),
        "mail me @a @b": ("mail me @a", "b"),
    }.items():
        assert split_reply(message) == parts
    for plain in ("x", "@a", "x @", "x @a b", "x @a.*", "x@a", "x @a..b", "x @$a", ""):
        assert split_reply(plain) == (plain, None)
