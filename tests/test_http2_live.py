"""Servers of HTTP/2 that others wrote, asked by curl: what is decoded is what curl received."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
import trustme

from capture import Recorder
from parsers.records import BodyRecord, ConnectionRecord, DiagnosticRecord, SseEventRecord
from wireproof import __version__, decode
from wireproof.analysis.judges import explain

EVENTS = 5
GAP = 0.05
"""Seconds between two events."""
APP = f"""
import asyncio

async def app(scope, receive, send):
    head = [(b"content-type", b"text/event-stream")]
    await send({{"type": "http.response.start", "status": 200, "headers": head}})
    for number in range({EVENTS}):
        content = b"id: %d\\ndata: event %d\\n\\n" % (number, number)
        await send({{"type": "http.response.body", "body": content, "more_body": True}})
        await asyncio.sleep({GAP})
    await send({{"type": "http.response.body", "body": b""}})
"""
NODE = f"""
const server = require("http2").createServer();
server.on("stream", async (stream) => {{
  stream.respond({{":status": 200, "content-type": "text/event-stream"}});
  for (let number = 0; number < {EVENTS}; number++) {{
    stream.write(`id: ${{number}}\\ndata: event ${{number}}\\n\\n`);
    await new Promise((done) => setTimeout(done, {GAP * 1000}));
  }}
  stream.end();
}});
server.listen(Number(process.argv[2]), "127.0.0.1");
"""
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} {tls} http2;
    {certificate}
    location / {{
      proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_buffering off;
    }}
  }}
}}
"""
SERVERS = [
    pytest.param("hypercorn", marks=pytest.mark.tool("curl")),
    pytest.param("node", marks=[pytest.mark.tool("curl"), pytest.mark.tool("node")]),
    pytest.param("nginx", marks=[pytest.mark.tool("curl"), pytest.mark.tool("nginx")]),
    pytest.param("nginx-tls", marks=[pytest.mark.tool("curl"), pytest.mark.tool("nginx")]),
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server until it is no longer needed; it listens when this begins."""
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait(10)


def hypercorn(port: int, folder: Path) -> list[str]:
    folder.joinpath("witness.py").write_text(APP)
    return [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "witness:app"]


def uvicorn(port: int, folder: Path) -> list[str]:
    folder.joinpath("witness.py").write_text(APP)
    return [sys.executable, "-m", "uvicorn", "--port", str(port), "witness:app"]


def certificate(folder: Path) -> str:
    """Write a certificate that nobody trusts; return what names it in nginx's configuration."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    made = trustme.CA().issue_cert("localhost")
    chain.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(key))
    return f"ssl_certificate {chain}; ssl_certificate_key {key};"


@contextmanager
def serving(server: str, port: int, folder: Path) -> Iterator[None]:
    if server == "node":
        folder.joinpath("witness.js").write_text(NODE)
        with running(["node", "witness.js", str(port)], port, folder):
            yield
    elif server == "hypercorn":
        with running(hypercorn(port, folder), port, folder):
            yield
    else:
        upstream, config = free_port(), folder / "nginx.conf"
        tls = certificate(folder) if server == "nginx-tls" else ""
        config.write_text(
            NGINX.replace("{tls}", tls and "ssl")
            .replace("{certificate}", tls)
            .format(folder=folder, port=port, upstream=upstream)
        )
        found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        assert found is not None
        behind = uvicorn if server == "nginx-tls" else hypercorn
        with (
            running(behind(upstream, folder), upstream, folder),
            running([found, "-c", str(config)], port, folder),
        ):
            yield


@pytest.mark.packets
@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_what_curl_received(server: str, tmp_path: Path) -> None:
    port, path, keys = free_port(), tmp_path / "http2.pcapng", tmp_path / "keys"
    is_tls = server.endswith("tls")
    with (
        serving(server, port, tmp_path),
        Recorder(path, port=port, comment="", version=__version__) as recorder,
    ):
        asked = ["curl", "--silent", "--no-buffer", "--insecure"]
        asked.append("--http2" if is_tls else "--http2-prior-knowledge")
        url = f"http{'s' * is_tls}://127.0.0.1:{port}/events"
        env = {**os.environ, "SSLKEYLOGFILE": str(keys)}
        received = subprocess.run([*asked, url], capture_output=True, check=True, env=env).stdout
        recorder.wait_closed(1.0)  # hypercorn leaves its side open
    records = list(decode(path, keylog=keys if is_tls else None))
    connections = [one for one in records if isinstance(one, ConnectionRecord)]
    (connection,) = [one for one in connections if one.client_bytes]  # not what waited for the port
    assert connection.protocol == "http/2"
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.sha256, body.complete) == (sha256(received).hexdigest(), True)
    assert body.ended_by == "end-stream"
    events = [one for one in records if isinstance(one, SseEventRecord)]
    assert [one.data for one in events] == [f"event {number}" for number in range(EVENTS)]
    assert len({one.last_packet for one in events}) == EVENTS
    faults = [one for one in records if isinstance(one, DiagnosticRecord)]
    assert [one.code for one in faults if one.severity == "error"] == []
    (explained,) = explain(records)
    assert [one.answer for one in explained.verdicts][:2] == ["streamed", "whole"]
