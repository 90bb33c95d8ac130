"""The asyncio client at a real bus."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path

import pytest
from servers import FakeBus, Server, answer_timeout

import linebus
from linebus import BusError, ClientEvent, Connected, JoinedTopic, Message


async def test_who_has_joined_hears_what_others_send_byte_for_byte(
    open_bus: Server, topic: str
) -> None:
    texts = [" two blanks ", "", "zürich 🙂", "a\tb", "x" * 60_000]
    async with linebus.connect(open_bus.url) as alice, linebus.connect(open_bus.url) as bob:
        async with alice.recv(topic) as messages:
            await alice.send(topic, "her own line is not heard")
            for text in texts:
                await bob.send(topic, text)
            heard = [await anext(messages) for _ in texts]
    assert heard == [Message(topic, text, None, None) for text in texts]


async def test_watch_says_when_and_who(open_bus: Server, topic: str) -> None:
    async with (
        linebus.connect(open_bus.url) as alice,
        linebus.connect(open_bus.url, user="bob") as bob,
    ):
        messages = await alice.watch(topic)
        await bob.send(topic, " x")
        message = await anext(messages)
    assert (message.topic, message.text, message.user) == (topic, " x", "bob")
    assert message.time is not None
    assert message.time.utcoffset() is not None


async def test_a_subscription_may_have_several_topics_and_keeps_their_order(
    open_bus: Server, topic: str
) -> None:
    async with linebus.connect(open_bus.url) as alice, linebus.connect(open_bus.url) as bob:
        messages = await alice.recv(f"{topic}.a", f"{topic}.b.>", f"{topic}.a")
        assert messages.patterns == (f"{topic}.a", f"{topic}.b.>")
        for at, end in enumerate(("a", "b.c", "b", "b.c.d", "a")):
            await bob.send(f"{topic}.{end}", str(at))
        await bob.ping()
        await alice.ping()
        await messages.leave()
        assert [message.text async for message in messages] == ["0", "1", "3", "4"]


async def test_overlapping_subscriptions_each_hear_a_message_once(
    open_bus: Server, topic: str
) -> None:
    async with linebus.connect(open_bus.url) as alice, linebus.connect(open_bus.url) as bob:
        one = await alice.recv(f"{topic}.*", f"{topic}.>")
        other = await alice.recv(f"{topic}.a")
        watching = await alice.watch(f"{topic}.a")
        await bob.send(f"{topic}.a", "1")
        await bob.ping()
        await alice.ping()
        await other.leave()
        await bob.send(f"{topic}.a", "2")
        await bob.ping()
        await alice.ping()
        for subscription, heard in ((one, ["1", "2"]), (other, ["1"]), (watching, ["1", "2"])):
            await subscription.leave()
            assert [message.text async for message in subscription] == heard


async def test_of_a_group_one_hears_each_message(open_bus: Server, topic: str) -> None:
    async with (
        linebus.connect(open_bus.url) as one,
        linebus.connect(open_bus.url) as other,
        linebus.connect(open_bus.url) as sender,
    ):
        members = [await client.recv(topic, group="workers") for client in (one, other)]
        for at in range(10):
            await sender.send(topic, str(at))
        for client in (sender, one, other):
            await client.ping()
        heard = []
        for member in members:
            await member.leave()
            heard.append([int(message.text) async for message in member])
    assert heard[0]
    assert heard[1]
    assert sorted(heard[0] + heard[1]) == list(range(10))


async def test_a_group_and_what_overlaps_it_are_not_joined_on_one_connection(
    open_bus: Server, topic: str
) -> None:
    async with linebus.connect(open_bus.url) as alice:
        member = await alice.recv(f"{topic}.*", group="g")
        for group in (None, "h", "g"):
            with pytest.raises(ValueError, match="use a connection of its own"):
                await alice.recv(f"{topic}.a", group=group)
        await member.leave()
        async with alice.recv(f"{topic}.a"), alice.recv(f"{topic}.b", group="g"):
            with pytest.raises(ValueError, match="use a connection of its own"):
                await alice.recv(">", group="g")
            assert await alice.topics(f"{topic}.>") == [
                JoinedTopic(f"{topic}.a", 1),
                JoinedTopic(f"{topic}.b", 1),
            ]


async def test_after_leave_not_one_message_comes(open_bus: Server, topic: str) -> None:
    async with linebus.connect(open_bus.url) as alice, linebus.connect(open_bus.url) as bob:
        async with alice.recv(topic) as messages:
            await bob.send(topic, "before")
            await bob.ping()
            await alice.ping()
        await bob.send(topic, "after")
        assert [message.text async for message in messages] == ["before"]
        assert await alice.topics(topic) == []
        await messages.leave()


async def test_a_block_that_fails_leaves_all_the_same(open_bus: Server, topic: str) -> None:
    async with linebus.connect(open_bus.url) as alice:
        with pytest.raises(KeyError):
            async with alice.recv(topic):
                raise KeyError
        await alice.ping()
        assert await alice.topics(topic) == []


async def test_it_says_who_is_there(open_bus: Server, topic: str) -> None:
    async with linebus.connect(open_bus.url, user="alice") as alice:
        await alice.recv(topic)
        (me,) = await alice.who(topic)
        assert me == Connected("alice", me.id, me.address)
        assert me.address.startswith("127.0.0.1:")
        assert me in await alice.who()
        assert await alice.who("nobody.is.here") == []
        assert await alice.topics(topic) == [JoinedTopic(topic, 1)]
        assert JoinedTopic(topic, 1) in await alice.topics()
        assert await alice.ping() < 30


async def test_bad_input_is_refused_before_anything_is_sent(open_bus: Server) -> None:
    async with linebus.connect(open_bus.url) as alice:
        for topic, message in (
            ("t", "two\nlines"),
            ("t", "\x1b[2J"),
            ("t\nsend u", "x"),
            ("t u", "x"),
            ("t.*", "x"),
            ("$bus.clients", "x"),
            ("t", "x" * 65_536),
            ("t", "\ud800"),
        ):
            with pytest.raises(ValueError, match="."):
                await alice.send(topic, message)
        for pattern in ("", "a b", "a\n", "a..b"):
            with pytest.raises(ValueError, match="is no topic"):
                alice.recv(pattern)
            with pytest.raises(ValueError, match="is no topic"):
                alice.watch(pattern)
            with pytest.raises(ValueError, match="is no topic"):
                await alice.who(pattern)
            with pytest.raises(ValueError, match="is no topic"):
                await alice.topics(pattern)
        with pytest.raises(ValueError, match="needs a topic"):
            alice.recv()
        with pytest.raises(ValueError, match="is no group"):
            alice.recv("t", group="a b")
        with pytest.raises(ValueError, match="user name"):
            linebus.connect(open_bus.url, user="a b")
        with pytest.raises(ValueError, match="needs a user"):
            linebus.connect(open_bus.url, password="x")
        with pytest.raises(ValueError, match="together"):
            linebus.connect(open_bus.url, cert_file="x")


async def test_the_longest_line_that_a_bus_accepts_is_sent(open_bus: Server, topic: str) -> None:
    async with linebus.connect(open_bus.url) as alice, linebus.connect(open_bus.url) as bob:
        assert alice.line_bytes_max == 65_536
        longest = "x" * (65_536 - len(f"send {topic} \n"))
        messages = await bob.recv(topic)
        await alice.send(topic, longest)
        assert (await anext(messages)).text == longest
        with pytest.raises(ValueError, match="would have 65537 bytes, and this bus accepts 65536"):
            await alice.send(topic, longest + "x")


async def test_a_refused_message_is_told_before_the_pong() -> None:
    events: list[ClientEvent] = []
    async with FakeBus() as bus, linebus.connect(bus.url, on_event=events.append) as client:
        peer = await bus.accept()
        await client.send("t", "x")
        await peer.expect("send t x")
        peer.say("error send denied not you", "error line too-long so long", "note x for you")
        ping = asyncio.create_task(client.ping())
        await peer.expect("ping")
        peer.say("pong")
        await ping
        await client.close()
    assert [str(event) for event in events] == [
        "the bus refused send (denied): not you",
        "the bus refused line (too-long): so long",
        "the bus notes (x): for you",
    ]


async def test_an_event_handler_that_fails_is_logged_and_does_not_matter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(event: ClientEvent) -> None:
        raise KeyError(event)

    async with FakeBus() as bus, linebus.connect(bus.url, on_event=fail) as client:
        peer = await bus.accept()
        peer.say("note x y", "later version's words")
        messages = client.recv("t")
        joining = asyncio.create_task(messages.__aenter__())
        await peer.let_join("t")
        await joining
        await client.close()
    assert "on_event failed at: the bus notes (x): y" in caplog.text


async def test_without_a_handler_events_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeBus() as bus:
        client = await linebus.connect(bus.url)
        peer = await bus.accept()
        joining = asyncio.create_task(client.recv("t").__aenter__())
        await peer.let_join("t")
        messages = await joining
        peer.say("error send denied not you", "bye kicked by an operator")
        with pytest.raises(linebus.Closed, match="kicked"):
            await anext(messages)
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("linebus", "WARNING")
    ] * 2
    assert "the bus said goodbye (kicked): by an operator; that is the end" in caplog.text


async def test_a_refused_join_says_why_and_leaves_nothing_behind() -> None:
    async with FakeBus() as bus, linebus.connect(bus.url) as client:
        peer = await bus.accept()
        joining = asyncio.create_task(client.recv("a", "b").__aenter__())
        await peer.let_join("a")
        await peer.expect("recv b")
        peer.say("error recv denied you may not")
        with pytest.raises(BusError, match="denied") as refused:
            await joining
        assert (refused.value.verb, refused.value.code) == ("recv", "denied")
        await peer.expect("leave a", "leave b")
        await client.close()


async def test_leaving_the_block_waits_until_the_bus_has_taken_everything(
    open_bus: Server, topic: str
) -> None:
    async with linebus.connect(open_bus.url) as alice:
        messages = await alice.recv(topic)
        async with linebus.connect(open_bus.url) as bob:
            for at in range(5_000):
                await bob.send(topic, str(at))
        await alice.ping()
        await messages.leave()
        assert [int(message.text) async for message in messages] == list(range(5_000))


async def test_after_the_goodbye_every_call_says_so(open_bus: Server, topic: str) -> None:
    client = await linebus.connect(open_bus.url)
    messages = await client.recv(topic)
    await client.logoff()
    assert not client.is_connected
    assert [message async for message in messages] == []
    with pytest.raises(linebus.Closed, match=r"closed: the bus said goodbye \(logoff\)"):
        await client.send(topic, "x")
    with pytest.raises(linebus.Closed):
        await client.ping()
    with pytest.raises(linebus.Closed):
        await client.recv(topic)
    await client.close()
    await messages.leave()


async def test_a_closed_client_writes_what_it_accepted() -> None:
    async with FakeBus() as bus:
        client = await linebus.connect(bus.url)
        peer = await bus.accept()
        await client.send("t", "x")
        await client.close()
        await peer.expect("send t x")
        assert await peer.reader.read() == b""
        with pytest.raises(linebus.Closed, match="this program closed it"):
            await client.ping()


async def test_a_unix_socket_will_do(tmp_path: Path) -> None:
    with Server("--unix", str(tmp_path / "bus.sock")) as server:
        async with linebus.connect(f"unix:{server.addresses['unix']}", user="bob") as client:
            assert [(one.user, one.address) for one in await client.who()] == [("bob", "unix")]


async def test_where_there_is_no_bus_it_says_so(tmp_path: Path) -> None:
    async with FakeBus() as bus:
        url = bus.url
    with pytest.raises(linebus.ConnectError, match=r"to 127.0.0.1:\d+: Connection refused"):
        await linebus.connect(url)
    with pytest.raises(ConnectionError, match="No such file or directory"):
        await linebus.connect(f"unix:{tmp_path}/none")
    with pytest.raises(linebus.ConnectError, match="no.such.host.invalid:5463"):
        await linebus.connect("no.such.host.invalid")
    with pytest.raises(linebus.ConnectError, match="label"):
        await linebus.connect("a" * 64 + ".b")


@pytest.mark.parametrize(
    ("hello", "error", "says"),
    [
        ("HTTP/1.1 400 Bad Request\r", linebus.ProtocolError, "is no bus: it said 'HTTP/1.1 400"),
        ("\x16\x03", linebus.ProtocolError, "is no bus"),
        ("x" * 2000, linebus.ProtocolError, "is no bus"),
        ("hello you", linebus.ProtocolError, "is no bus: it said 'hello you' instead of hello"),
        ("hello linebus 2 line-max=1 login=open", linebus.ProtocolError, "speaks version 2"),
        ("bye busy all connections are taken", linebus.Goodbye, "busy"),
        ("hello linebus 1 line-max=9 login=required", BusError, "user and password"),
    ],
)
async def test_who_is_no_bus_or_does_not_let_in_is_told_apart(
    hello: str, error: type[linebus.Error], says: str
) -> None:
    async with FakeBus(hello) as bus:
        with pytest.raises(error, match=says):
            await linebus.connect(bus.url)


async def test_who_says_nothing_is_given_up() -> None:
    async with FakeBus("") as bus:
        with pytest.raises(linebus.ConnectError, match="no answer within 0.05 s"):
            await linebus.connect(bus.url, connect_timeout=0.05)


async def test_a_login_longer_than_the_bus_takes_is_not_said() -> None:
    async with FakeBus("hello linebus 1 line-max=20 login=open") as bus:
        with pytest.raises(BusError, match="too-long"):
            await linebus.connect(bus.url, user="bob", password="x" * 20)


async def test_answers_are_for_those_who_asked_in_order() -> None:
    async with FakeBus() as bus, linebus.connect(bus.url) as client:
        peer = await bus.accept()
        calls = [
            asyncio.create_task(call)
            for call in (client.who(), client.ping(), client.topics(), client.who("t"))
        ]
        await peer.expect("who", "ping", "topics", "who t")
        peer.say("who bob 7 unix", "ok who 1", "pong", "topic a.> 2", "topic b 1", "ok topics 2")
        peer.say("error who denied you may not")
        assert await calls[0] == [Connected("bob", 7, "unix")]
        assert isinstance(await calls[1], float)
        assert await calls[2] == [JoinedTopic("a.>", 2), JoinedTopic("b", 1)]
        with pytest.raises(BusError, match="denied"):
            await calls[3]
        await client.close()


async def test_a_call_that_was_given_up_does_not_get_others_answers() -> None:
    async with FakeBus() as bus, linebus.connect(bus.url) as client:
        peer = await bus.accept()
        with answer_timeout(client, 0.05):
            with pytest.raises(linebus.AnswerTimeout, match="no answer to who within 0.05 s"):
                await client.who()
            with pytest.raises(TimeoutError):
                await client.ping()
        topics = asyncio.create_task(client.topics())
        await peer.expect("who", "ping", "topics")
        peer.say("who bob 7 unix", "ok who 1", "pong", "topic t 1", "ok topics 1")
        assert await topics == [JoinedTopic("t", 1)]
        await client.close()


async def test_answers_that_can_not_be_read_are_explained() -> None:
    async with FakeBus() as bus, linebus.connect(bus.url) as client:
        peer = await bus.accept()
        who = asyncio.create_task(client.who())
        await peer.expect("who")
        peer.say("who bob seven unix", "ok who 1")
        with pytest.raises(linebus.ProtocolError, match="no answer to who: .*bob seven"):
            await who
        topics = asyncio.create_task(client.topics())
        await peer.expect("topics")
        peer.say("topic t", "ok topics 1")
        with pytest.raises(linebus.ProtocolError, match="no answer to topics"):
            await topics
        await client.close()


def test_errors_can_be_pickled_and_say_what_they_are() -> None:
    for error in (
        linebus.ConnectError("h:1", "no"),
        linebus.ConnectionLost("gone"),
        linebus.Goodbye("slow", "you were"),
        linebus.ProtocolError("nonsense"),
        linebus.Closed(linebus.Goodbye("kicked", "out")),
        BusError("send", "denied", "no"),
        linebus.AnswerTimeout("who", 1.0, 2),
        linebus.AskTimeout(1.0),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error) != ""
        assert isinstance(error, linebus.Error)
