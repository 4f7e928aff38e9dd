"""Start a server for a test and record it: ``with wire.serve("myapp:app") as server: ...``.

Strategy: the port is chosen by the kernel and never given back: the listening socket is made first
and passed on, so nobody else can take it. The recording is on before the server is, so nothing is
missed. A server is ready when it says so (uvicorn), or when the kernel has its socket listening: no
connection is made to find out, which the server and the capture would show.
"""

from __future__ import annotations

import inspect
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from anyio import to_thread
from capture.key_log import KeyLog
from capture.output import TakeSecrets

from ..certificates import NoCertificates, Secured, certificates
from .captures import LiveCapture
from .environments import Place
from .processes import Child

ASGI_CHILD = Path(__file__).with_name("asgi_child.py")
START_TIMEOUT = 30.0
ENDING = 0.2
"""Seconds that a child which has closed its descriptors may take to end."""
READY_POLL = 0.01
"""Seconds between two looks at whether a command listens."""
OPTIONS: dict[str, Any] = {"log_level": "warning", "timeout_graceful_shutdown": 1}
"""uvicorn's, unless given otherwise: open streams have a second when the test is done."""
HYPERCORN_OPTIONS: dict[str, Any] = {"loglevel": "warning", "graceful_timeout": 1}
"""The same, of hypercorn."""

App = str | Sequence[str] | Callable[..., Any]
"""``module:attribute``, a command, or an app itself or what makes one."""


def _environment() -> dict[str, str]:
    """Return a child's environment: what is installed beside this Python is found without a path.

    So ``["hypercorn", ...]`` is the project's own, whether its environment is activated or not.
    """
    beside = os.path.dirname(sys.executable)  # noqa: PTH120  # a link to Python is not followed
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "PATH": os.pathsep.join((beside, path))}


IN_THREAD = (
    "only on Linux can wire.serve start a process that leaves nothing behind: give it the app"
    " itself, which it serves in a thread, instead of its name or a command"
)


class ServerDidNotStart(Exception):
    """A server did not come to serve; the message has what it said."""


class ServerOptions(NamedTuple):
    """What ``wire.serve`` was asked for."""

    app: App
    host: str
    port: int | None
    """Where a command listens, if it is not told."""
    environment: Mapping[str, str]
    folder: Path | None
    start_timeout: float
    options: dict[str, Any]
    """Of ``uvicorn.Config``, or of ``hypercorn.Config`` with ``http2``."""
    path: list[str]
    """``sys.path`` for the app."""
    tls: bool = False
    http2: bool = False

    @property
    def server(self) -> str:
        """What serves an app."""
        return "hypercorn" if self.http2 else "uvicorn"


