"""Who may ask: requests as a hostile page, a rebound name or a passer-by would send them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.browser import PATIENCE, inspecting
from support.corpus import ROOT

from wireproof.web.origin import POLICY
from wireproof.web.server import InspectorServer

CAPTURE = ROOT / "fixtures/sse/plain.pcapng"
SECRETS = (b"sse_event", b"This is", b"<title>", b"plain.pcapng")
"""What an answer must not hold if it was refused."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def server() -> Iterator[InspectorServer]:
    with inspecting(CAPTURE) as found:
        yield found


def ask(server: InspectorServer, head: str, body: bytes = b"") -> Answer:
    """Send a request as it is written, but to be the last, and read all that comes back."""
    if "Connection:" not in head:
        head += "Connection: close\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        client.sendall(head.encode("latin-1").replace(b"\n", b"\r\n") + b"\r\n" + body)
        received = b""
        while piece := client.recv(65_536):
            received += piece
    if not received:
        return Answer(0, {}, b"")
    top, _, content = received.partition(b"\r\n\r\n")
    status, *fields = top.decode("latin-1").split("\r\n")
    pairs = (field.partition(": ")[::2] for field in fields)
    return Answer(int(status.split()[1]), {key.lower(): value for key, value in pairs}, content)


def fill(server: InspectorServer, text: str) -> str:
    """Put the port, the token and the cookie where a request names them."""
    token = server.url.partition("token=")[2]
    cookie = f"wireproof-{server.port}={token}"
    for name, value in (("PORT", str(server.port)), ("TOKEN", token), ("COOKIE", cookie)):
        text = text.replace(name, value)
    return text


GOOD = "Host: 127.0.0.1:PORT\nCookie: COOKIE\n"
API = "GET /answers/summary HTTP/1.1\n"

HOSTILE = [
    # without the token
    "GET / HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /?token= HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /?token=x HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /?token=TOKENx HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /?token=TOKEN&token=TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /?TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /?token=%c3%a9 HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    f"{API}Host: 127.0.0.1:PORT\n",
    "GET /answers/summary?token=TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    f"{API}Host: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\n",
    f"{API}Host: 127.0.0.1:PORT\nCookie: wireproof-PORT=x\n",
    f"{API}Host: 127.0.0.1:PORT\nCookie: wireproof-1=TOKEN\n",
    f"{API}Host: 127.0.0.1:PORT\nCookie: wireproof=TOKEN\n",
    f'{API}Host: 127.0.0.1:PORT\nCookie: ;;;=\\"\n',
    "GET /news HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    "GET /main.js HTTP/1.1\nHost: 127.0.0.1:PORT\n",
    # under another name: DNS rebinding
    f"{API}Host: evil.example:PORT\nCookie: COOKIE\n",
    f"{API}Host: localhost.evil.example:PORT\nCookie: COOKIE\n",
    f"{API}Host: 127.0.0.1.nip.io:PORT\nCookie: COOKIE\n",
    f"{API}Host: 127.0.0.1\nCookie: COOKIE\n",
    f"{API}Host: 127.0.0.1:80\nCookie: COOKIE\n",
    f"{API}Host: [::1]:PORT\nCookie: COOKIE\n",
    f"{API}Host: 0.0.0.0:PORT\nCookie: COOKIE\n",
    f"{API}Host: 2130706433:PORT\nCookie: COOKIE\n",
    f"{API}Host: 127.0.0.1:PORT.evil.example\nCookie: COOKIE\n",
    f"{API}Host: 127.0.0.1:PORT@evil.example\nCookie: COOKIE\n",
    f"{API}Host: \nCookie: COOKIE\n",
    "GET /?token=TOKEN HTTP/1.1\nHost: evil.example:PORT\n",
    # from another origin
    f"{API}{GOOD}Origin: http://evil.example\n",
    f"{API}{GOOD}Origin: null\n",
    f"{API}{GOOD}Origin: http://127.0.0.1:1\n",
    f"{API}{GOOD}Origin: https://127.0.0.1:PORT\n",
    f"{API}{GOOD}Origin: http://localhost:PORT\n",
    f"{API}{GOOD}Origin: http://127.0.0.1:PORT\nOrigin: http://evil.example\n",
    f"{API}{GOOD}Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: script\n",
    f"{API}{GOOD}Sec-Fetch-Site: same-site\n",
    f"{API}{GOOD}Sec-Fetch-Site: none\nSec-Fetch-Mode: navigate\n",
    f"GET / HTTP/1.1\n{GOOD}Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\n",
    "GET /?token=TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: cross-site\n",
    f"GET /news HTTP/1.1\n{GOOD}Origin: http://evil.example\n",
    # by another method
    f"POST /answers/summary HTTP/1.1\n{GOOD}Content-Type: text/plain\nContent-Length: 0\n",
    f"POST / HTTP/1.1\n{GOOD}Content-Type: application/x-www-form-urlencoded\nContent-Length: 0\n",
    f"OPTIONS /answers/summary HTTP/1.1\n{GOOD}Access-Control-Request-Method: GET\n",
    f"PUT /answers/summary HTTP/1.1\n{GOOD}Content-Length: 0\n",
    f"DELETE / HTTP/1.1\n{GOOD}",
]

