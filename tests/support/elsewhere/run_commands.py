"""Run commands of wireproof one after the other in this process, as their lines come on stdin.

Each line is a list of arguments, as JSON; each answer, on the descriptor that is the first
argument, [exit code, standard output, standard error]. An exception is its traceback in the latter.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback

from wireproof.cli import run


def answer(arguments: list[str]) -> tuple[int, str, str]:
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        try:
            code = run(arguments)
        except BaseException:
            traceback.print_exc()
            code = -1
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in kept:
            os.close(descriptor)
        return code, _text(output), _text(errors)


def _text(stream: tempfile._TemporaryFileWrapper[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="backslashreplace")


if __name__ == "__main__":
    told = os.fdopen(int(sys.argv[1]), "w")
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=told, flush=True)