class Server:
    """A server that runs in the ``with`` block, and is recorded; ``async with`` does not block.

    ``url`` is where it is, without a slash at the end; ``ws_url`` the same for a WebSocket.
    """

    def __init__(
        self,
        wanted: ServerOptions,
        place: Place,
        capture: Callable[[int, TakeSecrets], LiveCapture],
    ) -> None:
        self._wanted = wanted
        self._place = place
        self._make_capture = capture
        self._resources = ExitStack()
        self._address: tuple[str, int] | None = None
        self._capture: LiveCapture | None = None
        self._log: Callable[[], str] = str
        self._keys = KeyLog()
        self._secured: Secured | None = None

    @property
    def host(self) -> str:
        """The address to connect to."""
        return self._running()[0]

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self._running()[1]

    @property
    def url(self) -> str:
        """``http://127.0.0.1:40123``, or ``https``."""
        return f"{'https' if self._wanted.tls else 'http'}://{self._authority()}"

    @property
    def ws_url(self) -> str:
        """``ws://127.0.0.1:40123``, or ``wss``."""
        return f"{'wss' if self._wanted.tls else 'ws'}://{self._authority()}"

    @property
    def log(self) -> str:
        """The last of what the server wrote to standard output and error; of a child only."""
        return self._log()

    def _authority(self) -> str:
        host, port = self._running()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _running(self) -> tuple[str, int]:
        if self._address is None:
            raise RuntimeError("the server does not run: it does within its with block")
        return self._address

    def __enter__(self) -> Self:
        __tracebackhide__ = True
        with ExitStack() as stack:
            self._start(stack)
            self._resources = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        self._address = None
        self._resources.__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        __tracebackhide__ = True
        return await to_thread.run_sync(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        await to_thread.run_sync(self.__exit__, kind, error, trace)

    def _start(self, stack: ExitStack) -> None:
        __tracebackhide__ = True
        app, host = self._wanted.app, self._wanted.host
        if isinstance(app, str) or callable(app):
            _check_server(app, self._wanted.server)
        if self._wanted.tls:
            self._secured = self._secure(stack)
        try:
            listener = stack.enter_context(self._place.listen(host, self._wanted.port))
        except OSError as error:
            where = error.filename or host
            raise ServerDidNotStart(f"cannot listen on {where}: {error.strerror}") from error
        port: int = listener.getsockname()[1]
        self._capture = self._make_capture(port, self._keys.take)
        self._capture.start()
        stack.push(self._stop_recording)
        if isinstance(app, str):
            self._start_asgi(app, listener, stack)
        elif callable(app):
            self._start_thread(listener, stack)
        else:
            self._start_command(list(app), listener, stack)
        self._address = self._place.reach(host, port, stack)

    def _stop_recording(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._capture is not None  # it was started
        self._capture.stop(error)

    # --- TLS ---

    def _secure(self, stack: ExitStack) -> Secured:
        """Have a certificate that clients trust, and a log of secrets, until the stack ends."""
        __tracebackhide__ = True
        try:
            made = certificates()
        except NoCertificates as error:
            raise ServerDidNotStart(str(error)) from None
        stack.enter_context(made.trusted())
        stack.enter_context(self._keys)
        return Secured(str(made.certificate), str(made.key), self._keys.path)

    def _key_log(self) -> str | None:
        return None if self._secured is None else self._secured.key_log

    def _options(self) -> dict[str, Any]:
        """Return the options of what serves the app."""
        names = ("certfile", "keyfile") if self._wanted.http2 else ("ssl_certfile", "ssl_keyfile")
        tls = {} if self._secured is None else dict(zip(names, self._secured, strict=False))
        usual = HYPERCORN_OPTIONS if self._wanted.http2 else OPTIONS
        return {**usual, **tls, **self._wanted.options}

    # --- uvicorn or hypercorn, in a child ---

    def _start_asgi(self, app: str, listener: socket.socket, stack: ExitStack) -> None:
        __tracebackhide__ = True
        listener.listen()
        reading, writing = os.pipe()
        status = stack.enter_context(os.fdopen(reading, "rb"))
        order = {
            "server": self._wanted.server,
            "app": app,
            "path": self._wanted.path,
            "options": self._options(),
            "listener": listener.fileno(),
            "status": writing,
            "key_log": self._key_log(),
        }
        command = [sys.executable, "-P", str(ASGI_CHILD), json.dumps(order)]
        try:
            child = self._start_child(command, [listener.fileno(), writing], stack)
        finally:
            os.close(writing)
        listener.close()  # the child's alone: when it is gone, nobody listens
        timeout = self._wanted.start_timeout
        line = status.readline() if child.wait_readable(status.fileno(), timeout) else b""
        said = json.loads(line) if line else {"failed": _silent(child, timeout)}
        if "failed" in said:
            raise ServerDidNotStart(_why(app, said["failed"], child.log))
        self._log = lambda: child.log

    def _start_child(self, command: list[str], keep_open: list[int], stack: ExitStack) -> Child:
        child = Child(
            command,
            environment=self._environment(),
            keep_open=keep_open,
            popen=self._place.popen,
            cwd=self._wanted.folder,
        )
        stack.callback(child.stop)
        return child

    def _environment(self) -> dict[str, str]:
        environment = {**_environment(), **self._wanted.environment}
        if self._secured is not None:
            environment |= self._keys.environment(environment)
        return environment

    # --- any other server, in a child ---

    def _start_command(self, command: list[str], listener: socket.socket, stack: ExitStack) -> None:
        __tracebackhide__ = True
        from capture.linux.listening import is_listening

        host, port = listener.getsockname()[:2]
        places = {"host": host, "port": str(port), "fd": str(listener.fileno())}
        if self._secured is not None:
            places |= {"cert": self._secured.certificate, "key": self._secured.key}
        filled = [_fill(word, places) for word in command]
        if self._wanted.port is not None:
            listener.close()  # it binds the port itself, and may not share it
        keep_open = [] if listener.fileno() < 0 else [listener.fileno()]
        child = self._start_child(filled, keep_open, stack)
        deadline = time.monotonic() + self._wanted.start_timeout
        while not is_listening(port, child.pid):
            if child.wait(READY_POLL) or time.monotonic() > deadline:
                said = _silent(child, self._wanted.start_timeout)
                raise ServerDidNotStart(_why(" ".join(filled), said, child.log))
        listener.close()
        self._log = lambda: child.log

    # --- an app of this process, in a thread ---

    def _start_thread(self, listener: socket.socket, stack: ExitStack) -> None:
        __tracebackhide__ = True
        from .threads import NotServed, serve_hypercorn, serve_uvicorn

        app = self._wanted.app
        listener.listen()
        serve = serve_hypercorn if self._wanted.http2 else serve_uvicorn
        try:
            serving = serve(app, self._options(), listener, self._key_log(), stack)
            serving.wait(self._wanted.start_timeout)
        except (NotServed, ValueError) as error:
            said = "see what the server has logged"
            raise ServerDidNotStart(_why(_name(app), str(error), said)) from error


def _check_server(app: object, name: str) -> None:
    """The project under test brings it, in its own version; wireproof does not."""
    __tracebackhide__ = True
    if find_spec(name) is None:
        what = app if isinstance(app, str) else _name(app)
        why = f"{name} is not installed: pip install {name}"
        raise ServerDidNotStart(_why(what, why, ""))


def _fill(word: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _name(app: object) -> str:
    named = app if inspect.isroutine(app) or inspect.isclass(app) else type(app)
    return f"{named.__module__}.{named.__qualname__}"


def _silent(child: Child, timeout: float) -> str:
    """Say what became of a child that did not say that it serves."""
    if child.wait(ENDING):
        return f"it ended with code {child.exit_code}"
    return f"it did not serve within {timeout:g} s"


def _why(what: str, why: str, log: str) -> str:
    said = f"{what} could not be served: {why}"
    return f"{said}\n\n{log}" if log else said
