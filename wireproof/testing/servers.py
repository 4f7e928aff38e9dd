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
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from anyio import to_thread

from .captures import LiveCapture
from .environments import Place
from .processes import Child

UVICORN = Path(__file__).with_name("uvicorn_child.py")
START_TIMEOUT = 30.0
STOP_TIMEOUT = 5.0
"""Seconds, of a server in a thread; one in a child has the reaper's."""
ENDING = 0.2
"""Seconds that a child which has closed its descriptors may take to end."""
READY_POLL = 0.01
"""Seconds between two looks at whether a command listens."""
OPTIONS: dict[str, Any] = {"log_level": "warning", "timeout_graceful_shutdown": 1}
"""uvicorn's, unless given otherwise: open streams have a second when the test is done."""

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
    """Of ``uvicorn.Config``."""
    path: list[str]
    """``sys.path`` for the app."""


class Server:
    """A server that runs in the ``with`` block, and is recorded; ``async with`` does not block.

    ``url`` is where it is, without a slash at the end; ``ws_url`` the same for a WebSocket.
    """

    def __init__(
        self, wanted: ServerOptions, place: Place, capture: Callable[[int], LiveCapture]
    ) -> None:
        self._wanted = wanted
        self._place = place
        self._make_capture = capture
        self._resources = ExitStack()
        self._address: tuple[str, int] | None = None
        self._capture: LiveCapture | None = None
        self._log: Callable[[], str] = str

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
        """``http://127.0.0.1:40123``."""
        return f"http://{self._authority()}"

    @property
    def ws_url(self) -> str:
        """``ws://127.0.0.1:40123``."""
        return f"ws://{self._authority()}"

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
            _check_uvicorn(app)
        try:
            listener = stack.enter_context(self._place.listen(host, self._wanted.port))
        except OSError as error:
            where = error.filename or host
            raise ServerDidNotStart(f"cannot listen on {where}: {error.strerror}") from error
        port: int = listener.getsockname()[1]
        self._capture = self._make_capture(port)
        self._capture.start()
        stack.push(self._stop_recording)
        if isinstance(app, str):
            self._start_uvicorn(app, listener, stack)
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

    # --- uvicorn, in a child ---

    def _start_uvicorn(self, app: str, listener: socket.socket, stack: ExitStack) -> None:
        __tracebackhide__ = True
        listener.listen()
        reading, writing = os.pipe()
        status = stack.enter_context(os.fdopen(reading, "rb"))
        order = {
            "app": app,
            "path": self._wanted.path,
            "options": {**OPTIONS, **self._wanted.options},
            "listener": listener.fileno(),
            "status": writing,
        }
        command = [sys.executable, "-P", str(UVICORN), json.dumps(order)]
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
            environment={**_environment(), **self._wanted.environment},
            keep_open=keep_open,
            popen=self._place.popen,
            cwd=self._wanted.folder,
        )
        stack.callback(child.stop)
        return child

    # --- any other server, in a child ---

    def _start_command(self, command: list[str], listener: socket.socket, stack: ExitStack) -> None:
        __tracebackhide__ = True
        from capture.linux.listening import is_listening

        host, port = listener.getsockname()[:2]
        places = {"host": host, "port": str(port), "fd": str(listener.fileno())}
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
        with warnings.catch_warnings():
            # What uvicorn takes for WebSockets warns of what uvicorn does: no fault of the test's.
            warnings.simplefilter("ignore", DeprecationWarning)
            import uvicorn

            if self._wanted.options.get("ws", "auto") == "auto":
                import uvicorn.protocols.websockets.auto  # noqa: F401

        app = self._wanted.app
        if (sse := sys.modules.get("sse_starlette.sse")) is not None:
            # It keeps the signal that stopped an earlier server of this process, and would end
            # every stream of this one at once.
            sse.AppStatus.should_exit = False
        listener.listen()
        started = threading.Event()
        failed: list[BaseException] = []

        class Threaded(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                started.set()

        def run(server: uvicorn.Server) -> None:
            try:
                server.run(sockets=[listener])
            except BaseException as error:  # SystemExit too: uvicorn's for a failed start
                failed.append(error)
            finally:
                started.set()

        server = Threaded(uvicorn.Config(app, **{**OPTIONS, **self._wanted.options}))  # type: ignore[arg-type]
        thread = threading.Thread(target=run, args=(server,), name="wire.serve", daemon=True)
        thread.start()
        stack.callback(partial(_stop_thread, server, thread))
        if not started.wait(self._wanted.start_timeout) or failed or not server.started:
            why = repr(failed[0]) if failed else "it did not start in time"
            raise ServerDidNotStart(_why(_name(app), why, "see what uvicorn has logged"))


def _check_uvicorn(app: object) -> None:
    """The project under test brings it, in its own version; wireproof does not."""
    __tracebackhide__ = True
    if find_spec("uvicorn") is None:
        what = app if isinstance(app, str) else _name(app)
        raise ServerDidNotStart(_why(what, "uvicorn is not installed: pip install uvicorn", ""))


def _stop_thread(server: Any, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(STOP_TIMEOUT)
    if thread.is_alive():  # an open stream that ignores its cancellation
        server.force_exit = True
        thread.join(STOP_TIMEOUT)


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
