"""Make this Python, for our own packages alone, what it is on another system.

Strategy: this folder stands first in PYTHONPATH, and Python reads a file of this name before
anything else. What our packages import is then shown to them without what that system's Python does
not have; the standard library and others' packages go on as they are here, for they have their own
ways there. So an import, or an attribute, that only Linux has fails as it would there. What takes
descriptors on Linux and only sockets on Windows refuses all else, and /proc is not there.

``WIREPROOF_SYSTEM`` says which system: ``windows`` or ``macos``. Any other value changes nothing.
"""

from __future__ import annotations

import builtins
import os
import select
import socket
import stat
import struct
import subprocess
import sys
from types import ModuleType
from typing import Any

OURS = {"capture", "fixtures", "parsers", "server", "wireproof"}

# By the reference of Python 3.11's library: "Availability" of each.
LINUX_OS = [
    "EFD_CLOEXEC",
    "EFD_NONBLOCK",
    "EFD_SEMAPHORE",
    "eventfd",
    "eventfd_read",
    "eventfd_write",
    "memfd_create",
    "MFD_CLOEXEC",
    "pidfd_open",
    "P_PIDFD",
    "sched_getaffinity",
    "sched_setaffinity",
    "unshare",
    "setns",
    "splice",
    "copy_file_range",
    "posix_fadvise",
    "sched_setscheduler",
    "getrandom",
    "waitid",
    "waitid_result",
    "WNOWAIT",
    "O_TMPFILE",
    "O_PATH",
    "O_DIRECT",
]
POSIX_OS = [
    "fork",
    "forkpty",
    "register_at_fork",
    "geteuid",
    "getuid",
    "getegid",
    "getgid",
    "getgroups",
    "getpgrp",
    "getpgid",
    "getsid",
    "setsid",
    "setpgid",
    "setuid",
    "setgid",
    "seteuid",
    "setegid",
    "tcgetpgrp",
    "tcsetpgrp",
    "ctermid",
    "mkfifo",
    "mknod",
    "pread",
    "pwrite",
    "preadv",
    "pwritev",
    "sysconf",
    "statvfs",
    "fstatvfs",
    "O_NONBLOCK",
    "O_NOCTTY",
    "O_CLOEXEC",
    "O_DIRECTORY",
    "O_NOFOLLOW",
    "O_SYNC",
    "WNOHANG",
    "WUNTRACED",
    "P_PID",
    "P_PGID",
    "P_ALL",
    "WEXITED",
    "WIFSIGNALED",
    "WIFEXITED",
    "WIFSTOPPED",
    "WTERMSIG",
    "WEXITSTATUS",
    "WCOREDUMP",
    "killpg",
    "posix_spawn",
    "posix_spawnp",
    "chown",
    "fchown",
    "fchmod",
    "lchown",
    "set_blocking",
    "get_blocking",
    "sendfile",
    "uname",
    "nice",
    "getloadavg",
    "wait",
    "wait3",
    "wait4",
    "getpriority",
    "openpty",
    "ttyname",
    "sync",
    "fdatasync",
    "lockf",
    "posix_fallocate",
]
LINUX_SOCKET = [
    "AF_PACKET",
    "AF_NETLINK",
    "AF_VSOCK",
    "AF_ALG",
    "SOCK_NONBLOCK",
    "SOCK_CLOEXEC",
    "SO_BINDTODEVICE",
    "SO_PEERCRED",
    "SO_MARK",
    "SO_DOMAIN",
    "SO_PROTOCOL",
    "TCP_INFO",
    "TCP_QUICKACK",
    "TCP_CORK",
    "TCP_USER_TIMEOUT",
    "TCP_DEFER_ACCEPT",
    "MSG_NOSIGNAL",
    "MSG_ERRQUEUE",
    "PACKET_OUTGOING",
    "PACKET_HOST",
    "PACKET_LOOPBACK",
    "SO_INCOMING_CPU",
]
POSIX_SOCKET = [
    "AF_UNIX",
    "SO_REUSEPORT",
    "recv_fds",
    "send_fds",
    "CMSG_LEN",
    "CMSG_SPACE",
    "SCM_RIGHTS",
    "MSG_DONTWAIT",
    "sethostname",
]
POSIX_SIGNAL = [
    "SIGHUP",
    "SIGALRM",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGKILL",
    "SIGPIPE",
    "SIGQUIT",
    "SIGUSR1",
    "SIGUSR2",
    "SIGTSTP",
    "SIGSTOP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGXFSZ",
    "SIGXCPU",
    "SIGWINCH",
    "SIGIO",
    "SIGURG",
    "pthread_sigmask",
    "pthread_kill",
    "sigwait",
    "sigpending",
    "setitimer",
    "getitimer",
    "alarm",
    "pause",
    "siginterrupt",
    "SIG_BLOCK",
    "SIG_UNBLOCK",
    "SIG_SETMASK",
    "ITIMER_REAL",
]
LINUX_SIGNAL = [
    "pidfd_send_signal",
    "sigwaitinfo",
    "sigtimedwait",
    "SIGPWR",
    "SIGSTKFLT",
    "SIGRTMIN",
]
LINUX_SELECT = [name for name in dir(select) if "epoll" in name.lower()]
POSIX_SELECT = [name for name in dir(select) if "POLL" in name or name == "poll"]
LINUX_FCNTL = ["F_SETPIPE_SZ", "F_GETPIPE_SZ", "F_ADD_SEALS", "F_GET_SEALS", "F_NOTIFY"]
MODULES = {
    "windows": {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix"},
    "macos": set[str](),
}
PLATFORM = {"windows": "win32", "macos": "darwin"}
MISSING: dict[str, dict[str, list[str]]] = {
    "windows": {
        "os": LINUX_OS + POSIX_OS,
        "socket": LINUX_SOCKET + POSIX_SOCKET,
        "signal": LINUX_SIGNAL + POSIX_SIGNAL,
        "select": LINUX_SELECT + POSIX_SELECT,
        "mmap": ["MAP_SHARED", "MAP_PRIVATE", "MAP_ANONYMOUS", "PROT_READ", "PROT_WRITE"],
        "time": ["tzset", "clock_gettime", "clock_gettime_ns", "CLOCK_MONOTONIC", "CLOCK_REALTIME"],
    },
    "macos": {
        "os": LINUX_OS,
        "socket": LINUX_SOCKET,
        "signal": LINUX_SIGNAL,
        "select": LINUX_SELECT,
        "fcntl": LINUX_FCNTL,
        "resource": ["prlimit"],
        "time": ["CLOCK_BOOTTIME"],
    },
}
"""For each system what a module lacks."""


class View(ModuleType):
    """A module as our packages see it."""

    def __init__(self, module: ModuleType, missing: list[str], instead: dict[str, Any]) -> None:
        super().__init__(module.__name__)
        own = object.__getattribute__(self, "__dict__")
        own.update(_module=module, _missing=frozenset(missing), _instead=instead)

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        if name in own["_missing"]:
            raise AttributeError(f"module {own['_module'].__name__!r} has no attribute {name!r}")
        if name in own["_instead"]:
            return own["_instead"][name]
        return getattr(own["_module"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "__dict__")["_module"], name, value)


def only_sockets(readers: Any, writers: Any, failing: Any, timeout: Any = None) -> Any:
    """Be select() of Windows."""
    for one in (*readers, *writers, *failing):
        number = one if isinstance(one, int) else one.fileno()
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(10038, "an operation was attempted on something that is not a socket")
    if not (readers or writers or failing):
        raise OSError(10022, "an invalid argument was supplied")
    return select.select(readers, writers, failing, timeout)


class Popen(subprocess.Popen):  # type: ignore[type-arg]
    """What Popen refuses on Windows."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        for name in ("pass_fds", "preexec_fn"):
            if options.get(name):
                raise ValueError(f"{name} is not supported on Windows platforms")
        super().__init__(*arguments, **options)


def no_descriptor_of_a_socket(function: Any) -> Any:
    """Return a function of os that takes no socket, as on Windows."""

    def call(descriptor: int, *arguments: Any) -> Any:
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise OSError(9, "Bad file descriptor")
        return function(descriptor, *arguments)

    return call


INSTEAD: dict[str, dict[str, dict[str, Any]]] = {
    "windows": {
        "os": {
            "name": "nt",
            "read": no_descriptor_of_a_socket(os.read),
            "write": no_descriptor_of_a_socket(os.write),
            "close": no_descriptor_of_a_socket(os.close),
        },
        "select": {"select": only_sockets},
        "subprocess": {"Popen": Popen},
    },
    "macos": {},
}


def be(system: str) -> None:
    """Show our packages that system."""
    views: dict[str, View] = {}
    real = builtins.__import__

    def view(module: ModuleType) -> ModuleType:
        name = module.__name__
        missing = MISSING[system].get(name, [])
        instead = dict(INSTEAD[system].get(name, {}))
        if name == "sys":
            instead["platform"] = PLATFORM[system]
        if not missing and not instead:
            return module
        if name not in views:
            views[name] = View(module, missing, instead)
        return views[name]

    def see(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> ModuleType:
        package = str((globals or {}).get("__package__") or (globals or {}).get("__name__") or "")
        if package.partition(".")[0] not in OURS:
            return real(name, globals, locals, fromlist, level)
        if level == 0 and name.partition(".")[0] in MODULES[system]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = real(name, globals, locals, fromlist, level)
        if name.startswith("capture.linux") or (level and module.__name__ == "capture.linux"):
            raise AssertionError(f"{package} imports {name}, which only Linux can")
        return view(module) if level == 0 else module

    builtins.__import__ = see
    sys.addaudithook(_without_proc)
    if system == "windows":
        _fall_back_to_loopback_pairs()
        _be_winsock()


def _without_proc(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]).startswith("/proc/"):
        raise FileNotFoundError(2, "No such file or directory", arguments[0])


def _fall_back_to_loopback_pairs() -> None:
    """Make socketpair() what it is without AF_UNIX: a connection over loopback."""

    def pair(*arguments: Any) -> tuple[socket.socket, socket.socket]:
        with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
            near = socket.create_connection(listener.getsockname())
            far, _ = listener.accept()
        return near, far

    INSTEAD["windows"]["socket"] = {"socketpair": pair}


def _be_winsock() -> None:
    """Take a struct linger of two short numbers, and have no recvmsg(), as Winsock."""

    def setsockopt(sock: socket.socket, level: int, option: int, value: Any, *more: Any) -> None:
        if option == socket.SO_LINGER:
            value = struct.pack("@ii", *struct.unpack("@HH", value))
        elif option not in (socket.SO_REUSEADDR, socket.TCP_NODELAY, socket.IPV6_V6ONLY):
            raise OSError(10042, f"no such option: {option}")
        take(sock, level, option, value, *more)

    def lacks(sock: socket.socket) -> None:
        raise AttributeError("'socket' object has no attribute")

    take = vars(socket.socket.__base__)["setsockopt"]
    socket.socket.setsockopt = setsockopt  # type: ignore[method-assign]
    for name in NO_METHODS:
        setattr(socket.socket, name, property(lacks))


NO_METHODS = ("recvmsg", "recvmsg_into", "sendmsg")

if os.environ.get("WIREPROOF_SYSTEM") in PLATFORM:
    be(os.environ["WIREPROOF_SYSTEM"])
