"""Who may ask the inspector: nobody but the browser that its own start has opened.

Strategy: everything is refused that is not certainly asked by our own page. A web page elsewhere
can make a browser send requests to loopback, under any name that resolves to it; so every request
must name us exactly in Host, must not come from another origin, and must carry the token of this
start. The token comes once in the address that the start prints, and moves to a cookie that no
script reads and no other site's request carries. What is refused is told nothing.

Sources: Fetch Metadata (W3C), RFC 6454 (Origin), RFC 6265bis section 5.2 (SameSite).
"""

from __future__ import annotations

from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from secrets import token_urlsafe
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .page_files import TYPES, page_file

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""On every answer, refusals included."""


class Guard:
    """An ASGI application in front of another: it lets pass what may be answered.

    ``port`` is where we listen. ``token`` is this start's secret.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self.token = token_urlsafe(32)
        self._cookie = f"wireproof-{port}"  # cookies know no ports: two inspectors have two
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # there are no WebSockets here, and uvicorn refuses what nobody accepts

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
            await send(message)

        answer = self._answer(scope) or self._app
        await answer(scope, receive, send_safely)

    def _answer(self, scope: Scope) -> Response | None:
        """Return the answer to what does not pass, or to the token; None for what passes."""
        headers = Headers(scope=scope)
        is_plain = scope["method"] in ("GET", "HEAD") and "upgrade" not in headers
        if not is_plain or not self._is_ours(headers):
            return refusal()
        if not self._comes_from_us(headers, scope["path"]):
            return refusal()
        if scope["path"] == "/" and self._has_token(scope["query_string"]):
            return self._take_in()
        return None if self._has_cookie(headers) else refusal()

    def _is_ours(self, headers: Headers) -> bool:
        """Return whether Host is one of our names, port and all, and Origin is us or absent."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return False
        return not origins or (len(origins) == 1 and origins[0] == f"http://{hosts[0]}")

    def _comes_from_us(self, headers: Headers, path: str) -> bool:
        """Return whether the browser says that our page asks, or its user by the address bar."""
        sites = headers.getlist("sec-fetch-site")
        if not sites:  # no browser, or one from before 2023: the cookie has to do
            return True
        if sites == ["same-origin"]:
            return True
        is_typed = sites == ["none"] and headers.get("sec-fetch-mode", "navigate") == "navigate"
        return is_typed and path == "/"

    def _has_token(self, query: bytes) -> bool:
        try:
            given = parse_qs(query.decode("ascii"), max_num_fields=4).get("token", [])
        except ValueError:
            return False
        return len(given) == 1 and compare_digest(given[0].encode(), self.token.encode())

    def _has_cookie(self, headers: Headers) -> bool:
        for line in headers.getlist("cookie"):
            try:
                found = SimpleCookie(line).get(self._cookie)
            except CookieError:
                continue
            if found is not None and compare_digest(found.value.encode(), self.token.encode()):
                return True
        return False

    def _take_in(self) -> Response:
        """Move the token from the address to a cookie."""
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(self._cookie, self.token, httponly=True, samesite="strict", path="/")
        return response


def refusal() -> Response:
    """Return the answer to whoever may not ask: it holds nothing."""
    return PlainTextResponse("", status_code=403)


def nothing() -> Response:
    """Return the answer to a path that there is not: always the same."""
    return PlainTextResponse("", status_code=404)


def of_the_page(path: str) -> Response:
    """Return a file of the page, if the path names one."""
    return Response(page_file(path), media_type=TYPES[path]) if path in TYPES else nothing()
