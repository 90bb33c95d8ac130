"""Client of the linebus message bus, for asyncio; `linebus.blocking` is the same without it.

A bus carries lines of text between programs: whoever has joined a topic hears what others send to
it. Nothing is stored. This package connects to a bus, keeps connected, and hands a program its
messages without hiding what may have been lost.

What to know:

- **At most once.** `send` has no answer. Nothing is ever sent a second time: what was under way
  when a connection broke is lost or not, and a `Disconnected` says so. Follow with `ping` to know
  that all before it was routed. Leaving `async with` without an error says goodbye, and waits until
  the bus has taken everything.
- **Connected again.** A lost connection is made again after a moment, longer each time, never the
  same for two clients; login and joins are repeated, then comes a `Reconnected`. While there is no
  connection, calls raise `ConnectionLost` and nothing queues up.
- **Nothing grows without bound.** While a program leaves a subscription unread, the client stops
  reading, and the bus sees the slow receiver that it is. Answers come on the same connection, so a
  call in such a program ends in an `AnswerTimeout`, which says how many messages wait.
- **Checked first.** Topics, names, control characters and lengths are checked before anything is
  sent; what is wrong is a `ValueError`.
"""

from . import blocking
from ._ask import split_reply
from ._client import Client, connect
from ._errors import (
    AnswerTimeout,
    AskTimeout,
    BusError,
    Closed,
    ConnectError,
    ConnectionLost,
    Error,
    Goodbye,
    ProtocolError,
)
from ._events import (
    ClientEvent,
    Connected,
    Disconnected,
    JoinedTopic,
    Message,
    Note,
    Reconnected,
    SubscriptionEvent,
)
from ._subscription import Subscription

__all__ = [
    "AnswerTimeout",
    "AskTimeout",
    "BusError",
    "Client",
    "ClientEvent",
    "Closed",
    "ConnectError",
    "Connected",
    "ConnectionLost",
    "Disconnected",
    "Error",
    "Goodbye",
    "JoinedTopic",
    "Message",
    "Note",
    "ProtocolError",
    "Reconnected",
    "Subscription",
    "SubscriptionEvent",
    "blocking",
    "connect",
    "split_reply",
]
