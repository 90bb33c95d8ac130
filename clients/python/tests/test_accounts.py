"""A bus with accounts: logins, and what an account may not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import Server

import linebus
from linebus import BusError, ClientEvent


async def test_a_login_is_required_and_said_how(accounts: Server) -> None:
    with pytest.raises(BusError, match=r"login-first.*linebus://user:password@host"):
        await linebus.connect(accounts.url)


async def test_a_wrong_password_is_refused(accounts: Server) -> None:
    with pytest.raises(BusError) as refused:
        await linebus.connect(accounts.url_of("alice", "open barley"))
    assert refused.value.code == "wrong-login"


async def test_who_has_logged_in_is_known_by_name(accounts: Server) -> None:
    url = accounts.url_of("alice", "open sesame")
    async with linebus.connect(url) as alice:
        assert {one.user for one in await alice.who()} == {"alice"}
    async with linebus.connect(url, user="bob", password="correct horse") as bob:
        with pytest.raises(BusError, match="denied"):
            await bob.who()


async def test_what_an_account_may_not_do_is_refused(accounts: Server) -> None:
    events: list[ClientEvent] = []
    url = accounts.url_of("bob", "correct horse")
    async with linebus.connect(url, on_event=events.append) as bob:
        with pytest.raises(BusError) as refused:
            await bob.recv("rooms.a", "secret")
        assert (refused.value.verb, refused.value.code) == ("recv", "denied")
        await bob.send("secret", "x")
        await bob.ping()
        (event,) = events
        assert isinstance(event, BusError)
        assert (event.verb, event.code) == ("send", "denied")
        with pytest.raises(BusError, match="denied"):
            await bob.watch("rooms.a")


async def test_a_join_that_is_no_longer_allowed_ends_with_an_error(tmp_path: Path) -> None:
    users, config = tmp_path / "users.toml", tmp_path / "linebus.toml"
    Server.add_user(users, "bob", "correct horse", "--recv", "a", "--recv", "b", "--send", "b")
    Server.add_user(users, "eve", "correct horse", "--send", "b")
    config.write_text('listen = ["127.0.0.1:0"]\nusers = "users.toml"\n')
    events: list[ClientEvent] = []
    with Server("--config", str(config)) as server:
        async with (
            linebus.connect(server.url_of("bob", "correct horse"), on_event=events.append) as bob,
            linebus.connect(server.url_of("eve", "correct horse")) as eve,
        ):
            messages = await bob.recv("a", "b")
            text = users.read_text()
            users.write_text(text.replace('allow = ["a", "b"]', 'allow = ["b"]'))
            assert users.read_text() != text
            server.reload()
            with pytest.raises(BusError, match="the bus has ended it: a: you may no longer hear"):
                await anext(messages)
            await eve.send("b", "the other join stands")
            assert (await anext(messages)).text == "the other join stands"
            await messages.leave()
    assert [type(event) for event in events] == [linebus.Note]
