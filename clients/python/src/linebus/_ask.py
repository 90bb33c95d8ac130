"""Question and answers over topics: a convention between programs; to the bus these are topics and
messages like any other.
"""

from __future__ import annotations

import secrets

from ._protocol import check_topic

#: The message that ends the answers.
DONE = "done"


def invent_reply_topic() -> str:
    """A topic that nobody else would guess: 128 random bits."""
    return f"_reply.{secrets.token_hex(16)}"


def split_reply(message: str) -> tuple[str, str | None]:
    """A question's text, and the topic on which answers are awaited, if it names one.

    Send the answers there, each as one message, and `done` after the last.

    >>> split_reply("list rooms @_reply.1f")
    ('list rooms', '_reply.1f')
    >>> split_reply("no question")
    ('no question', None)
    """
    text, mark, topic = message.rpartition(" @")
    if mark:
        try:
            check_topic(topic)
        except ValueError:
            pass
        else:
            return text, topic
    return message, None
