"""The fixture ``wire``: servers and recordings of one test, and what was on the wire.

Strategy: this is the list of a test's captures and the order in which they are made, asked and let
go of. All else is beside it: servers in :mod:`.servers`, decoding in :mod:`.captures`, assertions
with :mod:`.exchange`.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capture import CaptureError
from capture.output import TakeSecrets

from ..certificates import certificates
from .artifacts import Kept
from .captures import Capture, Exchanges, LiveCapture, StoredCapture
from .environments import Place
from .exchange import Exchange
from .faults import WireFailure
from .servers import START_TIMEOUT, App, Server, ServerOptions

if TYPE_CHECKING:
    from .hops import Hops


class Wire(Exchanges):
    """Serves, records and decodes for one test.

    ``root`` is pytest's root folder, ``test_file`` the test's module, ``test`` its node ID;
    ``place`` gives where servers run. ``update`` rewrites stored transcripts that differ;
    ``may_keep`` tells whether captures of failed tests are kept, and so worth naming.
    """

    def __init__(
        self,
        root: Path,
        test_file: Path,
        test: str,
        place: Callable[[], Place],
        update: bool,
        may_keep: bool = True,
    ) -> None:
        self._root = root
        self._test_file = test_file
        self._kept = Kept(root, test)
        self._place = place
        self._update = update
        self._may_keep = may_keep
        self._live: list[LiveCapture] = []
        self._stored: list[StoredCapture] = []
        self._servers: list[Server] = []
        self._resources = ExitStack()

    def serve(
        self,
        app: App,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        tls: bool = False,
        http2: bool = False,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        start_timeout: float = START_TIMEOUT,
        **options: Any,
    ) -> Server:
        """Return a server for a ``with`` block, recorded while the block lasts.

        ``app`` is ``module:attribute`` for uvicorn in a process of its own, as is an app factory
        with ``factory=True``; or an app itself, or what makes one, for uvicorn in a thread of this
        process; or a command in words, for a server of any kind: in it ``{port}`` stands for a free
        port, ``{host}`` for the address, and ``{fd}`` for the descriptor of a socket that is bound
        to them. A command that does not take a port is told by ``port`` where it listens.

        With ``tls`` it is a server of TLS, with a throw-away certificate that clients trust within
        the block (``wire.ca``), and its secrets are in the recording. With ``http2`` hypercorn
        serves an app: HTTP/2 by ALPN, without ``tls`` by prior knowledge or an upgrade. A command
        finds the certificate and its key at ``{cert}`` and ``{key}``, and ``SSLKEYLOGFILE`` set.

        ``options`` are uvicorn's own (``http="h11"``, ``ws="wsproto"``, ``factory=True``), or
        hypercorn's.
        Entering the block takes until the server is ready; with ``async with`` the event loop goes
        on meanwhile. Raises ServerDidNotStart with what the server said.
        """
        wanted = ServerOptions(
            app,
            host,
            port,
            dict(env or {}),
            None if cwd is None else Path(cwd),
            start_timeout,
            options,
            self._import_path(cwd),
            tls,
            http2,
        )
        server = Server(wanted, self._place(), self._new_capture)
        self._servers.append(server)
        return server

    @property
    def ca(self) -> ssl.SSLContext:
        """What a client verifies by, if it does not look at ``SSL_CERT_FILE``: httpx's ``verify``,
        ``ssl`` of websockets."""
        return certificates().client_context()

    @property
    def ca_file(self) -> str:
        """The same as a file, for ``curl --cacert`` and the like."""
        return str(certificates().authority)

    @contextmanager
    def capture(self, *, port: int | Sequence[int]) -> Iterator[Capture]:
        """Record a port of this machine while the block lasts, whoever serves there.

        Fails where this process may not open a packet socket.
        """
        __tracebackhide__ = True
        from .environments import Machine, check_may_capture

        check_may_capture()
        capture = self._add(lambda path: Machine().record(path, port))
        capture.start()
        try:
            yield capture
        except BaseException as error:
            capture.stop(error)
            raise
        capture.stop()

    def replay(
        self, path: str | os.PathLike[str], *, keylog: str | os.PathLike[str] | None = None
    ) -> Capture:
        """Return the exchanges of a capture file; a relative path counts from the test's folder,
        or else from pytest's root folder.

        TLS is decrypted with the secrets in the file, and with those of the key log ``keylog``, or
        of one beside the capture: ``x.keys`` for ``x.pcapng``.
        """
        __tracebackhide__ = True
        found = self._found("capture", path)
        keys = None if keylog is None else self._found("key log", keylog)

        def shown(_: Capture) -> str:
            return f"capture: {self._relative(found)}"

        capture = StoredCapture(found, shown, self._compare, keys)
        self._stored.append(capture)
        return capture

    def _found(self, what: str, path: str | os.PathLike[str]) -> Path:
        """Return where a file is that a test names."""
        __tracebackhide__ = True
        tried = [self._test_file.parent / path, self._root / path]
        found = next((candidate for candidate in tried if candidate.exists()), None)
        if found is None:
            raise FileNotFoundError(f"no {what} {path}: looked for {tried[0]}, {tried[1]}")
        return found

    def hops(self, *captures: Capture, path: str | None = None) -> Hops:
        """Return what the hops between captures did: ``wire.hops().assert_transparent()``.

        Without arguments these are all captures of the test: one for each server, a proxy's and
        that of the server behind it. ``path`` is a pattern for targets: ``/v1/*``.
        """
        from .hops import read_hops

        chosen = captures or (*self._live, *self._stored)
        named = [(self._name(capture, number), capture) for number, capture in enumerate(chosen)]
        return read_hops(named, path, lambda: [self._where(one) for one in self._live])

    def _name(self, capture: Capture, number: int) -> str:
        """Return what a capture is called: its file, or which one of the test's it is."""
        if isinstance(capture, StoredCapture):
            return self._relative(capture.path)
        return f"capture {number}"

    def assert_matches(
        self,
        name: str,
        exchange: Exchange | None = None,
        *,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        """Fail if the test's exchanges, or one, differ from the stored transcript ``name``.

        It is ``__wire__/<test module>/<name>.txt`` beside the test; ``--wire-update`` writes it.
        Ports, masks, dates and UUIDs are no difference; ``replace`` has patterns of what else
        differs from run to run, each with what is put in its place.
        """
        __tracebackhide__ = True
        self._compare(name, self._all() if exchange is None else [exchange], replace or {})

    def assert_no_regression(self, baseline: str | os.PathLike[str], *captures: Capture) -> None:
        """Fail if exchanges are worse than those of a stored baseline, by ``wireproof diff``.

        ``baseline`` is a JSON file; a relative path counts from the test's folder.
        ``--wire-update`` writes it. Without ``captures`` these are all of the test. Of fewer than
        five exchanges of one target nothing is told: make as many as it takes.
        """
        __tracebackhide__ = True
        from .regression import check

        chosen = captures or (*self._live, *self._stored)
        check(chosen, self._test_file.parent / baseline, update=self._update)

    # --- for the plugin ---

    def close(self, *, keep: bool) -> None:
        """End what runs still, and keep the captures or not."""
        try:
            for server in self._servers:
                server.__exit__(None, None, None)  # whose block was never left
            self._resources.close()
            if keep:
                self._keep()
            else:
                self._kept.forget()
        finally:
            for capture in self._live:
                capture.close()

    def report(self) -> str:
        """Return what a failed test's report says: exchanges, captures, what servers wrote."""
        try:
            return "\n".join(self._told())
        except CaptureError as error:  # which is why the test failed, or will be told after it
            return f"the recording is not whole: {error}"

    def _told(self) -> Iterator[str]:
        yield self._listed(self._all())
        if self._servers:
            yield f"recorded by: {self._place().name}"
        yield from (self._where(capture) for capture in self._live if not capture.is_empty)
        yield from (f"server:\n{server.log}" for server in self._servers if server.log)

    # --- captures ---

    def _all(self) -> list[Exchange]:
        found = [
            exchange for capture in (*self._live, *self._stored) for exchange in capture.exchanges()
        ]
        return sorted(found, key=lambda exchange: exchange.start_time)

    def _new_capture(self, port: int, secrets: TakeSecrets) -> LiveCapture:
        place = self._place()
        return self._add(lambda path: place.record(path, port, secrets))

    def _add(self, record: Callable[[str], Any]) -> LiveCapture:
        capture = LiveCapture(record, self._where, self._compare)
        self._live.append(capture)
        self._resources.callback(capture.stop)
        return capture

    def _where(self, capture: Capture) -> str:
        if not self._may_keep:
            return "capture: not kept"
        number = next(n for n, live in enumerate(self._live) if live is capture)
        return f"capture: {self._relative(self._kept.path(number))}"

    def _keep(self) -> None:
        self._kept.forget()
        for number, capture in enumerate(self._live):
            if not capture.is_empty:
                self._kept.prepare()
                capture.copy_to(self._kept.path(number))

    def _relative(self, path: Path) -> str:
        """Return a path as it is shorter to type: from where the user stands, or whole."""
        here = Path.cwd()
        return str(path.relative_to(here) if path.is_relative_to(here) else path)

    def _import_path(self, cwd: str | os.PathLike[str] | None) -> list[str]:
        """Return where an app is imported from: where the test's imports are, and its folders."""
        here = os.fspath(Path.cwd() if cwd is None else Path(cwd).resolve())
        path = [entry or here for entry in sys.path]
        more = [here, str(self._root), str(self._test_file.parent)]
        return path + [entry for entry in more if entry not in path]

    def _compare(
        self, name: str, exchanges: Sequence[Exchange], replace: Mapping[str, str]
    ) -> None:
        __tracebackhide__ = True
        from .golden import compare

        folder = self._test_file.parent / "__wire__" / self._test_file.stem
        path = folder / f"{name}.txt"
        difference = compare(path, exchanges, update=self._update, replace=replace)
        if difference is not None:
            where = "\n".join(self._where(capture) for capture in self._live)
            raise WireFailure(f"{difference}\n\n{where}".rstrip())
