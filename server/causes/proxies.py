"""Real proxies in front of an app: nginx and HAProxy, as a distribution has them.

Strategy: a configuration is written into a folder of its own and the proxy runs in the foreground,
a child of this process, on ports that were free a moment ago; nothing of the system's own
configuration is read.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack
from tempfile import TemporaryDirectory

START_TIMEOUT = 10.0
"""Seconds."""
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{upstream}; {options} }}
  }}
}}
"""
HAPROXY = """global
  maxconn 64
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  {options}
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server app 127.0.0.1:{upstream}
"""
TEMPLATES = {"nginx": NGINX, "haproxy": HAPROXY}
COMMANDS = {"nginx": ["-c"], "haproxy": ["-f"]}


class ProxyNotStarted(RuntimeError):
    """The proxy did not come to listen; the text is what it said."""


def find(program: str) -> str | None:
    """Return where a proxy is installed, also where only root's PATH has it."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def proxy(
    program: str, port: int, upstream: int, options: str, template: str | None = None
) -> Iterator[None]:
    """Run a proxy in front of a port; ``options`` is what of its configuration is tried, which
    ``template`` is all of, if that of TEMPLATES is not for it.

    Raises FileNotFoundError if it is not installed, and ProxyNotStarted.
    """
    found = find(program)
    if found is None:
        raise FileNotFoundError(program)
    with TemporaryDirectory(prefix="wireproof-") as folder:
        path = Path(folder, f"{program}.conf")
        path.write_text(
            (template or TEMPLATES[program]).format(
                folder=folder, port=port, upstream=upstream, options=options
            )
        )
        with subprocess.Popen(
            [found, *COMMANDS[program], str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                _wait_until_it_listens(process, port)
                yield
            finally:
                process.terminate()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_TIMEOUT
    while time.monotonic() < until:
        if process.poll() is not None:
            assert process.stderr is not None  # it was asked for
            said = process.stderr.read().decode(errors="replace").strip()
            raise ProxyNotStarted(said or f"it ended with {process.returncode}")
        with socket.socket() as trial:
            # Closing resets: nothing of this connection is left to be recorded later.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise ProxyNotStarted(f"it did not listen within {START_TIMEOUT:g} s")
