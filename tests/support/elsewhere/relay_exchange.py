"""Record three connections through a relay, and say what its file holds: run on another system."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from pathlib import Path

from capture.backends import Wanted, choose
from parsers.decode.capture import decode

LINGER = struct.pack("ii" if len(sys.argv) == 2 else "HH", 1, 0)  # Linux, Windows
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"


def serve(listener: socket.socket, resets: bool) -> None:
    end, _ = listener.accept()
    end.recv(100_000)
    if resets:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    else:
        end.sendall(HEAD + bytes(300_000))
    end.close()


def ask(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            while client.recv(100_000):
                continue
        except ConnectionResetError:
            return


def main(path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wanted = Wanted(path, listener.getsockname()[1])
        with choose(wanted, "relay").open(wanted) as session:
            address = session.notes[0].split()[2].rstrip(",")
            for resets in (False, False, True):
                server = threading.Thread(target=serve, args=(listener, resets))
                server.start()
                ask(int(address.rpartition(":")[2]))
                server.join()
            assert session.recording.wait_closed(20)
            opened = session.recording._connections.opened
    with path.open("rb") as stream:
        connections = [one for one in decode(stream) if type(one).__name__ == "ConnectionRecord"]
    ended = [one.close for one in connections]
    print(json.dumps({"opened": opened, "records": len(connections), "ended": ended}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
