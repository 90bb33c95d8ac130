"""TLS: whom the client trusts, and whom it says it is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import FakeBus, Server

import linebus
from linebus import ConnectError


class Authority:
    """Makes certificates, with the `openssl` command."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.ca = str(folder / f"{name}.pem")
        self._openssl(
            "req", "-x509", "-subj", f"/CN={name}", "-out", self.ca, *self._new_key(name),
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign",
        )  # fmt: skip

    def sign(self, name: str, usage: str, names: str = "") -> tuple[str, str]:
        """A certificate for `name` and its key."""
        request, cert = self._folder / f"{name}.csr", self._folder / f"{name}.pem"
        extensions = self._folder / f"{name}.ext"
        lines = [f"extendedKeyUsage={usage}", "authorityKeyIdentifier=keyid"]
        lines += [f"subjectAltName={names}"] if names else []
        extensions.write_text("\n".join(lines) + "\n")
        self._openssl("req", "-subj", f"/CN={name}", "-out", str(request), *self._new_key(name))
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", self.ca, "-out", str(cert),
            "-CAkey", str(self._folder / f"{self._name}.key"), "-CAcreateserial", "-days", "1",
            "-extfile", str(extensions),
        )  # fmt: skip
        return str(cert), str(self._folder / f"{name}.key")

    def _new_key(self, name: str) -> list[str]:
        key = str(self._folder / f"{name}.key")
        return [*["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"], key]

    def _openssl(self, *arguments: str) -> None:
        openssl = shutil.which("openssl")
        assert openssl is not None, "install openssl"
        subprocess.run([openssl, *arguments], check=True, capture_output=True, timeout=20)


class TlsBus:
    """A bus that speaks TLS, whose user alice needs a client's certificate."""

    def __init__(self, server: Server, authority: Authority, folder: Path) -> None:
        self.authority = authority
        self.folder = folder
        self.plain_url = server.url
        self.address = server.addresses["tls"]
        self.url = f"linebuss://alice@localhost:{self.address.split(':')[1]}"


@pytest.fixture(scope="module")
def tls_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsBus]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, "ours")
    cert, key = authority.sign("bus", "serverAuth", "DNS:localhost")
    users = folder / "users.toml"
    Server.add_user(users, "alice", "", "--no-password", "--send", ">", "--recv", ">", "--see")
    config = folder / "linebus.toml"
    config.write_text(
        'listen = ["127.0.0.1:0"]\nusers = "users.toml"\n[tls]\nlisten = ["127.0.0.1:0"]\n'
        f'certificate = "{cert}"\nkey = "{key}"\nclient_ca = "{authority.ca}"\n'
    )
    with Server("--config", str(config)) as server:
        yield TlsBus(server, authority, folder)


async def test_a_certificate_says_who_one_is(tls_bus: TlsBus) -> None:
    cert, key = tls_bus.authority.sign("alice", "clientAuth")
    ca = Path(tls_bus.authority.ca)
    async with (
        linebus.connect(tls_bus.url, ca_file=ca, cert_file=cert, key_file=key) as alice,
        linebus.connect(tls_bus.url, ca_file=ca, cert_file=cert, key_file=key) as other,
    ):
        async with alice.recv("t") as messages:
            for at in range(2_000):
                await other.send("t", f"{at} {'x' * 1000}")
            for at in range(2_000):
                assert (await anext(messages)).text == f"{at} {'x' * 1000}"
        assert {one.user for one in await alice.who()} == {"alice"}


async def test_without_it_the_login_is_refused(tls_bus: TlsBus) -> None:
    with pytest.raises(linebus.BusError, match="wrong-login"):
        await linebus.connect(tls_bus.url, ca_file=tls_bus.authority.ca)


async def test_who_is_not_trusted_is_refused_with_what_to_do(tls_bus: TlsBus) -> None:
    with pytest.raises(ConnectError, match="give its authority's certificate as ca_file"):
        await linebus.connect(tls_bus.url)
    other = Authority(tls_bus.folder, "theirs")
    with pytest.raises(ConnectError, match="signed by nobody who is trusted here"):
        await linebus.connect(tls_bus.url, ca_file=other.ca)


async def test_the_name_is_checked(tls_bus: TlsBus) -> None:
    with pytest.raises(ConnectError, match="its certificate is for another name"):
        await linebus.connect(f"linebuss://alice@{tls_bus.address}", ca_file=tls_bus.authority.ca)


async def test_files_that_are_wrong_are_named(tls_bus: TlsBus, tmp_path: Path) -> None:
    ca = tls_bus.authority.ca
    with pytest.raises(ConnectError, match="none.pem: No such file or directory"):
        await linebus.connect(tls_bus.url, ca_file=tmp_path / "none.pem")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(ConnectError, match="nonsense.pem: .*PEM text is wanted"):
        await linebus.connect(tls_bus.url, ca_file=nonsense)
    with pytest.raises(ConnectError, match="nonsense.pem: no certificate and its unencrypted"):
        await linebus.connect(tls_bus.url, ca_file=ca, cert_file=nonsense, key_file=nonsense)


async def test_plain_and_tls_ports_are_told_apart(tls_bus: TlsBus) -> None:
    ca = tls_bus.authority.ca
    async with FakeBus() as bus:
        with pytest.raises(ConnectError, match="that port speaks plain lines, not TLS"):
            await linebus.connect(bus.url.replace("linebus:", "linebuss:"), ca_file=ca)
    url = tls_bus.plain_url.replace("linebus://", "linebuss://alice@")
    with pytest.raises(ConnectError, match="that port speaks plain lines, not TLS"):
        await linebus.connect(url, ca_file=ca)
    with pytest.raises(ConnectError, match="a port that speaks TLS wants linebuss://"):
        await linebus.connect(f"linebus://{tls_bus.address}", connect_timeout=0.1)


async def test_a_bus_that_wants_a_certificate_says_so(tls_bus: TlsBus, tmp_path: Path) -> None:
    cert, key = tls_bus.authority.sign("strict", "serverAuth", "DNS:localhost")
    config = tmp_path / "linebus.toml"
    config.write_text(
        'listen = ["127.0.0.1:0"]\n[tls]\nlisten = ["127.0.0.1:0"]\n'
        f'certificate = "{cert}"\nkey = "{key}"\nclient_ca = "{tls_bus.authority.ca}"\n'
        "client_certificate_required = true\n"
    )
    with Server("--config", str(config)) as server:
        url = f"linebuss://localhost:{server.addresses['tls'].split(':')[1]}"
        with pytest.raises(ConnectError, match="the bus wants a client's certificate"):
            await linebus.connect(url, ca_file=tls_bus.authority.ca)
