"""The WebSocket opening handshake: what client and server agreed (RFC 6455 sections 4 and 9).

Strategy: :func:`agree` gets the header fields of the request and of its 101 response, as they
were on the wire, and returns the :class:`Agreement` that the frames after it have to keep, with
the faults of the handshake. Nothing is kept; each field value is scanned once, from left to
right, by patterns that cannot backtrack. A faulty handshake still gives an agreement: what the
server answered is what it will do.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha1
from typing import NamedTuple

from ..provenance import Element
from .deflate import DeflateParameters

Headers = list[tuple[bytes, bytes]]
"""Header fields: names and values, in wire order."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_PERMESSAGE_DEFLATE = "permessage-deflate"
_SHOWN = 80  # characters of a value that a detail shows

# token = 1*tchar (RFC 9110 section 5.6.2)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# OWS = *( SP / HTAB ) (RFC 9110 section 5.6.3): where RFC 2616's implied *LWS could stand
_OWS = re.compile(r"[ \t]*")
# quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE (RFC 9110 section 5.6.4). The alternatives
# begin with different characters, so there is nothing to try twice.
_QUOTED_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
# "a decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692 section
# 7.1.2). Not int(): that also takes "015", "+9" and other scripts' digits.
_WINDOW_BITS = re.compile(r"[89]|1[0-5]")


class Extension(NamedTuple):
    """One extension that was offered or chosen (RFC 6455 section 9.1)."""

    name: str
    parameters: list[tuple[str, str | None]]
    """Names and values in wire order, quoted strings unquoted; None for a name alone."""

    def __str__(self) -> str:
        parameters = (
            f"; {name}" if value is None else f"; {name}={value}" for name, value in self.parameters
        )
        return self.name + "".join(parameters)


class Agreement(Element, frozen=True):
    """What an opening handshake agreed, and what is wrong with it."""

    subprotocol: str | None = None
    deflate: DeflateParameters | None = None
    """If permessage-deflate was agreed: its parameters."""
    faults: list[tuple[str, str]] = []
    """Codes and details."""


