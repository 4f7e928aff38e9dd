"""The process that exports: what it puts into a data set, what it says, what it may not do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support.corpus import ROOT

from capture.linux.rights import landlock_version
from wireproof.collect.child import Exporting
from wireproof.collect.exporter import CHILD
from wireproof.collect.messages import ANSWERS, Exported, Failed, File, Order, line
from wireproof.redact import Rules
from wireproof.tables.dataset import DataSet

CHAT = ROOT / "fixtures" / "verdicts" / "lm01-openai-chat-role-first.pcap"
CHAT_FILE = File(path=str(CHAT))


def order(place: Path, folder: Path = CHAT.parent) -> Order:
    return Order(place=str(place), folder=str(folder), host="web1", rules=Rules())


def test_a_file_and_its_numbers(tmp_path: Path) -> None:
    exporting = Exporting(order(tmp_path / "set"))
    first = exporting.export(CHAT_FILE)
    assert isinstance(first, Exported) and not first.error
    [made] = DataSet(str(tmp_path / "set")).captures()
    assert (made.host, made.rows["exchanges"]) == ("web1", 1)
    counted = {tuple(key): number for key, number in first.counts}
    assert counted["wireproof.exchanges", "sse", "2xx"] == 1
    observed = {key[0]: values for key, values in first.values}
    assert len(observed["gen_ai.server.time_to_first_token"]) == 1
    assert len(first.models) == 1
    again = exporting.export(CHAT_FILE)
    assert again == Exported(is_new=False), "what is there counts once"


def test_a_store_that_fails_and_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("no folder")
    answer = Exporting(order(tmp_path / "taken" / "set")).export(CHAT_FILE)
    assert answer == Failed("Not a directory")
    exporting = Exporting(order(tmp_path / "set"))
    unreadable = exporting.export(File(path=str(ROOT / "README.md")))
    assert isinstance(unreadable, Exported) and unreadable.error.startswith("not a capture file")
    assert isinstance(exporting.export(File(path=str(tmp_path / "none.pcapng"))), Exported)


def test_what_counts_is_what_was_written(tmp_path: Path) -> None:
    place = tmp_path / "set"
    exporting = Exporting(order(place))
    place.write_text("no folder")
    assert isinstance(exporting.export(CHAT_FILE), Failed)
    place.unlink()
    answer = exporting.export(CHAT_FILE)
    assert isinstance(answer, Exported)
    assert {tuple(key): n for key, n in answer.counts}["wireproof.exchanges", "sse", "2xx"] == 1


@pytest.mark.slow
def test_whoever_asked_is_gone(tmp_path: Path) -> None:
    """The collector was killed: its next run asks again, and nobody reads a traceback."""
    reads, writes = os.pipe()
    process = subprocess.Popen(CHILD, stdin=subprocess.PIPE, stdout=writes, stderr=subprocess.PIPE)
    os.close(reads)
    os.close(writes)
    _, said = process.communicate(line(order(tmp_path / "set")) + line(CHAT_FILE))
    assert (process.returncode, said) == (0, b"")


def test_the_process_holds_no_rights(tmp_path: Path) -> None:
    place = tmp_path / "set"
    place.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    secret = tmp_path / "secret.pcap"
    secret.write_bytes(CHAT.read_bytes())
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(
        CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        asked = [line(order(place)), *(line(File(path=str(path))) for path in (CHAT, secret))]
        process.stdin.write(b"".join(asked))
        process.stdin.flush()
        answers = [ANSWERS.decode(process.stdout.readline()) for _ in range(2)]
        status = Path(f"/proc/{process.pid}/status").read_text()
        sockets = [
            one
            for one in Path(f"/proc/{process.pid}/fd").iterdir()
            if "socket:" in str(one.readlink())
        ]
        process.stdin.close()
    assert process.returncode == 0
    capabilities = [text.split()[1] for text in status.splitlines() if text.startswith("Cap")]
    assert {int(one, 16) for one in (*capabilities[:3], capabilities[4])} == {0}
    assert "NoNewPrivs:\t1" in status
    assert sockets == []
    errors = [answer.error for answer in answers if isinstance(answer, Exported)]
    assert errors == ["", "Permission denied" if landlock_version() else ""]
