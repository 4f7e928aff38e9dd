"""Personal data in texts: e-mail addresses, card numbers, IBANs, phone numbers, addresses, hosts.

What a number is, its own check digits say: a card's by Luhn's formula (ISO/IEC 7812-1 annex B), an
IBAN's by ISO 13616-1. What else is here is known by its shape. An address that comes in pieces is
found once there is enough of it: what came before may show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from .names import AFTER_ESCAPE, WORD_BEGINS

PERSONAL_FIELD = re.compile(
    r"host|:authority|from|forwarded|x-forwarded-(?:for|host|server)|x-original-(?:host|forwarded-for)"
    r"|x-real-ip|.*client-?ip|cf-connecting-ipv?6?|x-envoy-external-address|x-cluster-client-ip",
    re.IGNORECASE,
)
"""Names of fields whose values say who and where a client is."""

SHORTEST_IPV6 = 6
"""Characters: what is shorter is rather a name of C++."""
_NO_ESCAPE = r"(?!(?<=\\)(?:[bfnrt]|u[0-9A-Fa-f]{4})|(?<=%)[0-9A-Fa-f]{2})"
"""No letter of an escape, which stands before an address."""
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"


class Scan(NamedTuple):
    """What is looked for wherever it stands."""

    pattern: re.Pattern[str]
    """Its first group is masked if it has one, else all of it."""
    is_right: Callable[[str], bool]


def _anything(_: str) -> bool:
    return True


def is_card(text: str) -> bool:
    """Return whether digits, which spaces or hyphens may part, are a card's number.

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Return whether the check digits of an IBAN are right.

    >>> is_iban("DE89 3704 0044 0532 0130 00"), is_iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    plain = text.replace(" ", "")
    number = "".join(str(int(char, 36)) for char in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(number) % 97 == 1


def is_ipv6(text: str) -> bool:
    """Return whether a text is an IPv6 address (RFC 4291 section 2.2) that says something."""
    try:
        return int(IPv6Address(text)) > 1 and len(text) >= SHORTEST_IPV6
    except AddressValueError:
        return False


PERSONAL = (
    # RFC 5322 section 3.4.1, the usual ones; in URLs "@" is %40.
    Scan(
        re.compile(
            rf"(?:(?<![\w.+-]){_NO_ESCAPE}|{AFTER_ESCAPE})[\w.+-]{{1,64}}+"
            r"(?:@|%40)(?:(?>(?:[\w-]{1,63}+\.){1,8})[A-Za-z]{2,24}|[\w.-]{0,64}\Z)",
            re.ASCII,
        ),
        _anything,
    ),
    # No card begins with 0, 1, 7, 8 or 9; times since 1970 begin with 1.
    Scan(re.compile(r"(?<![\d.])[2-6](?:[ -]?\d){12,18}(?!\d)", re.ASCII), is_card),
    Scan(
        re.compile(
            rf"{WORD_BEGINS}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,3}})?(?!\w)"
        ),
        is_iban,
    ),
    # ITU-T E.164: up to 15 digits after "+", which URLs write as %2B; and the North American form.
    Scan(
        re.compile(
            r"(?:\+|%2[Bb])\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}(?!\d)"
            rf"|(?:(?<![\w.-])|{AFTER_ESCAPE})"
            r"(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}(?![\w-])",
            re.ASCII,
        ),
        _anything,
    ),
    Scan(
        re.compile(
            rf"(?:(?<![\w.])|{AFTER_ESCAPE})(?:{_OCTET}\.){{3}}{_OCTET}(?![\w]|\.\d)", re.ASCII
        ),
        _anything,
    ),
    Scan(
        re.compile(
            rf"(?:(?<![\w:])|{AFTER_ESCAPE})(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}[0-9A-Fa-f]{{0,4}}(?![\w:])",
            re.ASCII,
        ),
        is_ipv6,
    ),
    # The host of a URL (RFC 3986 section 3.2.2), in JSON and in a URL itself too.
    Scan(
        re.compile(
            r"(?::(?://|\\/\\/|%2[Ff]%2[Ff]))(?:[^/\s:@\"'\\]{1,64}+(?::[^/\s:@\"'\\]{0,256}+)?@)?"
            r"([\w.-]{1,255}+)",
            re.ASCII,
        ),
        _anything,
    ),
)