def accept_for(key: bytes) -> bytes:
    """Return the Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (section 4.2.2)."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def agree(request: Headers, response: Headers) -> Agreement:
    """Return what a request and its 101 response agreed, and their faults."""
    faults: list[tuple[str, str]] = []
    for headers, sender in ((request, "request"), (response, "response")):
        faults += _check_upgrade(headers, sender)
    faults += _check_key(request, response)
    faults += _check_version(request)
    subprotocol = _agree_subprotocol(request, response, faults)
    deflate = _agree_extensions(request, response, faults)
    return Agreement(subprotocol, deflate, faults)


def agree_extended(request: Headers, response: Headers) -> Agreement:
    """Return what an extended CONNECT and its answer agreed: without Upgrade and keys (RFC 8441
    section 5)."""
    faults = _check_version(request)
    subprotocol = _agree_subprotocol(request, response, faults)
    deflate = _agree_extensions(request, response, faults)
    return Agreement(subprotocol, deflate, faults)


# --- the fields that each handshake has ---


def _check_upgrade(headers: Headers, sender: str) -> list[tuple[str, str]]:
    """Check Upgrade and Connection (sections 4.1 and 4.2.2)."""
    return [
        ("websocket-handshake-invalid", f"{name} of the {sender} lacks {token!r}")
        for name, token in (("Upgrade", "websocket"), ("Connection", "upgrade"))
        if token not in _tokens(headers, name.lower().encode())
    ]


def _check_key(request: Headers, response: Headers) -> list[tuple[str, str]]:
    """Check Sec-WebSocket-Key and the Sec-WebSocket-Accept that answers it."""
    faults: list[tuple[str, str]] = []
    keys = _values(request, b"sec-websocket-key")
    accepts = _values(response, b"sec-websocket-accept")
    if len(keys) != 1:
        faults.append(("websocket-key-invalid", f"expected one field, found {len(keys)}"))
    elif not _is_key(keys[0]):
        faults.append(("websocket-key-invalid", f"{_shown(keys[0])}"))
    if len(accepts) != 1:
        faults.append(("websocket-accept-wrong", f"expected one field, found {len(accepts)}"))
    elif len(keys) == 1 and accepts[0] != accept_for(keys[0]):
        expected = accept_for(keys[0]).decode("ascii")
        detail = f"expected '{expected}', found {_shown(accepts[0])}"
        faults.append(("websocket-accept-wrong", detail))
    return faults


def _is_key(key: bytes) -> bool:
    """Return whether a key is 16 bytes in base64, with its padding (section 4.1)."""
    try:
        return len(key) == 24 and len(b64decode(key, validate=True)) == 16
    except Base64Error:
        return False


def _check_version(request: Headers) -> list[tuple[str, str]]:
    versions = _values(request, b"sec-websocket-version")
    if versions == [b"13"]:
        return []
    found = ", ".join(map(_shown, versions)) or "none"
    return [("websocket-version-unsupported", f"expected one '13', found {found}")]


# --- subprotocols ---


def _agree_subprotocol(
    request: Headers, response: Headers, faults: list[tuple[str, str]]
) -> str | None:
    """Return the subprotocol that the server chose among those offered (section 4.2.2)."""
    offered = _list(request, b"sec-websocket-protocol")
    if len(set(offered)) < len(offered) or not all(map(_TOKEN.fullmatch, offered)):
        detail = f"subprotocols have to be distinct tokens, found {', '.join(offered)[:_SHOWN]!r}"
        faults.append(("websocket-handshake-invalid", detail))
    chosen = _list(response, b"sec-websocket-protocol")
    if not chosen:
        return None
    if len(chosen) > 1:
        detail = f"expected one subprotocol in the response, found {len(chosen)}"
        faults.append(("websocket-handshake-invalid", detail))
    if chosen[0] not in offered:
        detail = f"{chosen[0][:_SHOWN]!r}, offered: {', '.join(offered)[:_SHOWN] or 'none'}"
        faults.append(("websocket-subprotocol-unasked", detail))
    return chosen[0]


# --- extensions ---


def parse_extensions(value: str) -> list[Extension]:
    """Return the extensions in a Sec-WebSocket-Extensions value (RFC 6455 section 9.1).

    Sec-WebSocket-Extensions = extension-list
    extension-list = 1#extension
    extension = extension-token *( ";" extension-param )
    extension-param = token [ "=" (token | quoted-string) ]
        ; the value after quoted-string unescaping MUST conform to the 'token' ABNF

    Raises ValueError for anything else, saying where.
    """
    extensions: list[Extension] = []
    position = 0
    while True:
        position = _skip(_OWS, value, position)
        if position < len(value) and value[position] != ",":  # 1# allows empty elements
            extension, position = _extension(value, position)
            extensions.append(extension)
        if position == len(value):
            break
        position = _expect(",", value, position)
    if not extensions:
        raise ValueError("no extension")
    return extensions


def _extension(value: str, position: int) -> tuple[Extension, int]:
    """Return the extension at ``position``, and where it ends."""
    name, position = _token(value, position)
    parameters: list[tuple[str, str | None]] = []
    while value.startswith(";", position):
        parameter, position = _token(value, _skip(_OWS, value, position + 1))
        argument: str | None = None
        if value.startswith("=", position):
            argument, position = _argument(value, _skip(_OWS, value, position + 1))
        parameters.append((parameter, argument))
    return Extension(name, parameters), position


def _argument(value: str, position: int) -> tuple[str, int]:
    """Return the token or quoted string at ``position``, and where it ends."""
    quoted = _QUOTED_STRING.match(value, position)
    if quoted is None:
        return _token(value, position)
    argument = _QUOTED_PAIR.sub(r"\1", quoted[1])
    if not _TOKEN.fullmatch(argument):
        raise ValueError(f"{argument[:_SHOWN]!r} in quotes is no token")
    return argument, _skip(_OWS, value, quoted.end())


def _token(value: str, position: int) -> tuple[str, int]:
    """Return the token at ``position``, and where the white space after it ends."""
    found = _TOKEN.match(value, position)
    if found is None:
        raise ValueError(f"expected a token, found {value[position : position + 10]!r}")
    return found[0], _skip(_OWS, value, found.end())


def _skip(pattern: re.Pattern[str], value: str, position: int) -> int:
    found = pattern.match(value, position)
    return position if found is None else found.end()


def _expect(character: str, value: str, position: int) -> int:
    if not value.startswith(character, position):
        found = value[position : position + 10]
        raise ValueError(f"expected {character!r}, found {found!r}")
    return position + 1


def _agree_extensions(
    request: Headers, response: Headers, faults: list[tuple[str, str]]
) -> DeflateParameters | None:
    """Return what was agreed for permessage-deflate, if it was."""
    offers = _extensions(request, faults)
    names = {offer.name for offer in offers}
    deflate_offers = [offer for offer in offers if offer.name == _PERMESSAGE_DEFLATE]
    for offer in deflate_offers:
        faults += _check_parameters(offer, is_response=False)
    deflate: DeflateParameters | None = None
    for chosen in _extensions(response, faults):
        if chosen.name not in names:
            faults.append(("websocket-extension-unasked", str(chosen)[:_SHOWN]))
        if chosen.name != _PERMESSAGE_DEFLATE:
            faults.append(("websocket-extension-unknown", str(chosen)[:_SHOWN]))
        elif deflate is not None:
            faults.append(("websocket-extension-invalid", f"{chosen.name} is chosen twice"))
        else:
            deflate = _agree_deflate(deflate_offers, chosen, faults)
    return deflate


def _extensions(headers: Headers, faults: list[tuple[str, str]]) -> list[Extension]:
    """Return the extensions of all fields; one that is malformed counts as absent."""
    extensions: list[Extension] = []
    for value in _values(headers, b"sec-websocket-extensions"):
        try:
            extensions += parse_extensions(value.decode("latin-1"))
        except ValueError as error:
            faults.append(("websocket-extension-invalid", f"{error} in {_shown(value)}"))
    return extensions


def _agree_deflate(
    offers: list[Extension], chosen: Extension, faults: list[tuple[str, str]]
) -> DeflateParameters:
    """Return the parameters of a response, which are the agreed ones (RFC 7692 section 7.1)."""
    problems = _check_parameters(chosen, is_response=True)
    if not problems and offers:
        mismatches = [_mismatch(dict(offer.parameters), chosen) for offer in offers]
        if all(mismatches):
            problems = [("websocket-extension-invalid", mismatches[0])]
    faults += problems
    parameters = dict(chosen.parameters)
    return DeflateParameters(
        "server_no_context_takeover" in parameters,
        "client_no_context_takeover" in parameters,
        _bits(parameters.get("server_max_window_bits")),
        _bits(parameters.get("client_max_window_bits")),
    )


def _check_parameters(extension: Extension, is_response: bool) -> list[tuple[str, str]]:
    """Return the faults of each parameter by itself (RFC 7692 sections 7.1.1 and 7.1.2)."""
    problems: list[str] = []
    seen: set[str] = set()
    for name, value in extension.parameters:
        if name in seen:
            problems.append(f"{name} is given twice")
        seen.add(name)
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            if value is not None:
                problems.append(f"{name} takes no value, found {value!r}")
        elif name in ("server_max_window_bits", "client_max_window_bits"):
            # Only the offer of client_max_window_bits may lack the value (section 7.1.2.2).
            may_lack = name == "client_max_window_bits" and not is_response
            if value is None and not may_lack:
                problems.append(f"{name} lacks its value")
            elif value is not None and not _WINDOW_BITS.fullmatch(value):
                problems.append(f"{name} has to be 8 to 15, found {value!r}")
        else:
            problems.append(f"{name} is not defined")
    where = "response" if is_response else "offer"
    return [
        ("websocket-extension-invalid", f"{problem[:_SHOWN]} in the {where}")
        for problem in problems
    ]


def _mismatch(offer: dict[str, str | None], chosen: Extension) -> str:
    """Return why a response cannot answer an offer; empty if it can."""
    response = dict(chosen.parameters)
    if "server_no_context_takeover" in offer and "server_no_context_takeover" not in response:
        return "the response lacks server_no_context_takeover, which was offered"
    if "client_max_window_bits" in response and "client_max_window_bits" not in offer:
        return "the response has client_max_window_bits, which was not offered"
    if "server_max_window_bits" in offer and "server_max_window_bits" not in response:
        return "the response lacks server_max_window_bits, which was offered"
    for name in ("server_max_window_bits", "client_max_window_bits"):
        offered, found = _bits(offer.get(name)), _bits(response.get(name))
        if name in response and found > offered:
            return f"{name}: offered {offered}, found {found} in the response"
    return ""


def _bits(value: str | None) -> int:
    """Return the window bits that a parameter gives; 15 if it is absent or malformed."""
    return int(value) if value is not None and _WINDOW_BITS.fullmatch(value) else 15


# --- fields ---


def _values(headers: Headers, name: bytes) -> list[bytes]:
    """Return the values of the fields of that lower-case name, in wire order."""
    return [value.strip(b" \t") for field_name, value in headers if field_name.lower() == name]


def _list(headers: Headers, name: bytes) -> list[str]:
    """Return the elements of a comma-separated list over all fields of that name.

    #element => [ element ] *( OWS "," OWS [ element ] ) (RFC 9110 section 5.6.1.2)
    """
    elements = b",".join(_values(headers, name)).decode("latin-1").split(",")
    return [element for part in elements if (element := part.strip(" \t"))]


def _tokens(headers: Headers, name: bytes) -> set[str]:
    """Return the elements of a list field, in lower case: tokens whose case does not matter."""
    return {element.lower() for element in _list(headers, name)}


def _shown(value: bytes) -> str:
    """Return a value as a detail shows it: quoted, and not longer than it needs to be."""
    return repr(value[:_SHOWN].decode("latin-1"))
