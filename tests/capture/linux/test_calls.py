"""Calls that are refused, made in processes of their own, and the filter line by line."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Sequence

import pytest
from support.corpus import ROOT

from capture.linux import calls
from capture.linux.calls import CLONE3, REFUSED, can_refuse_calls, refuse_calls
from capture.linux.spawn_child import (
    BPF_JUMP_IF_EQUAL,
    BPF_LOAD_WORD,
    BPF_RETURN,
    SECCOMP_RET_ALLOW,
    SYSTEM_CALLS,
)

EPERM, ENOSYS = calls.SECCOMP_RET_ERRNO | errno.EPERM, calls.SECCOMP_RET_ERRNO | errno.ENOSYS
COLUMN = {"x86_64": 0, "aarch64": 1, "riscv64": 1}
STREAM, DATAGRAM = 1, 2


def answer(machine: str, number: int, *arguments: int, serves: bool = False, arch: int = 0) -> int:
    """What the filter answers to a call, worked out instruction by instruction."""
    words = {0: number, 4: arch or SYSTEM_CALLS[machine][0]}
    words |= {16 + 8 * at: value for at, value in enumerate(arguments)}
    program = list(calls._program(machine, serves=serves))
    at = loaded = 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == BPF_RETURN:
            return value
        if code == BPF_LOAD_WORD:
            loaded = words.get(value, 0)
        elif code == calls.BPF_AND:
            loaded &= value
        else:
            tests = {
                BPF_JUMP_IF_EQUAL: loaded == value,
                calls.BPF_JUMP_IF_LEAST: loaded >= value,
                calls.BPF_JUMP_IF_SET: bool(loaded & value),
            }
            at += if_true if tests[code] else if_false


@pytest.mark.parametrize("machine", COLUMN)
def test_every_machine_has_its_numbers(machine: str) -> None:
    column = COLUMN[machine]
    for numbers in REFUSED.values():
        assert answer(machine, numbers[column]) == EPERM
    assert answer(machine, CLONE3[column]) == ENOSYS
    assert answer(machine, 0) == SECCOMP_RET_ALLOW
    assert answer(machine, 0, arch=1) == EPERM
    assert answer(machine, calls.X32) == (EPERM if machine == "x86_64" else SECCOMP_RET_ALLOW)


@pytest.mark.parametrize("machine", COLUMN)
def test_what_depends_on_arguments(machine: str) -> None:
    column = COLUMN[machine]
    clone, ioctl = calls.CLONE[column], calls.IOCTL[column]
    assert answer(machine, clone, 0x01200011) == SECCOMP_RET_ALLOW  # as fork calls it
    assert answer(machine, clone, 0x10000000) == EPERM
    assert answer(machine, ioctl, 0, 0x5401) == SECCOMP_RET_ALLOW
    for request in (calls.TIOCSTI, calls.TIOCLINUX):
        assert answer(machine, ioctl, 0, request) == EPERM


@pytest.mark.parametrize("machine", COLUMN)
@pytest.mark.parametrize(
    ("family", "kind", "expected"),
    [
        (2, STREAM, SECCOMP_RET_ALLOW),
        (2, STREAM | 0x80000, SECCOMP_RET_ALLOW),
        (2, DATAGRAM, EPERM),
        (2, 3, EPERM),
        (1, STREAM, EPERM),
        (10, STREAM, EPERM),
        (16, 3, EPERM),
    ],
)
def test_sockets_of_who_serves(machine: str, family: int, kind: int, expected: int) -> None:
    numbers = {name: REFUSED[name][COLUMN[machine]] for name in ("socket", "bind", "connect")}
    assert answer(machine, numbers["socket"], family, kind, serves=True) == expected
    assert answer(machine, numbers["bind"], serves=True) == SECCOMP_RET_ALLOW
    assert answer(machine, numbers["connect"], serves=True) == EPERM


TRIED = """
import ctypes, json, os, sys
from capture.linux.calls import refuse_calls
from capture.linux.rights import gain_nothing
numbers, serves = json.loads(sys.argv[1])
gain_nothing()
assert refuse_calls(serves=serves)
libc = ctypes.CDLL(None, use_errno=True)
found = []
for number in numbers:
    ctypes.set_errno(0)
    libc.syscall(number, *[ctypes.c_long(-1)] * 6)
    found.append(ctypes.get_errno())
child = os.fork()
if not child:
    os._exit(0)
print(json.dumps([found, os.waitpid(child, 0)[1]]))
"""


def tried(numbers: Sequence[int]) -> list[object]:
    """The error numbers of calls with senseless arguments, and how a child ended."""
    done = subprocess.run(
        [sys.executable, "-c", TRIED, json.dumps([numbers, False])],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not can_refuse_calls(), reason="the numbers of this machine are not known")
def test_the_kernel_refuses_them_and_lets_a_child_be_made() -> None:
    import platform

    column = COLUMN[platform.machine()]
    numbers = [one[column] for one in REFUSED.values()]
    expected = [errno.EPERM] * len(numbers) + [errno.ENOSYS]
    assert tried([*numbers, CLONE3[column]]) == [expected, 0]


def test_a_machine_that_is_not_known_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    assert not can_refuse_calls()
    assert not refuse_calls()
