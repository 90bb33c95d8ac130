"""What README.md says, from an empty folder."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from servers import Server

import linebus
from linebus._subscription import Opening

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```([a-z -]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@contextmanager
def running(program: str, folder: Path, server: Server) -> Iterator[subprocess.Popen[str]]:
    """A program, ended at the end."""
    path = folder / "program.py"
    path.write_text(program)
    process = subprocess.Popen(
        [sys.executable, str(path)],
        cwd=folder,
        env={**os.environ, "LINEBUS_URL": server.url, "PYTHONFAULTHANDLER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(240)
def test_the_examples_print_what_they_say(tmp_path: Path) -> None:
    ran = 0
    with Server("--listen", "127.0.0.1:0") as server:
        for (kind, program), (next_kind, output) in pairwise(BLOCKS):
            if kind == "python" and next_kind == "text":
                if "bus.ask(" in program:
                    (bot,) = (text for kind, text in BLOCKS if kind == "python bot")
                    with running(bot, tmp_path, server) as answering:
                        assert answering.stdout is not None
                        assert answering.stdout.readline() == "listening\n"
                        check(program, output, tmp_path, server)
                else:
                    check(program, output, tmp_path, server)
                ran += 1
    assert ran == sum(kind == "python" for kind, _ in BLOCKS) == 4


def check(program: str, output: str, folder: Path, server: Server) -> None:
    with running(program, folder, server) as process:
        try:
            printed, _ = process.communicate(timeout=50)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # It says where it hangs.
            printed, _ = process.communicate()
        assert (printed, process.returncode) == (output, 0)


async def test_the_urls_are_urls() -> None:
    (program,) = (text for kind, text in BLOCKS if kind == "python no-run")
    calls = ast.parse(program).body
    for call in calls:
        names = {"linebus": linebus, "password": "open sesame"}
        opening = eval(ast.unparse(call), names)
        assert isinstance(opening, Opening)
        opening._opening.close()
    assert len(calls) == 5


def test_every_method_that_the_page_has_is_there() -> None:
    for there, name in re.findall(r"`(bus|messages)\.(\w+)\(", README):
        kind = linebus.blocking.Client if there == "bus" else linebus.blocking.Subscription
        assert hasattr(kind, name), name
