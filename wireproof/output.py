"""What commands write to: files that appear whole or not at all, standard output, scratch files.

Strategy: a file is written without a name, in the folder of its place, and gets its name at the
end: what breaks off leaves nothing behind, SIGKILL included, and what was there before stays. Where
the file system has no files without a name, it has one of its own, and is renamed. So it is with
Ctrl-C, but for what comes from a recording on standard input, which that ends: it is kept as far as
it came. What is no regular file (a pipe, a device) is written to as it is.

Every stream knows what a user calls it, and says so in its errors: the system names a file when it
cannot be opened, but not when it is full.
"""

from __future__ import annotations

import os
import stat
import sys
from codecs import getincrementaldecoder
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from io import BufferedRandom, BufferedReader, BufferedWriter, FileIO, RawIOBase, TextIOWrapper
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeVar, cast

from .text.escape import escape_as_json

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STANDARD_OUTPUT = "standard output"
OWNER_ONLY = 0o600
"""Permissions of a new file: nobody else is to read what came from the wire."""
OPEN = "/proc/self/fd/{}"
"""What stands for an open file, to be given a name."""
DESCRIPTORS = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""Standard input, output and error, and how what stands for a closed one is opened: so that reading
or writing fails as it should, and no file that is opened later gets its number."""


F = TypeVar("F", bound=str)


def format_by_ending(output: str | None, endings: Mapping[str, F], usual: F) -> F:
    """Return the format that an output's name asks for: ``usual`` if it has no ending, or no name.

    Raises ValueError for any other ending: what is called .csv should not hold a table.
    """
    # pathlib, with all that it imports, would take a millisecond of every start.
    ending = os.path.splitext(output or "")[1].rstrip(".").lower()  # noqa: PTH122
    if ending and ending not in endings:
        known = ", ".join(endings)
        raise ValueError(f"{ending} is not one of the endings {known}: name a format with --format")
    return endings.get(ending, usual)


class NamedFile(FileIO):
    """A file whose errors say what it is called."""

    def __init__(self, file: int, mode: str, name: str, *, closefd: bool = True) -> None:
        super().__init__(file, mode, closefd=closefd)
        self._name = name

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise named(error, self._name) from error


def named(error: OSError, name: str) -> OSError:
    """Return the same error, of a file of that name."""
    return OSError(error.errno, error.strerror or str(error), name)


class _Terminal(RawIOBase):
    """Data on its way to a terminal: what that would obey is written as JSON writes it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        text = self._decoder.decode(bytes(data))
        self._stream.write(escape_as_json(text).encode(errors="backslashreplace"))
        return len(bytes(data))

    def flush(self) -> None:
        self._stream.flush()


def open_stream(output: str | None, stack: ExitStack, *, source: str | None = None) -> BinaryIO:
    """Return what an output is written to; None and ``-`` are standard output.

    A file is there when ``stack`` is closed, unless an error or Ctrl-C closes it; if ``source``,
    what is read for it, is standard input, Ctrl-C keeps it. One that was not there before is its
    owner's alone. Raises OSError with the output's name.
    """
    if output is None or output == "-":
        stream = _standard_output(stack)
        return cast(BinaryIO, _Terminal(stream)) if sys.stdout.isatty() else stream
    place = os.path.realpath(output)
    if os.path.exists(place) and not os.path.isfile(place):  # noqa: PTH110, PTH113
        opened = stack.enter_context(_opened(place, 0, output))
        return cast(BinaryIO, _Terminal(opened)) if opened.isatty() else opened
    beside = _Beside(place, output, is_kept=source == "-")
    stack.push(beside.end)  # before there is a file: a signal may come as soon as there is
    return beside.begin()


def open_text(
    output: str | None, stack: ExitStack, *, is_data: bool = False, source: str | None = None
) -> TextIO:
    """Open the output for text: a path, or standard output, which stays open.

    ``is_data`` is for what programs read: none of it is a style of ours, so a terminal gets none.
    ``source`` is as for :func:`open_stream`.
    """
    if output is None or output == "-":
        if not (is_data and sys.stdout.isatty()):
            return sys.stdout
        sys.stdout.flush()
        text = TextIOWrapper(
            open_stream(None, stack), encoding="utf-8", newline="", write_through=True
        )
        stack.callback(text.detach)
        return text
    stream = open_stream(output, stack, source=source)
    return stack.enter_context(TextIOWrapper(stream, encoding="utf-8"))


def _standard_output(stack: ExitStack) -> BinaryIO:
    stream = sys.stdout.buffer
    if not isinstance(stream, RawIOBase):
        stack.callback(stream.flush)  # what fails, fails before it is said what was done
        return stream
    # With PYTHONUNBUFFERED it is a raw file, whose write() may write a part and leave it at that.
    buffered = BufferedWriter(stream)
    stack.callback(buffered.detach)  # not closed with it
    return buffered


