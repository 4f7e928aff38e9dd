"""How a TLS connection ended that was not decrypted, and by whom.

Strategy: what is in the clear is certain: a fatal alert before keys, an alert of TLS 1.2, a
connection that ends inside a record. In TLS 1.3 an alert is told by its length. Whether a response
was whole nobody can tell without keys; a side that ends TCP without close_notify leaves open that
it was cut (RFC 8446 section 6.1), which many servers do that were not.
"""

from __future__ import annotations

from parsers.records import ConnectionRecord, Sender, TlsConnectionRecord

from ..verdict import Cause, Severity, Verdict
from .records import QUIC, TLS

REFERENCE = "RFC 8446 section 6.1"
CAPTURE_ENDED = Cause("capture-ended", "certain", "the capture ends before the connection does")
MEANINGS = {
    40: "no version, cipher suite or parameter suits both",
    42: "it does not accept the other's certificate",
    45: "the other's certificate has expired",
    46: "it does not accept the other's certificate",
    48: "it does not trust who signed the other's certificate",
    70: "it does not speak the version that the other offers",
    112: "it does not know the server name that was asked for",
    116: "it wants a certificate from the client",
    120: "it speaks none of the application protocols that were offered",
}
"""What alerts mean that end handshakes (RFC 8446 section 6.2)."""


def judge_ending(
    tls: TlsConnectionRecord, connection: ConnectionRecord, client_last: int = 0
) -> Verdict:
    """Say how a connection ended, as far as what is not encrypted tells.

    ``client_last`` is the packet of the client's last record, 0 if that is not known.
    """
    if tls.layer == "quic":
        return _of_quic(connection)
    if tls.alert is not None:
        return _refused(tls)
    ends = [end["packet"] for end in connection.ends]
    if connection.close == "open":
        return _verdict("open", "ok", "the connection was open when the capture ended", ends)
    if connection.closed_by is None:
        said = "the connection was closed (FIN), but what one side sent last is not in the capture"
        return _verdict("unknowable", "ok", f"{said}: who closed it is unknown", ends)
    by: Sender = connection.closed_by
    how = "reset" if connection.close == "reset" else "closed"
    server = _said(tls, "server")
    if server is True:
        said = f"{_sure(tls, 'server')}the server said that it was done (close_notify)"
        return _verdict("close-notify", "ok", f"{said}; the {by} {how} the connection", ends)
    if server is None and _ends_amid_record(tls, connection, "server"):
        text = f"the connection ended inside a record of the server: the {by} {how} it"
        return _verdict("cut", "warning", text, ends)
    is_reply = bool(connection.ends) and connection.ends[0]["packet"] < client_last
    if _said(tls, "client") is True and not is_reply:  # to a truncation, maybe decode_error
        said = f"{_sure(tls, 'client')}the client left first (close_notify)"
        return _verdict("close-notify", "ok", f"{said}; the {by} {how} the connection", ends)
    if server is None:
        said = f"the {by} {how} the connection; what came last is not in the capture"
        return _verdict("unknowable", "ok", said, ends)
    return _missing(tls, by, how, ends)


def _of_quic(connection: ConnectionRecord) -> Verdict:
    """CONNECTION_CLOSE is as encrypted as all else, but where a handshake fails."""
    if connection.closed_by is None:
        said = "how the connection ended is encrypted (CONNECTION_CLOSE), if it did"
    else:
        said = f"the {connection.closed_by} closed the connection (CONNECTION_CLOSE)"
    return Verdict(
        "ending",
        "unknowable",
        "ok",
        said,
        (connection.last_packet,),
        reference="RFC 9000 section 10.2",
        basis=QUIC.basis,
    )


def _missing(tls: TlsConnectionRecord, by: Sender, how: str, ends: list[int]) -> Verdict:
    """Nobody said that it was done: it is the server's word that tells of a truncation."""
    sure = "" if tls.server_close_notify is False else "most likely "
    text = f"the {by} {how} the connection, and the server {sure}sent no close_notify"
    # A client that has what it wanted may leave; a server that ends without a word leaves a doubt.
    severity: Severity = "note" if by == "server" else "ok"
    told = (
        "if the response was cut, nothing shows it without keys"
        if by == "server"
        else "the client ended it first, as clients do once they have what they asked for"
    )
    return Verdict(
        "ending",
        "close-notify-missing",
        severity,
        text,
        tuple(ends),
        evidence=(told,),
        reference=REFERENCE,
        basis=TLS.basis,
    )


def _refused(tls: TlsConnectionRecord) -> Verdict:
    alert = tls.alert
    assert alert is not None
    meaning = MEANINGS.get(alert["description"])
    text = (
        f"the {alert['sender']} ended TLS with {alert['name']} (alert {alert['description']}) in"
        f" packet {alert['packet']}{f': {meaning}' if meaning else ''}"
    )
    return Verdict(
        "ending",
        "refused",
        "error",
        text,
        (alert["packet"],),
        reference="RFC 8446 section 6.2",
        basis=TLS.basis,
    )


def _said(tls: TlsConnectionRecord, sender: Sender) -> bool | None:
    """Whether a side sent a close_notify, for certain or by its length; None if it is not known."""
    if sender == "client":
        certain, likely = tls.client_close_notify, tls.client_ends_with_alert
    else:
        certain, likely = tls.server_close_notify, tls.server_ends_with_alert
    return likely if certain is None else certain


def _sure(tls: TlsConnectionRecord, sender: Sender) -> str:
    certain = tls.client_close_notify if sender == "client" else tls.server_close_notify
    return "" if certain is not None else "by the length of its last record, "


def _ends_amid_record(
    tls: TlsConnectionRecord, connection: ConnectionRecord, sender: Sender
) -> bool:
    """Whether a side ended while a record was open, of which all that it sent was captured."""
    fins = [end for end in connection.ends if end["sender"] == sender and end["kind"] == "fin"]
    return bool(fins) and not connection.holes and tls.server_records > 0


def _verdict(answer: str, severity: Severity, summary: str, packets: list[int]) -> Verdict:
    causes = (CAPTURE_ENDED,) if answer == "open" else ()
    return Verdict("ending", answer, severity, summary, tuple(packets), causes, basis=TLS.basis)