TRAVERSAL = [
    "../index.py",
    "../../etc/passwd",
    "..%2findex.py",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/index.py",
    "%2e%2e%2f%2e%2e%2fetc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..%5cindex.py",
    "..\\index.py",
    "..%255c..%255cetc%255cpasswd",
    "....//....//etc/passwd",
    "..;/index.py",
    ".../index.py",
    "./index.html",
    "./main.js",
    "/main.js",
    "//main.js",
    "//etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "main.js/",
    "main.js%00",
    "main.js%00.html",
    "main.js%20",
    "main.js.",
    "main.js::$DATA",
    "MAIN.JS",
    "main%2ejs%2f",
    "vendor",
    "vendor/",
    "vendor/uplot",
    "vendor/uplot/",
    "vendor/uplot/LICENSE",
    "vendor/uplot/../../main.js",
    "vendor/%2e%2e/main.js",
    "vendor//uplot/uPlot.min.css",
    "page/main.js",
    "page/../guard.py",
    "guard.py",
    "app.py",
    "__init__.py",
    "__pycache__/app.cpython-311.pyc",
    ".git/config",
    ".env",
    "package.json",
    "node_modules/uplot/package.json",
    "C:%5cwindows%5cwin.ini",
    "c:/windows/win.ini",
    "file:///etc/passwd",
    "proc/self/environ",
    "dev/stdin",
    "%c0%ae%c0%ae/etc/passwd",
    "%ef%bc%8e%ef%bc%8e/etc/passwd",
    "%u002e%u002e/etc/passwd",
    "%c3%a9",
    "a" * 4_000,
    "/".join(["a"] * 500),
    "answers",
    "answers/",
    "answers/../main.js",
    "answers/..%2f..%2fetc%2fpasswd",
    "answers/summary/",
    "answers/summary%00",
    "answers/packet/0",
    "answers/packet/01",
    "answers/packet/-1",
    "answers/packet/99999999999999999999",
    "answers/packet/1e3",
    "answers/packet/%d9%a1",
    "answers/rows/0.0/e/0/../../../packet/1",
    "answers/rows/../0.0/e/0",
    "answers/rows/9.9/e/0",
    "answers/body/0.n/server",
    "answers/element/0.0/e/99999",
    "docs",
    "openapi.json",
    "redoc",
    "favicon.ico",
]


@pytest.mark.parametrize("request_", HOSTILE)
def test_hostile_requests_are_refused_and_told_nothing(
    server: InspectorServer, request_: str
) -> None:
    answer = ask(server, fill(server, request_))
    assert answer.status in (400, 403)
    assert not any(secret in answer.body for secret in SECRETS)
    if answer.status == 403:
        assert answer.body == b""
        assert answer.headers["content-security-policy"] == POLICY
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", TRAVERSAL)
def test_paths_that_are_none_of_ours_are_all_answered_alike(
    server: InspectorServer, path: str
) -> None:
    answer = ask(server, fill(server, f"GET /{path} HTTP/1.1\n{GOOD}"))
    assert (answer.status, answer.body) == (404, b"")


def test_there_are_as_many_as_were_promised() -> None:
    assert len(set(HOSTILE)) >= 40
    assert len(set(TRAVERSAL)) >= 60


def test_a_request_without_host_or_with_two_is_refused(server: InspectorServer) -> None:
    for hosts in ("", "Host: 127.0.0.1:PORT\nHost: evil.example\n"):
        head = fill(server, f"{API}{hosts}Cookie: COOKIE\n")
        assert ask(server, head).status in (400, 403)


def test_a_websocket_is_refused_whoever_asks(server: InspectorServer) -> None:
    upgrade = (
        "Connection: Upgrade, close\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
    )
    for origin in ("", "Origin: http://evil.example\n", "Origin: null\n"):
        answer = ask(server, fill(server, f"GET /news HTTP/1.1\n{GOOD}{upgrade}{origin}"))
        assert (answer.status, answer.body) == (403, b"")


def test_the_token_moves_from_the_address_to_a_cookie_that_no_script_reads(
    server: InspectorServer,
) -> None:
    answer = ask(server, fill(server, "GET /?token=TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\n"))
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(fill(server, "COOKIE;"))
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "more",
    [
        "",
        "Sec-Fetch-Site: same-origin\n",
        "Origin: http://127.0.0.1:PORT\nSec-Fetch-Site: same-origin\n",
    ],
)
def test_the_page_is_answered(server: InspectorServer, more: str) -> None:
    answer = ask(server, fill(server, f"{API}{GOOD}{more}"))
    assert answer.status == 200
    assert b"plain.pcapng" in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == POLICY
    assert "'unsafe" not in POLICY and "http" not in POLICY


def test_localhost_is_a_name_of_ours(server: InspectorServer) -> None:
    head = fill(server, f"{API}Host: localhost:PORT\nCookie: COOKIE\n")
    assert ask(server, head).status == 200


def test_each_start_has_a_token_of_its_own(server: InspectorServer) -> None:
    with inspecting(CAPTURE) as other:
        assert other.url.partition("token=")[2] != server.url.partition("token=")[2]
    assert len(server.url.partition("token=")[2]) >= 43  # 256 bits


def test_it_listens_on_loopback_only(server: InspectorServer) -> None:
    addresses = {"127.0.0.1"}
    with Path("/proc/net/tcp").open() as table:
        rows = [line.split()[1] for line in table if line.split()[3:4] == ["0A"]]
    bound = [row.partition(":")[0] for row in rows if int(row.partition(":")[2], 16) == server.port]
    assert {socket.inet_ntoa(bytes.fromhex(one)[::-1]) for one in bound} == addresses
