"""Where a bus is, as people write it."""

from __future__ import annotations

import pytest

import linebus
from linebus._url import parse_url


@pytest.mark.parametrize(
    ("text", "address", "user", "password"),
    [
        ("linebus://127.0.0.1", "127.0.0.1:5463", None, None),
        ("linebus://127.0.0.1:7000/", "127.0.0.1:7000", None, None),
        (" bus.example:7000 ", "bus.example:7000", None, None),
        ("localhost", "localhost:5463", None, None),
        ("[::1]:7000", "[::1]:7000", None, None),
        ("linebus://[fe80::1]", "[fe80::1]:5463", None, None),
        ("linebuss://bob:x@[::1]:1/", "[::1]:1", "bob", "x"),
        ("linebuss://h", "h:5464", None, None),
        ("linebus://bob@h", "h:5463", "bob", None),
        ("linebus://bob:@h", "h:5463", "bob", ""),
        ("linebus://bob:p%40ss:w%C3%B6rd@h:1", "h:1", "bob", "p@ss:wörd"),
        ("linebus://bob:p@ss@h", "h:5463", "bob", "p@ss"),
        ("unix:/run/bus.sock", "unix:/run/bus.sock", None, None),
        ("unix:///run/bus.sock", "unix:/run/bus.sock", None, None),
        ("unix:bus.sock", "unix:bus.sock", None, None),
        ("unix://bob:x@/run/bus.sock", "unix:/run/bus.sock", "bob", "x"),
    ],
)
def test_a_bus_is_named_in_the_ways_that_people_write(
    text: str, address: str, user: str | None, password: str | None
) -> None:
    url = parse_url(text)
    assert (url.address, url.user, url.password) == (address, user, password)
    assert url.encrypted == text.startswith("linebuss:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://h", "`http:` is not how a bus is reached; write linebus://host:port"),
        ("", "the host is missing"),
        ("linebus://bob@:1", "the host is missing"),
        ("h:0", "`0` is no port"),
        ("h:65536", "`65536` is no port"),
        ("h:", "`` is no port"),
        ("::1", "stand in brackets"),
        ("[::1", "stand in brackets"),
        ("[::1]x", "stand in brackets"),
        ("[h]:1", "stand in brackets"),
        ("a b", "is no host"),
        ("linebus://h/topic", "nothing may follow the port, but `/topic` does"),
        ("unix:", "the path is missing"),
        ("linebus://@h", "a user name is 1 to 64"),
        ("linebus://a%20b@h", "a user name is 1 to 64"),
        ("linebus://a:%0Aping@h", "a password is text without control characters"),
        ("linebus://a:%FF@h", "in UTF-8"),
    ],
)
def test_errors_say_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        linebus.connect(text)


def test_a_password_is_never_printed() -> None:
    assert "secret" not in repr(parse_url("linebus://bob:secret@h"))
    with pytest.raises(ValueError, match="a password is text") as refused:
        parse_url("linebus://bob:secret%07@h")
    assert refused.value.__cause__ is None
    assert "secret" not in str(refused.value)


def test_the_environment_names_the_bus_if_the_program_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert parse_url(None).address == "127.0.0.1:5463"
    monkeypatch.setenv("LINEBUS_URL", "unix:/run/bus.sock")
    assert parse_url(None).address == "unix:/run/bus.sock"
