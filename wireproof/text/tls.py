"""What is known of TLS on a connection, in words."""

from __future__ import annotations

from parsers.records import Sender, TlsConnectionRecord

from .escape import escape
from .wording import count

MAX_NAME = 255
"""Characters of a name from the wire: a host name has no more (RFC 1035 section 3.1)."""


def tls_facts(tls: TlsConnectionRecord) -> list[str]:
    """Return what was agreed on, a few words a fact; what comes from the wire is escaped."""
    version = "TLS" if tls.version is None else tls.version.replace("TLSv", "TLS ")
    facts = [version]
    if tls.sni is not None:
        facts.append(_name(tls.sni))
    if tls.alpn is not None:
        facts.append(f"{_name(tls.alpn)} chosen")
    elif tls.alpn_offered:
        facts.append(f"{' or '.join(map(_name, tls.alpn_offered[:4]))} offered")
    facts += [] if tls.cipher is None else [tls.cipher]
    facts += ["resumed"] * (tls.resumed is True) + ["early data"] * (tls.early_data is True)
    return facts


def tls_amounts(tls: TlsConnectionRecord) -> str:
    """Return how many records there were: ``4 records from the client, 42 from the server``."""
    client = count(tls.client_records, "record")
    return f"{client} from the client, {tls.server_records:,} from the server"


def tls_ends(tls: TlsConnectionRecord) -> list[str]:
    """Return how each side ended TLS: with an alert, or without; nothing of what is not known."""
    sides: list[tuple[Sender, bool | None, bool | None]] = [
        ("client", tls.client_close_notify, tls.client_ends_with_alert),
        ("server", tls.server_close_notify, tls.server_ends_with_alert),
    ]
    return [_end(*side) for side in sides if side[1:] != (None, None)]


def _end(sender: Sender, close_notify: bool | None, ends_with_alert: bool | None) -> str:
    if close_notify is not None:
        said = "close_notify" if close_notify else "no close_notify"
    else:
        said = "most likely close_notify" if ends_with_alert else "most likely no close_notify"
    return f"{said} from the {sender}"


def _name(text: str) -> str:
    return escape(text[:MAX_NAME])
