"""What may stand in a line, and bytes cut into lines."""

from __future__ import annotations

import random

import pytest

from linebus import Error, Message, ProtocolError
from linebus._inbox import Inbox
from linebus._outgoing import Outgoing
from linebus._protocol import (
    LineBuffer,
    check_pattern,
    check_text,
    check_topic,
    matches,
    overlap,
    parse_hello,
    parse_recv,
    parse_watch,
)
from linebus._session import Session


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("", "empty tokens"),
        ("a..b", "empty tokens"),
        (".a", "empty tokens"),
        ("a b", "letters, digits"),
        ("zürich", "letters, digits"),
        ("a\n", "letters, digits"),
        ("a.b*", "stands for one whole token"),
        (">.a", "only at the end"),
        ("$*", "stands for one whole token"),
        ("a" * 201, "at most 200 bytes"),
        (".".join("a" * 17), "at most 16 tokens"),
    ],
)
def test_what_is_no_topic_is_refused_with_the_rule_that_it_breaks(word: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_pattern(word)


def test_the_longest_topics_are_topics() -> None:
    for word in ("a" * 200, ".".join("a" * 16), "$bus.clients", "A-Z_0", "*.>", "a.*.b"):
        assert check_pattern(word) == word.encode()


def test_nobody_sends_to_wildcards_and_system_topics() -> None:
    with pytest.raises(ValueError, match="no wildcards here"):
        check_topic("rooms.*")
    with pytest.raises(ValueError, match="nobody but the bus"):
        check_topic("$bus.clients")


def test_text_is_utf8_without_control_characters() -> None:
    for good in ("", " a\tb ", "zürich 🙂", "\xa0", "~", "\u2028"):
        assert check_text(good) == good.encode()
    for bad in ("\0", "a\x1b[2J", "\x7f", "a\rb", "a\nb", "\x9b", "\x80", "\ud800"):
        with pytest.raises(ValueError, match="a message is"):
            check_text(bad)


def test_every_ascii_character_is_judged() -> None:
    for code in range(128):
        good = code == 9 or 32 <= code < 127
        try:
            check_text("x" * 300 + chr(code))
        except ValueError:
            assert not good, code
        else:
            assert good, code


def test_patterns_match_as_the_page_says() -> None:
    topics = ["a", "b", "a.a", "a.b", "b.a", "a.a.a", "a.b.a", "$a", "$a.b"]
    heard = {
        "a": ["a"],
        "*": ["a", "b"],
        ">": ["a", "b", "a.a", "a.b", "b.a", "a.a.a", "a.b.a"],
        "a.*": ["a.a", "a.b"],
        "*.a": ["a.a", "b.a"],
        "a.>": ["a.a", "a.b", "a.a.a", "a.b.a"],
        "*.*.>": ["a.a.a", "a.b.a"],
        "$a.>": ["$a.b"],
    }
    for pattern, wanted in heard.items():
        assert [topic for topic in topics if matches(pattern, topic)] == wanted


def test_patterns_overlap_if_and_only_if_a_topic_matches_both() -> None:
    tokens = ["a", "b"]
    topics = list(tokens)
    for _ in range(3):
        topics += [f"{topic}.{token}" for topic in topics for token in tokens]
    topics += [f"${topic}" for topic in topics]
    patterns = [
        f"{sign}{first}{rest}"
        for sign in ("", "$")
        for first in ("a", "*", ">")
        if not (sign and first != "a")
        for rest in ("", ".a", ".*", ".>", ".a.b", ".*.b", ".b.>")
        if not (first == ">" and rest)
    ]
    for one in patterns:
        for other in patterns:
            both = any(matches(one, topic) and matches(other, topic) for topic in topics)
            assert overlap(one, other) == both, (one, other)


STREAM = (
    "recv t zürich\nrecv t \nwatch t 2026-01-02T03:04:05.678901Z bob  x\nnote x 🙂\n\n".encode()
)


def test_lines_are_the_same_however_they_are_cut() -> None:
    expected = LineBuffer().feed(STREAM)
    assert len(expected) == 5
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    for size in (1, 2, 3, *(dice.randrange(1, 20) for _ in range(50))):
        buffer = LineBuffer()
        pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
        assert [line for piece in pieces for line in buffer.feed(piece)] == expected, seed
        assert buffer.unfinished() == b""


def test_an_endless_line_is_given_up() -> None:
    buffer = LineBuffer()
    buffer.accept_lines_of(100)
    for _ in range(356):
        assert buffer.feed(b"x") == []
    with pytest.raises(ProtocolError, match="a line of more than 356 bytes"):
        buffer.feed(b"x")


def test_what_is_not_clean_text_is_quoted_and_refused() -> None:
    for bad in (b"recv \xff", b"recv \x1b[2J", "recv \x9b".encode(), b"recv\r"):
        with pytest.raises(ProtocolError) as refused:
            LineBuffer().feed(b"recv t a\n" + bad + b"\nrecv t b\n")
        assert repr(bad).removeprefix("b") in str(refused.value)
    with pytest.raises(ProtocolError) as refused:
        LineBuffer().feed(b"\0" + b"x" * 1000 + b"\n")
    assert str(refused.value).endswith("x…") or len(str(refused.value)) < 150


def test_hello_is_read_with_whatever_later_versions_add() -> None:
    hello = parse_hello("hello linebus 1 line-max=512 login=required more=1")
    assert hello is not None
    assert (hello.version, hello.line_bytes_max, hello.login_required) == (1, 512, True)
    for other in ("hello", "hello you", "hello linebus x line-max=1 login=open", "HTTP/1.1 200 OK"):
        assert parse_hello(other) is None


def test_messages_are_kept_byte_for_byte() -> None:
    assert parse_recv("recv t  two blanks ") == Message("t", " two blanks ", None, None)
    assert parse_recv("recv t ") == Message("t", "", None, None)
    watched = parse_watch("watch t 2026-01-02T03:04:05.678901Z bob  x ")
    assert (watched.topic, watched.user, watched.text) == ("t", "bob", " x ")
    assert watched.time is not None
    assert watched.time.isoformat() == "2026-01-02T03:04:05.678901+00:00"
    for line in ("recv t", "watch t now bob x", "watch t 2026-01-02T03:04:05Z"):
        with pytest.raises(ProtocolError, match="not the protocol"):
            (parse_recv if line.startswith("recv") else parse_watch)(line)


def test_whatever_bytes_a_bus_sends_it_is_understood_or_explained() -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    words = [
        b"recv",
        b"watch",
        b"ok",
        b"error",
        b"pong",
        b"who",
        b"topic",
        b"note",
        b"bye",
        b"left",
    ]
    words += [
        b" ",
        b" ",
        b" ",
        b"\n",
        b"\n",
        b"t",
        b"a.b",
        b"2026-01-02T03:04:05Z",
        b"\xff",
        b"\x00",
        b"",
    ]
    understood = explained = 0
    for _ in range(3000):
        session = Session(Outgoing(1000), lambda _: None)
        inbox = Inbox(1000, lambda _: None)
        session.join("recv", ">", None, inbox)
        session.join("watch", "t", None, inbox)
        buffer = LineBuffer()
        try:
            for _ in range(10):
                session.take_lines(buffer.feed(b"".join(dice.choices(words, k=5))))
            understood += 1
        except Error as error:
            assert str(error), seed
            explained += 1
    assert understood, seed
    assert explained, seed
