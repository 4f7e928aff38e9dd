"""What statements, directives and commands give as a secret by their words, and what databases say
of one.

Expressions are as those of :mod:`.names`: each accepts the end of what has come in place of what is
missing, and takes linear time. ``names`` are those of a user.
"""

from __future__ import annotations

from collections.abc import Sequence

from .names import WEAK, known

_QUOTED = r"(?:\\{0,7}+[\"'])?"
_WORD = r"(?![$<%{])([^\s\"'\\]++)"
_NO_PROSE = r"(?![a-z]{1,14},?[ ][a-z])"

# RFC 2307 section 5.3, and what Spring, Dovecot and application servers write: a scheme in braces
# before what is stored of a password. Names of schemes tell it, whatever stands before.
SCHEMES = (
    *("{sha", "{ssha", "{md5", "{smd5", "{crypt", "{bcrypt", "{pbkdf2", "{argon2", "{scrypt"),
    *("{blf-crypt", "{cram-md5", "{ntlm", "{lanman", "{xor}", "{noop}", "{cleartext}", "{plain"),
    *("{aes}", "{cipher}", "{enc}", "{ldap_md5"),
)
_HASHED = (
    r"s?sha(?:-?\d{1,3})?|s?md5(?:-crypt)?|crypt|bcrypt|pbkdf2[\w-]{0,16}|argon2[\w@]{0,24}|scrypt[\w@.]{0,8}"
    r"|sha\d{1,3}-crypt|ssha\d{1,3}(?:\.hex|\.b64)?|blf-crypt|cram-md5|ntlm|lanman|xor|aes|cipher|ldap_md5"
)
_PLAIN = r"noop|cleartext|plain(?:-?text)?|enc"
STORED = (
    rf"\{{(?i:(?:{_HASHED})\}}([\w/+$=.,{{}}-]{{8,}}+|[\w/+$=.,{{}}-]++\Z)"
    rf"|(?:{_PLAIN})\}}(?![ ]){_WORD})"
)

# Directives of Redis, OpenLDAP, nslcd and keepalived, each with a password after a space.
DIRECTIVES = (
    *("requirepass", "masterauth", "primaryauth", "rootpw", "bindpw", "rootbindpw", "auth_pass"),
    *("tls-key-file-pass", "rootpwmodpw", "snmp-server community"),
)
DIRECTIVE = (
    rf"(?<![\w-])(?i:{'|'.join(DIRECTIVES)})[ \t]{{1,24}}{_QUOTED}{_NO_PROSE}(?!foobared\b){_WORD}"
)
"""The one that is left out is Redis's own sample."""
# Cisco's: how a password is written stands before it as a number.
NUMBERED = (
    "password 0 ",
    "password 7 ",
    "password 8 ",
    "secret 5 ",
    "secret 8 ",
    "secret 9 ",
    "key 7 ",
)
NUMBERED_VALUE = rf"(?i:password|secret|key)[ ]\d[ ](?![a-z]{{1,14}}\b){_WORD}"
# A command of a workflow that has a value masked from there on.
ADD_MASK = rf"::add-mask::{_WORD}"
# PowerShell makes a secret of a text in the clear.
SECURE_STRING = (
    r"(?i:convertto-securestring)(?:[ ]-(?i:string|asplaintext|force)){0,3}[ ]{1,4}"
    r"\\{0,7}+[\"'](?![$])([^\"'\\]++)"
)
# Oracle's logins: a user, a slash, and a password up to the name of a database.
ORACLE_TOOLS = (
    "sqlplus ",
    "oracle:thin:",
    "oracle:oci:",
    "expdp ",
    "impdp ",
    "sqlldr ",
    "rman target ",
)
ORACLE = (
    r"(?:oracle:(?:thin|oci):"
    r"|(?<![\w-])(?:sqlplus|expdp|impdp|sqlldr|rman target)[ ](?:-\w{1,8}[ ]){0,3}"
    rf"{_QUOTED})[\w.$#]{{1,32}}+/(?!/|pass(?:word)?@)(?:\\?\"?)([^\s\"'\\/@]++)(?=\\?\"?@|\Z|[\s\"'\\])"
)
# What begins the user's name and password of libcurl.
USER_PASSWORD = (
    r"(?i:(?:proxy)?userpwd)[\"']?\s{0,4},\s{0,4}\\{0,7}[\"'][^\s:\"'\\]{1,64}+:([^\"'\\]++)"
)
# The key with which a token is signed, or read: the second argument.
SIGNED = (
    r"(?i:jwt\.(?:en|de)code|jwt\.(?:sign|verify))\([^()\"'\\,]{0,96}+,\s{0,4}\\{0,7}[\"']"
    r"([^\"'\\\s]++)"
)
# The third argument of what connects to MySQL from PHP.
CONNECTED = (
    r"(?i:mysqli(?:_connect)?|pdo)\((?:\s{0,4}\\{0,7}[\"'][^\"'\\]{0,96}+\\{0,7}[\"'],){2}"
    r"\s{0,4}\\{0,7}[\"']([^\"'\\]++)"
)


def statements(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return how they begin, each with its expression."""
    return [
        *_said_by_databases(names),
        *((begins, STORED) for begins in SCHEMES),
        *((begins, DIRECTIVE) for begins in DIRECTIVES),
        *((begins, NUMBERED_VALUE) for begins in NUMBERED),
        ("::add-mask::", ADD_MASK),
        ("convertto-securestring", SECURE_STRING),
        *((begins, ORACLE) for begins in ORACLE_TOOLS),
        ("userpwd", USER_PASSWORD),
        *((begins, SIGNED) for begins in ("jwt.encode", "jwt.decode", "jwt.sign", "jwt.verify")),
        *((begins, CONNECTED) for begins in ("mysqli", "pdo(")),
    ]


def _said_by_databases(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return how a database begins to say that a value is there already, each with the expression:
    PostgreSQL's ``Key (api_key)=(...) already exists``, MySQL's ``Duplicate entry '...' for key``.
    """
    weak = "|".join(WEAK)
    column = rf"(?i:{known(names)}|(?<![a-z])(?:{weak})(?![a-z]))"
    exists = rf"(?i:key) \([^()]{{0,128}}?{column}[^()]{{0,128}}\)=\(([^()\x00-\x1f]++)"
    entry = (
        r"(?i:duplicate entry) \\{0,7}'([^'\\]{1,256}+)\\{0,7}' for key \\{0,7}['`]"
        rf"[\w.]{{0,64}}?{column}"
    )
    dup = (
        r"(?i:dup key): \{ (?:\w{1,48}: \\{0,7}+\"[^\"\\]{0,128}+\\{0,7}\", ){0,4}"
        rf"[\w.]{{0,48}}?{column}: \\{{0,7}}+\"([^\"\\]++)"
    )
    return [("key (", exists), ("duplicate entry", entry), ("dup key", dup)]


AFTER = [
    *((begins.encode(), rb"[ \t]{1,24}\S") for begins in DIRECTIVES),
    *((begins.encode(), rb"[\w.@-]{0,24}\}\S") for begins in SCHEMES if begins[-1] != "}"),
    (b"key (", rb"[^()]{1,256}\)=\("),
    (b"duplicate entry", rb"[ ]\\{0,7}'"),
]
"""What follows these in lower case before there can be a secret."""
