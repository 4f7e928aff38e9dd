"""node over TLS as a witness: what it says that it sent and received, beside what is decoded.

One process of node is both ends, HTTP/1.1 and HTTP/2 each with a server of its own; it writes its
secrets with ``--tls-keylog`` and prints what both of its ends saw.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from capture import Recorder
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Http2DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    TlsConnectionRecord,
)
from wireproof import __version__, decode

pytestmark = [pytest.mark.packets, pytest.mark.slow, pytest.mark.tool("node")]
NODE = """
const fs = require("fs"), crypto = require("crypto");
const [kind, chain, key] = process.argv.slice(2);
const http2 = require("http2"), https = require("https");
const secure = { cert: fs.readFileSync(chain), key: fs.readFileSync(key) };
const said = { requests: [], writes: [], responses: [] };
const pause = (time) => new Promise((done) => setTimeout(done, time));
const sha256 = (data) => crypto.createHash("sha256").update(data).digest("hex");

async function answer(path, write, end) {
  if (path === "/echo") return end();
  for (let number = 0; number < 4; number++) {
    const event = `id: ${number}\\ndata: ${path} ${"x".repeat(number * 7)}\\n\\n`;
    said.writes.push([path, Buffer.byteLength(event)]);
    write(event);
    await pause(20);
  }
  end();
}

const servers = {
  http1: () => https.createServer(secure, async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    said.requests.push([request.method, request.url, sha256(body)]);
    response.setHeader("content-type", "text/event-stream");
    await answer(request.url, (text) => response.write(text), () => response.end());
  }),
  http2: () => http2.createSecureServer(secure).on("stream", async (stream, head) => {
    let body = "";
    for await (const piece of stream) body += piece;
    said.requests.push([head[":method"], head[":path"], sha256(body)]);
    stream.respond({ ":status": 200, "content-type": "text/event-stream" });
    await answer(head[":path"], (text) => stream.write(text), () => stream.end());
  }),
};

async function ask1(port, agent, path, body) {
  const method = body ? "POST" : "GET";
  const request = https.request({ port, host: "127.0.0.1", path, method, agent,
    rejectUnauthorized: false, servername: "localhost" });
  request.end(body);
  const [response] = await require("events").once(request, "response");
  const pieces = [];
  for await (const piece of response) pieces.push(piece);
  said.responses.push([path, response.statusCode, sha256(Buffer.concat(pieces))]);
}

async function ask2(session, path, body) {
  const stream = session.request({ ":path": path, ":method": body ? "POST" : "GET" });
  let status = 0;
  stream.on("response", (head) => { status = head[":status"]; });
  if (body) stream.end(body);
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  said.responses.push([path, status, sha256(Buffer.concat(pieces))]);
}

const server = servers[kind]().listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  console.log(port);
  await require("events").once(process.stdin, "data");
  if (kind === "http1") {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ["/one", "/two"]) await ask1(port, agent, path, "");
    await ask1(port, agent, "/echo", "what node says");
    agent.destroy();
  } else {
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false,
      servername: "localhost" });
    await Promise.all(["/one", "/two"].map((path) => ask2(session, path, "")));
    await ask2(session, "/echo", "what node says");
    await new Promise((done) => session.close(done));
  }
  server.close();
  console.log(JSON.stringify(said));
  process.stdin.destroy();
});
"""


class Witness(NamedTuple):
    """What node said, and what was decoded of what it sent."""

    said: dict[str, Any]
    records: list[Record]

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if type(record) is kind]


@pytest.fixture(scope="module", params=["http1", "http2"])
def witness(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Witness:
    folder = tmp_path_factory.mktemp("node")
    script, keys, path = folder / "witness.js", folder / "keys", folder / "node.pcapng"
    script.write_text(NODE)
    command = ["node", f"--tls-keylog={keys}", str(script), request.param, *certificate(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as node:
        assert node.stdin is not None and node.stdout is not None
        port = int(node.stdout.readline())
        with Recorder(path, port=port, comment="", version=__version__) as recorder:
            said, failure = node.communicate("go\n", timeout=240)
            recorder.wait_closed(5.0)
    assert node.returncode == 0, failure
    return Witness(json.loads(said), list(decode(path, keylog=keys)))


def certificate(folder: Path) -> tuple[str, str]:
    """Write a certificate that nobody trusts, and its key."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    made = trustme.CA().issue_cert("localhost")
    chain.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(key))
    return str(chain), str(key)


def test_all_of_it_is_decrypted(witness: Witness) -> None:
    (tls,) = witness.of(TlsConnectionRecord)
    (connection,) = witness.of(ConnectionRecord)
    assert (tls.decrypted, tls.reason, tls.version, tls.sni) == (
        "yes", None, "TLSv1.3", "localhost",
    )  # fmt: skip
    assert connection.protocol == ("http/2" if tls.alpn == "h2" else "http/1.1")
    faults = [one for one in witness.of(DiagnosticRecord) if one.severity != "note"]
    assert [one.code for one in faults] == []


def test_the_server_received_what_is_decoded(witness: Witness) -> None:
    contents = {one.exchange: one.sha256 for one in bodies(witness, "client")}
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    found = [
        [one.method, one.target, contents.get(one.exchange, empty)]
        for one in witness.of(RequestRecord)
    ]
    assert sorted(found) == sorted(witness.said["requests"])


def test_the_client_received_what_is_decoded(witness: Witness) -> None:
    targets = {one.exchange: one.target for one in witness.of(RequestRecord)}
    statuses = {one.exchange: one.status for one in witness.of(ResponseRecord)}
    found = [
        [targets[one.exchange], statuses[one.exchange], one.sha256]
        for one in bodies(witness, "server")
    ]
    assert sorted(found) == sorted(witness.said["responses"])
    assert all(one.complete for one in witness.of(BodyRecord))


def test_each_write_is_an_event_in_a_frame_of_its_own(witness: Witness) -> None:
    targets = {one.exchange: one.target for one in witness.of(RequestRecord)}
    frames = [one for one in witness.of(Http2DataRecord) if one.sender == "server"] or [
        one for one in witness.of(ChunkRecord) if one.sender == "server"
    ]
    written = [[targets[one.exchange], one.size] for one in frames if one.size]
    assert sorted(written) == sorted(witness.said["writes"])
    events = witness.of(SseEventRecord)
    assert len(events) == len(witness.said["writes"]) == 8
    assert len({(one.exchange, one.last_packet) for one in events}) == 8, "each as it came"


def bodies(witness: Witness, sender: str) -> list[BodyRecord]:
    return [one for one in witness.of(BodyRecord) if one.sender == sender]
