"""``python -m capture -- COMMAND ...``: run a command where it may record packets.

Strategy: with the right to open a packet socket, that is here. Without it, this process moves
into a network namespace of its own and becomes the command there. Where there can be none, as on
any system but Linux, it says so and the command runs all the same.
"""

from __future__ import annotations

import subprocess
import sys


def main(arguments: list[str]) -> None:
    """Become the command; exit with a line if it cannot be started."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        sys.exit(f"usage: python -m {__package__} -- COMMAND ...")
    if sys.platform != "linux":
        print("no packets can be recorded: only Linux has network namespaces", file=sys.stderr)
        sys.exit(subprocess.call(command))
    from .linux.namespace import Namespace
    from .linux.packet_socket import can_capture
    from .linux.spawn_child import enter_new, execute

    if not can_capture():
        if reason := Namespace.available():
            print(f"no packets can be recorded: {reason}", file=sys.stderr)
        else:
            enter_new()
    try:
        execute(command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