class _Beside:
    """A file that takes another's place when it is whole."""

    def __init__(self, place: str, output: str, *, is_kept: bool) -> None:
        self._folder, name = os.path.split(place)  # noqa: PTH206
        self._place = place
        self._output = output
        self._is_kept = is_kept
        """When Ctrl-C ends it."""
        self._beside = os.path.join(  # noqa: PTH118
            self._folder, f".{name[:200]}.{os.urandom(4).hex()}.part"
        )
        self._nameless: int | None = None
        """A descriptor of the file, if it has no name."""
        self._may_have_name = False
        self._stream: BinaryIO | None = None

    def begin(self) -> BinaryIO:
        """Open the file; :meth:`end` is called whatever comes of it."""
        stream = self._without_name()
        if stream is None:
            self._may_have_name = True
            try:
                stream = _opened(self._beside, os.O_CREAT | os.O_EXCL, self._output)
            except OSError:
                self._may_have_name = False
                raise
        self._stream = stream
        with suppress(OSError):  # there is none, or it is not ours: then it gets its own
            file = self._beside if self._nameless is None else self._nameless
            os.chmod(file, stat.S_IMODE(os.stat(self._place).st_mode))  # noqa: PTH101, PTH116
        return stream

    def _without_name(self) -> BinaryIO | None:
        """Open a file without a name (open(2), O_TMPFILE); None where there is no such thing."""
        try:
            file = os.open(self._folder, os.O_WRONLY | os.O_TMPFILE, OWNER_ONLY)
        except (AttributeError, OSError):  # one with a name says what is wrong
            return None
        if not os.path.exists(OPEN.format(file)):  # noqa: PTH110  # it could get none
            os.close(file)
            return None
        self._nameless = os.dup(file)
        return BufferedWriter(NamedFile(file, "w", self._output))

    def _give_name(self, file: int) -> None:
        """Have a file without a name take the place."""
        opened = OPEN.format(file)
        # Its directory is of no account: with one, os.link follows what stands for the file.
        try:
            os.link(opened, self._place, src_dir_fd=file)
        except FileExistsError:
            self._may_have_name = True
            os.link(opened, self._beside, src_dir_fd=file)
            os.replace(self._beside, self._place)  # noqa: PTH105

    def end(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the file its place, or leave nothing of it."""
        try:
            if self._stream is None:
                return
            self._stream.close()
            if kind is None or (self._is_kept and issubclass(kind, KeyboardInterrupt)):
                if self._nameless is None:
                    os.replace(self._beside, self._place)  # noqa: PTH105
                else:
                    self._give_name(self._nameless)
        except OSError as failed:
            raise named(failed, self._output) from failed
        finally:
            if self._nameless is not None:
                os.close(self._nameless)
            if self._may_have_name:
                with suppress(FileNotFoundError):
                    os.unlink(self._beside)  # noqa: PTH108


def _opened(path: str, flags: int, output: str) -> BinaryIO:
    try:
        file = os.open(path, os.O_WRONLY | flags | getattr(os, "O_BINARY", 0), OWNER_ONLY)
    except OSError as error:
        raise named(error, output) from error
    return BufferedWriter(NamedFile(file, "w", output))


def missing_temporary_folder() -> str | None:
    """Return what the environment says of temporary files if nothing can be written there.

    Python would put them elsewhere without a word, and they hold what came from the wire.
    """
    if (said := _said_temporary_folder()) is None:
        return None
    name, folder = said
    is_usable = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)  # noqa: PTH112
    return None if is_usable else f"{name}={folder}"


def _said_temporary_folder() -> tuple[str, str] | None:
    """Return which variable says where temporary files go, and where: the first that is set, as
    tempfile has it."""
    names = ("TMPDIR", "TEMP", "TMP")
    return next(((name, folder) for name in names if (folder := os.environ.get(name))), None)


def of_temporary_files(error: OSError) -> OSError:
    """Return an error of temporary files that says what they are, and where.

    Of a folder that the environment names Python only says that it looked elsewhere too, in vain.
    """
    from tempfile import TemporaryFile

    if (said := _said_temporary_folder()) is not None:
        name, folder = said
        try:
            with TemporaryFile(dir=folder, buffering=0) as file:
                file.write(b"0")
        except OSError as why:
            return named(why, f"temporary files in {name}={folder}")
    return named(error, "temporary files")


def scratch() -> NamedFile | BinaryIO:
    """Return a file without a buffer and without a name, for what is put aside; closed, it is gone.

    Raises OSError that says that it is about temporary files, and where these lie.
    """
    from tempfile import TemporaryFile, gettempdir  # slow to load: it knows archives too

    try:
        file = TemporaryFile(prefix="wireproof-", buffering=0)  # noqa: SIM115 # it stays open
    except OSError as error:
        raise of_temporary_files(error) from error
    if os.name != "posix":
        return cast(BinaryIO, file)
    with file:
        return NamedFile(os.dup(file.fileno()), "r+", f"temporary file in {gettempdir()}")


def buffered_scratch() -> BinaryIO:
    """Return the same with a buffer."""
    return BufferedRandom(cast(RawIOBase, scratch()))


def prepare_standard_streams() -> None:
    """Let standard streams that are closed fail when they are used, and output say what it is."""
    for descriptor, flags in DESCRIPTORS.items():
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free: this one
    sys.stdin = sys.stdin or TextIOWrapper(BufferedReader(FileIO(0, "r", closefd=False)))
    sys.stderr = sys.stderr or TextIOWrapper(BufferedWriter(FileIO(2, "w", closefd=False)))
    stdout = sys.stdout
    if os.name != "posix" or (stdout is not None and not isinstance(stdout, TextIOWrapper)):
        return
    if stdout is not None:
        stdout.flush()
    sys.stdout = TextIOWrapper(
        BufferedWriter(NamedFile(1, "w", STANDARD_OUTPUT, closefd=False)),
        encoding=None if stdout is None else stdout.encoding,
        errors=None if stdout is None else stdout.errors,
        line_buffering=stdout is not None and (stdout.line_buffering or stdout.write_through),
    )


def finish_standard_output() -> None:
    """Write what waits, unless that fails: whoever wanted it has been told."""
    try:
        sys.stdout.flush()
    except OSError:
        give_up_standard_output()


def give_up_standard_output() -> None:
    """Let nothing be written any more: the interpreter, which flushes at its end, has no cause to
    complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
