"""Write docs/diagnostics.md anew from the registry: ``python docs/diagnostics.py``.

The registry is the one place where a fault is described. Its groups are the comments between its
rows, so they are read from its source.
"""

from __future__ import annotations

import re
from inspect import getsource
from pathlib import Path

from parsers.diagnostics import FAMILIES, FAULTS

PAGE = Path(__file__).with_suffix(".md")
HEAD = """\
# Diagnostics

A fault never ends a decode: it becomes a `diagnostic` record with its packets, and decoding goes on
as far as framing allows. These are all there are; a `code` does not change its meaning. The
record's `summary` is the one below, and after a colon what was found.

| severity | meaning |
|---|---|
| `note` | legal, but worth knowing |
| `warning` | the capture or a peer deviates, and what it means is certain |
| `error` | something is lost, wrong, or read differently by others |

Whose fault it is, the groups say:

| group | about |
|---|---|
| capture files, live recordings, tunnels | the recording, and never a peer: [captures.md](captures.md) says how to record better |
| IP, ICMP, TCP | the network between the peers, or what was recorded of it; a segment that is "ignored" here is ignored by its receiver too |
| HTTP/1.1 messages, chunked transfer coding, content codings | what a server, a client or a proxy between them sent |
| what a connection speaks | what came before or instead of HTTP: a proxy's header, a tunnel, TLS to a plain port |
| TLS | what is seen of it without keys: [tls.md](tls.md) |
| server-sent events, JSON, multipart, AWS, gRPC-Web, WebSocket | what the application wrote, or whatever cut it |

Where bytes are missing from a capture, nothing is said against whoever sent them: there is a `gap`,
the body is not `complete`, and a note says where decoding goes on (`http-resynchronised`,
`sse-resynchronised`, ...). A `summary` ends with the cause where that is certain, and with the
packets in which to look.

```console
$ wireproof decode api.pcapng --format ndjson | jq -c 'select(.record == "diagnostic")'
```
"""
COLUMNS = "| code | severity | what it says | rule |\n|---|---|---|---|\n"
# A group's comment, or the code of a row.
LINE = re.compile(r'^    (?:# --- (?P<group>.+) ---|"(?P<code>[a-z0-9-]+)": Fault\()', re.MULTILINE)


def page() -> str:
    """Return the page: the faults of the registry, in its groups and in its order."""
    found = HEAD
    for line in LINE.finditer("".join(map(getsource, FAMILIES))):
        if line["group"]:
            found += f"\n## {line['group'][0].upper()}{line['group'][1:]}\n\n{COLUMNS}"
        else:
            fault = FAULTS[line["code"]]
            cells = f"`{line['code']}`", fault.severity, fault.summary, fault.reference
            found += f"| {' | '.join(cells)} |\n"
    return found


if __name__ == "__main__":
    PAGE.write_text(page())
