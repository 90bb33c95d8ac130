"""The client without asyncio."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from servers import Server

import linebus
from linebus import BusError, ClientEvent, Closed, Disconnected, Message, Reconnected

TEXT = "x" * 100


def test_it_has_the_same_methods() -> None:
    for there, here in (
        (linebus.Client, linebus.blocking.Client),
        (linebus.Subscription, linebus.blocking.Subscription),
    ):
        wanted = {name for name in vars(there) if not name.startswith("_")}
        assert wanted <= {name for name in vars(here) if not name.startswith("_")}


def test_who_has_joined_hears_what_others_send(open_bus: Server, topic: str) -> None:
    with (
        linebus.blocking.connect(open_bus.url) as alice,
        linebus.blocking.connect(open_bus.url, user="bob") as bob,
    ):
        with alice.recv(f"{topic}.*", f"{topic}.>") as messages, alice.watch(f"{topic}.b") as who:
            assert messages.patterns == (f"{topic}.*", f"{topic}.>")
            bob.send(f"{topic}.a", " 1 ")
            bob.send(f"{topic}.b", "2")
            assert next(messages) == Message(f"{topic}.a", " 1 ", None, None)
            assert messages.next_within(30) == Message(f"{topic}.b", "2", None, None)
            assert next(who).user == "bob"
            with pytest.raises(TimeoutError, match=r"no message within 0.01 s"):
                messages.next_within(0.01)
            assert len(alice.topics(f"{topic}.>")) == 3
            assert [one.user for one in alice.who(f"{topic}.>")] == ["guest"]
            assert alice.is_connected
            assert alice.ping() < 30
            assert alice.line_bytes_max == 65_536
        assert list(messages) == []
        assert messages.next_within(1) is None
        assert alice.topics(f"{topic}.>") == []
    for call in (alice.ping, alice.logoff, alice.who, lambda: alice.send(topic, "x")):
        with pytest.raises(Closed, match="logoff"):
            call()
    messages.leave()
    alice.close()


def test_bad_input_is_refused_before_anything_is_sent(open_bus: Server) -> None:
    with linebus.blocking.connect(open_bus.url) as alice:
        for topic, message in (("t", "two\nlines"), ("t u", "x"), ("t", "x" * 65_536)):
            with pytest.raises(ValueError, match=r"topic|message|would have"):
                alice.send(topic, message)
        with pytest.raises(ValueError, match="is no topic"):
            alice.recv("a\n")
        with pytest.raises(ValueError, match="is no group"):
            alice.recv("a", group="")
    with pytest.raises(ValueError, match="is not how a bus is reached"):
        linebus.blocking.connect("http://h")
    with pytest.raises(linebus.ConnectError, match="No such file"):
        linebus.blocking.connect("unix:/there/is/none")


def test_what_is_refused_is_an_error(accounts: Server) -> None:
    with linebus.blocking.connect(accounts.url_of("bob", "correct horse")) as bob:
        with pytest.raises(BusError, match="denied"):
            bob.recv("secret")
        with pytest.raises(BusError, match="denied"):
            bob.who()
    with pytest.raises(BusError, match="wrong-login"):
        linebus.blocking.connect(accounts.url_of("bob", "wrong horse"))


def test_threads_may_share_a_client_and_nothing_is_lost(open_bus: Server, topic: str) -> None:
    count, senders = 5_000, 3

    def send(name: int) -> None:
        for at in range(count):
            alice.send(f"{topic}.{name}", f"{at} {TEXT}")

    with (
        linebus.blocking.connect(open_bus.url, outgoing_bytes_max=10_000) as alice,
        linebus.blocking.connect(open_bus.url, events_bytes_max=50_000) as bob,
        bob.recv(f"{topic}.*") as messages,
    ):
        threads = [threading.Thread(target=send, args=[name]) for name in range(senders)]
        for thread in threads:
            thread.start()
        heard = dict.fromkeys((f"{topic}.{name}" for name in range(senders)), 0)
        for message in messages:
            assert message.text == f"{heard[message.topic]} {TEXT}"
            heard[message.topic] += 1
            if sum(heard.values()) == count * senders:
                break
        for thread in threads:
            thread.join()
        bob.ping()


def test_a_lost_connection_is_told_between_the_messages() -> None:
    events: list[ClientEvent] = []
    with Server("--listen", "127.0.0.1:0") as server:
        alice = linebus.blocking.connect(server.url, back_off=(0.001, 0.01), on_event=events.append)
        with alice, alice.recv("t") as messages:
            stream = messages.events()
            server.kill()
            lost = next(stream)
            assert isinstance(lost, Disconnected)
            with pytest.raises(linebus.ConnectionLost):
                alice.ping()
            with Server("--listen", server.addresses["tcp"]):
                back = next(stream)
                assert isinstance(back, Reconnected)
                with linebus.blocking.connect(server.url) as bob:
                    bob.send("t", "here again")
                assert next(messages).text == "here again"
                alice.logoff()
                assert list(stream) == []
    assert events == [lost, back]


def test_an_event_handler_can_not_wait_for_its_own_client(
    accounts: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def ping(_: ClientEvent) -> None:
        bob.ping()

    with linebus.blocking.connect(accounts.url_of("bob", "correct horse"), on_event=ping) as bob:
        bob.send("secret", "x")
        bob.ping()
    assert "on_event must not wait for its own client" in caplog.text


def test_a_block_that_fails_leaves_and_closes_all_the_same(open_bus: Server, topic: str) -> None:
    with linebus.blocking.connect(open_bus.url) as alice:
        with pytest.raises(KeyError):
            with alice.recv(topic):
                raise KeyError
        alice.ping()
        assert alice.topics(topic) == []
    with pytest.raises(KeyError):
        with linebus.blocking.connect(open_bus.url) as alice:
            raise KeyError
    with pytest.raises(Closed, match="this program closed it"):
        alice.ping()
    assert "linebus" not in {thread.name for thread in threading.enumerate()}


def test_a_program_that_just_ends_has_sent_what_it_sent(
    open_bus: Server, topic: str, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, linebus.blocking\n"
        "bus = linebus.blocking.connect(sys.argv[1])\n"
        "for at in range(1000):\n"
        "    bus.send(sys.argv[2], str(at))\n"
    )
    with linebus.blocking.connect(open_bus.url) as alice, alice.recv(topic) as messages:
        subprocess.run([sys.executable, str(program), open_bus.url, topic], check=True, timeout=20)
        alice.ping()
        messages.leave()
        assert [message.text for message in messages] == [str(at) for at in range(1000)]
