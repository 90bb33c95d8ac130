"""Where a bus is and who one is there, read from what people write.

Not a general URL parser: a bus has a place and perhaps a user, no path, query or fragment.
Passwords are kept out of everything that is printed.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from ._protocol import PORT, TLS_PORT, check_text, is_name

_WAYS = "write linebus://host:port, linebuss://host:port, unix:/path or host:port"
_HOST = re.compile(r"[\w.-]*")


@dataclass(frozen=True, slots=True)
class BusUrl:
    """The address of a bus, and the user to log in as."""

    #: A host, by name or address (IPv6 without brackets); empty for a Unix socket.
    host: str = ""
    port: int = 0
    encrypted: bool = False
    #: A Unix socket, if this is one.
    path: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The place without the user, as errors name it."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def with_login(self, user: str | None, password: str | None) -> BusUrl:
        """The same bus, logged in as `user`. `ValueError` for what the bus would not take."""
        if user is None:
            if password is not None:
                raise ValueError("a password needs a user")
            return self
        if not is_name(user):
            raise ValueError("a user name is 1 to 64 letters, digits, _ . or -")
        if password is not None:
            try:
                check_text(password)
            except ValueError:
                # Not repeated here, and not in the chain of errors either.
                raise ValueError("a password is text without control characters") from None
        return replace(self, user=user, password=password)


def parse_url(text: str | None) -> BusUrl:
    """Reads `linebus://[user[:password]@]host[:port]`, `linebuss://…`, `unix:/path` or
    `host:port`; without a text, that of the environment's `LINEBUS_URL`.
    """
    if text is None:
        text = os.environ.get("LINEBUS_URL") or f"linebus://127.0.0.1:{PORT}"
    text = text.strip()
    if text.startswith("unix:"):
        return _parse_unix(text.removeprefix("unix:"))
    scheme, mark, rest = text.partition("://")
    if not mark:
        return _parse_authority(text, PORT, encrypted=False)
    if scheme == "linebus":
        return _parse_authority(rest, PORT, encrypted=False)
    if scheme == "linebuss":
        return _parse_authority(rest, TLS_PORT, encrypted=True)
    raise ValueError(f"`{scheme}:` is not how a bus is reached; {_WAYS}")


def _parse_authority(rest: str, default_port: int, *, encrypted: bool) -> BusUrl:
    """`[user[:password]@]host[:port][/]`"""
    user, password, rest = _split_credentials(rest)
    authority, slash, path = rest.partition("/")
    if path:
        raise ValueError(
            f"nothing may follow the port, but `{slash}{path}` does; topics are not part of the URL"
        )
    host, port = _split_port(authority)
    if port is None:
        number = default_port
    elif re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536:
        number = int(port)
    else:
        raise ValueError(f"`{port}` is no port; a port is a number from 1 to 65535, usually {PORT}")
    return BusUrl(host=host, port=number, encrypted=encrypted).with_login(user, password)


def _parse_unix(rest: str) -> BusUrl:
    """`/path`, `//[user[:password]@]/path`, or a relative path."""
    user, password = None, None
    if rest.startswith("//"):
        user, password, rest = _split_credentials(rest.removeprefix("//"))
    if not rest:
        raise ValueError("the path is missing; write unix:/path/to/socket")
    return BusUrl(path=rest).with_login(user, password)


def _split_credentials(rest: str) -> tuple[str | None, str | None, str]:
    # The last @, because people forget to write the one in their password as %40.
    login, mark, place = rest.rpartition("@")
    if not mark:
        return None, None, rest
    user, colon, password = login.partition(":")
    try:
        return (
            unquote(user, errors="strict"),
            unquote(password, errors="strict") if colon else None,
            place,
        )
    except UnicodeDecodeError:
        raise ValueError("write other bytes of user and password as %XX, in UTF-8") from None


def _split_port(authority: str) -> tuple[str, str | None]:
    """The host, its brackets taken off, and what stands after its colon."""
    bad_host = ValueError(
        f"`{authority}` is no host; IPv6 addresses stand in brackets, as in linebus://[::1]:{PORT}"
    )
    if authority.startswith("["):
        host, bracket, after = authority[1:].partition("]")
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise bad_host from None
        if not bracket or (after and not after.startswith(":")):
            raise bad_host
        return host, after.removeprefix(":") if after else None
    host, colon, port = authority.partition(":")
    if not _HOST.fullmatch(host) or ":" in port:
        raise bad_host
    if not host:
        raise ValueError(
            f"the host is missing; write linebus://host:port, such as linebus://127.0.0.1:{PORT}"
        )
    return host, port if colon else None
