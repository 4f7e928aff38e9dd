"""A proxy of one connection after the other: ``small_proxy.py PORT UPSTREAM_PORT [hold]``.

With ``hold`` it passes on a response when it has all of it.
"""

from __future__ import annotations

import socket
import sys
import threading


def serve(port: int, upstream_port: int, *, holds: bool) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            upstream = socket.create_connection(("127.0.0.1", upstream_port))
            threading.Thread(target=upload, args=(client, upstream), daemon=True).start()
            download(upstream, client, holds=holds)


def upload(client: socket.socket, upstream: socket.socket) -> None:
    while data := client.recv(65_536):
        upstream.sendall(data)


def download(upstream: socket.socket, client: socket.socket, *, holds: bool) -> None:
    held = b""
    with client, upstream:
        while data := upstream.recv(65_536):
            held += data
            if not holds:
                client.sendall(held)
                held = b""
        client.sendall(held)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]), holds="hold" in sys.argv)
