"""Forms in which a secret stands apart from its name, or has none.

Expressions are as those of :mod:`.names`: each accepts the end of what has come in place of what is
missing, and takes linear time. ``names`` are those of a user.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parsers.expressions import every

from .blocks import LINE_END
from .labels import BLANK, RANDOM_WORD
from .names import BARE, IN_COMMAND, LONG, WEAK, WHOLE_BEGINS, WORD_BEGINS, known

# RFC 7468 section 2, RFC 9580 section 6.2; in JSON line ends are escapes.
PEM = (
    r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    + f"({every('[^-]++|-(?!----)')})"
)
# PuTTY's, whose lines are counted.
_PUTTY_LINE = r"[A-Za-z0-9+/=]++|(?:\r?\n|(?:\\{1,7}r)?\\{1,7}n)(?!Private)|\\{1,7}r?\\{0,7}\Z"
PUTTY = rf"(?i:private-lines:)[ ]\d{{1,4}}+({every(_PUTTY_LINE)})"
# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
# Code may put it behind the word.
_PLUS = r"(?>(?:\\{0,7}[\"'][ ]{0,2}[+.&][ ]{0,2}\\{0,7}[\"'])?)"
BEARER = rf"(?i:bearer)(?:[ +]|%20){_PLUS}([\w.~+/=-]{{8,}}+|[\w.~+/=-]++\Z)"
# RFC 3986 section 3.2.1: userinfo, of which the password is the secret, or a token all of it.
# A password may go on in the next piece; a port's number may too, and is none. JSON may escape "/".
USERINFO = (
    r":(?:\\{0,15}/){2}(?:[^/\s:@\"'\\]{0,64}+:(?!\d{0,5}\Z|x-oauth-basic@)([^/\s:@\"'\\]{1,256}+)(?:@|\Z)"
    r"|([^/\s:@\"'\\]{16,256}+)(?::x-oauth-basic)?@)"
)
USERINFO_ENCODED = r"(?i:%3a%2f%2f)[^%\s\"'\\]{0,64}+%3[Aa]((?:[^%\s\"'&\\]|%(?!40)){1,256})%40"

# A user's name and password among the arguments of a command; two numbers are a user and a group.
USER_ARGUMENT = (
    rf"(?:{WHOLE_BEGINS}-[uUa]|(?<=-)-user|(?<=proxy)-user|{WHOLE_BEGINS}--auth|(?<=[a-z-])-creds)"
    r"(?:[ ]{1,4}+|=|(?<=-u))"
    r"[\"']?+(?P<user>[^\s:\"'/]{1,64}+):(?!\d++\b|(?P=user)\b)([^\s\"'\\]++)"
)
# The option of one letter, or the argument, with which well-known commands take a password.
_LINE_GOES_ON = rf"{IN_COMMAND}{{0,128}}?[ ]"
COMMAND = (
    rf"(?:{WHOLE_BEGINS}|(?<=add-))(?:sshpass[ ]-p[ ]?|redis-cli[ ]{_LINE_GOES_ON[:-3]}-a[ ]"
    rf"|(?:mysql|mariadb-?)(?:dump|admin|import)?{_LINE_GOES_ON}-p(?!ort|rotocol|lugin|ipe)"
    r"|vault[ ]login[ ](?!-)|authtoken[ ]|configure[ ]set[ ][\w.-]{0,48}(?:key|token)[ ])"
    r"[\"']?(?![-\s$<])([^\s\"'\\]++)"
)
# .netrc: "machine a login b password c", in lines or not.
NETRC = (
    rf"(?i:login){BLANK}{{1,4}}[^\s\\]{{1,64}}+{BLANK}{{1,4}}(?i:password){BLANK}{{1,4}}"
    r"([^\s\"\\]++)"
)
# RFC 7617 section 2, by itself: no word, but base64. RFC 7616 section 3.4: the response of Digest.
BASIC = (
    r"(?i:basic)(?:[ +]|%20)([A-Za-z0-9+/](?=[a-z]{0,64}[A-Z0-9+/=])[A-Za-z0-9+/]{11,}+=*+"
    r"|[A-Za-z0-9+/]{4,}+\Z)"
)
DIGEST = r"response=\\{0,7}+\"(\w{16,}+|\w++\Z)"
# crypt(3), with its method and salt; and a line of .pgpass.
_METHOD = r"(?:\d\w?|y|apr1|argon2\w{1,2}|pbkdf2[\w-]{0,16}|scrypt)"
CRYPT = rf"(\${_METHOD}\$(?:[\w./+$=,-]{{12,}}+|[\w./+$=,-]++\Z))"
PGPASS = r":\d{4,5}:[^:\s]{1,64}:[^:\s]{1,64}:([^\s\"\\:]++)"
_IDENTIFIED = r"identified[ ](?:with[ ][\"'`]?[\w.-]{1,64}[\"'`]?[ ])?(?:by|as)"
SQL = (
    rf"(?i:password|{_IDENTIFIED})\s{{1,4}}+(?:'([^'\\\s]++)|(?<=[byBY][ ])\\{{0,7}}\"?"
    r"(?=[^\s\d]{0,64}\d)(?=[^\sA-Za-z]{0,64}[A-Za-z])([^\s\"'\\;,()]{6,}+))"
)
"""ALTER USER anna PASSWORD '...', and IDENTIFIED BY, Oracle's without quotes."""

# The name of a member in what is no text, and its value: of MessagePack (its strings of 4 to 255
# bytes), BSON (5 to 255), a map of Protocol Buffers (up to 127), and Thrift (4 to 255).
_LENGTH = (
    r"(?:\x00{3}[\x04-\xff]|[\xa4-\xbf]|\xd9[\x04-\xff]|\x12[\x04-\x7f]|\x00[\x05-\xff]\x00{3})"
)
IN_BINARY = _LENGTH + r"([!-~]++)"
LONG_IN_BINARY = _LENGTH + r"((?=[^\s\d]{0,64}\d)[!-~]{12,}+|[!-~]++\Z)"

USER_CALL = (
    r"(?i:auth(?:_password)?|login)\\{0,7}+[\"']?\s{0,4}+"
    r"(?:(?:[=:]\s{0,4}+)?[(\[](?:\\{0,7}\"\\{0,7}\",[ ]?)?"
    r"|(?<=[\"']),(?:\s{0,32}\\{0,7}\"params\\{0,7}\"\s{0,4}:\s{0,4}\[)?)\s{0,32}+"
    r"\\{0,7}+[\"'][^\"'\\]{1,64}+\\{0,7}+[\"']\s{0,4}+,\s{0,32}+\\{0,7}+[\"']"
    r"((?:(?<=\()|(?=[^\"']{0,64}\d)|(?=))[^\"'\\\x00-\x1f]++)"
)
"""A user's name and password one after the other: ``auth=("anna", "...")``, ``login(...)``."""
# RFC 4568 section 6.1 (SDES): the key and the salt of SRTP.
SDES = r"inline:([\w+/=-]{16,}+|[\w+/=-]++\Z)"
# RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1: the private members of a JSON Web Key.
JWK = (
    r"(?<=\")(?:d|dp|dq|p|q|qi|k)\\{0,7}+\"\s{0,4}+:\s{0,4}+\\{0,7}+\""
    r"((?=[\w-]*?[A-Z\d])[\w-]{20,}+|[\w-]++\Z)"
)
# The address of a bot of Telegram, and the token by itself.
BOT = r"/bot\d{5,12}+(?::|%3[Aa])([\w-]{20,}+|[\w-]++\Z)"
# The address of a calendar that lets in who has it: its last parts, or the one that says "private".
CALENDARS = ("ical", "ics/", "feed", "published/", "private-", "calendar", "webcal")
ICS = (
    r"(?<=/)(?:ical|ics|i?cal(?:endars?)?|feeds?|published|private|webcal)[/-]"
    r"(?=[^\s\"'<>?#\\]{0,160}?(?:[A-Za-z]\d|\d[A-Za-z]))([^\s\"'<>?#\\]{12,256}?)(?=(?:/[\w-]{1,24})?\.ics\b|/basic\.ics)"
)
ICS_QUERY = (
    r"\.(?:ics|ical|html?)\?(?:[\w.-]{1,24}=[^\s&\"'<>\\]{0,24}&(?:amp;)?){0,4}?[\w-]{1,16}="
    r"((?=[A-Za-z-]{0,24}\d)(?=[\d-]{0,24}[A-Za-z])[\w-]{16,}+|(?=[A-Za-z-]{0,24}\d)(?=[\d-]{0,24}[A-Za-z])[\w-]{8,}+\Z)"
)
"""A calendar's address that has what lets in in its query: ``1043607785.ics?s=...``."""
APP_ID = r"(?<=[?&])(?i:appid)=([\da-fA-F]{24,}+|(?=[A-Za-z]{0,20}\d)[A-Za-z0-9]{20,}+)"
"""As OpenWeather has its key in a query."""
BOT_TOKEN = r"(?<=\d)(?P<joint>:(?:AA[\w-]{30,}+|AA[\w-]*+\Z))"
# ACL SETUSER of Redis, and the same in its configuration: a password begins with ">".
_REDIS_NAME = r"(?i:setuser\s{1,4}+\S{1,64}+|user[ ]\S{1,64}+[ ]o(?:n|ff)\b)"
REDIS_USER = rf"{_REDIS_NAME}(?:\s{{1,4}}+[^\s>#]\S{{0,64}}+){{0,16}}\s{{1,4}}+[>#](\S++)"

SERIALIZED = r"\\{0,7}+\";s:\d{1,6}+:\\{0,7}+\"([^\"\\\x00-\x1f]++)"
"""As PHP's serialize has it."""
# A token in the path of an address that resets a password, or lets in who has it.
_UUID = r"[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}"
_RUN = r"(?=[A-Za-z]{0,24}\d)(?=\d{0,24}[A-Za-z])[A-Za-z0-9_]"
_LETS_IN = (
    r"reset|forgot|recover|magic|verify|verification|confirm|confirmation|activate|activation"
    r"|invite|invitations?|passwordless|unlock|otp|token|key|hooks?|[a-z]{0,12}webhooks?|inputs?"
    r"|integrations?|heartbeats?|ping|unsubscribe|share|shared|s3cret|secret|login|signin|sso|join"
)
LINK = (
    rf"(?:(?<=[/_-])|/|(?i:(?<=generic)))(?i:(?:{_LETS_IN})(?:[-_][a-z]{{1,16}}){{0,2}})"
    r"(?:/[\w-]{1,24}){0,2}?/"
    rf"((?i:{_UUID})|[A-Za-z0-9-]{{0,24}}?{_RUN}{{16,}}[\w.~=-]*+(?>(?:/{_RUN}{{16,}}){{0,2}})"
    rf"|{_RUN}{{10,}}\Z)"
)
_BY_MAIL = (
    r"reset|forgot|recover|magic|verify|verification|confirm|confirmation|activate|activation|invite"
    r"|invitations?|passwordless|unlock|otp|unsubscribe|s3cret|secret"
)
_LINK_QUERY = (
    rf"(?:(?<=[/_-])|/)(?i:(?:{_BY_MAIL})(?:[-_][a-z]{{1,16}}){{0,2}})/?\?"
    r"(?:[\w.-]{1,24}=[^\s&\"'<>\\]{0,64}&(?:amp;)?){0,4}?"
    r"(?![\w-]{0,16}(?i:id|ref|campaign|source)=)[\w-]{1,16}="
    rf"((?i:{_UUID})|{_RUN}{{16,}}[\w.~-]*+|{_RUN}{{10,}}\Z)"
)
LINK = rf"(?:{LINK}|{_LINK_QUERY})"
"""The same with the token in its query: ``/magic-link?t=...``."""
LINKS = (
    *("reset", "forgot", "recover", "magic", "verif", "confirm", "activat", "invit"),
    *(
        "passwordless",
        "unlock",
        "otp/",
        "token/",
        "key/",
        "hooks/",
        "hook/",
        "webhook",
        "heartbeat",
    ),
    *("/input", "/integration", "/ping/", "unsubscribe", "/share", "/sso/", "/join/", "/secret/"),
)
"""How the part of a path begins, or ends, that says so."""
# The settings of a wireless network, as a QR code has them: fields in any order, each with an end.
_WIFI_VALUE = r"(?:[^;\\\x00-\x1f\"]|\\{1,4}[^\x00-\x1f])"
WIFI = (
    rf"(?i:wifi):(?>(?:[STHRIEA]\w{{0,3}}:(?>{_WIFI_VALUE}{{0,64}});){{0,5}})"
    rf"P:((?>{_WIFI_VALUE}{{1,128}}))"
)
# What a command says to another one, which takes a password from its input.
_TAKES = (
    r"[^\r\n|;]{0,160}?(?:--password-stdin|--with-token|--stdin|--passphrase-fd|sudo[ ]-S"
    r"|chpasswd)\b"
)
_SAID = r"(?:[\w.-]{1,32}:(?=[^|\r\n]{1,160}chpasswd))?(?![$`<%-])([^\s\"'\\|]{3,}+)"
PIPED = (
    rf"{WHOLE_BEGINS}(?i:echo|printf)[ ](?:-\w{{1,3}}[ ])?"
    r"(?:\\{0,3}[\"']?%s(?:\\{1,4}n)?\\{0,3}[\"']?[ ])?"
    rf"\\{{0,3}}[\"']?{_SAID}\\{{0,3}}[\"']?[ ]?\|{_TAKES}"
)
_FROM_HERE = r"[ ]{0,2}<<<[ ]?\\{0,3}[\"']?"
HERE_STRING = (
    rf"(?:(?i:password-stdin|with-token|sudo -S|kinit[ ]\S{{1,64}}){_FROM_HERE}"
    rf"|(?i:chpasswd){_FROM_HERE}[\w.-]{{1,32}}:)(?![$`])([^\s\"'\\]{{3,}}+)"
)

PAIR = (
    r"\\{0,7}+[\"']\s{0,4}+(?:,|\},\s{0,4}\{\\{0,7}\"\w{1,16}\\{0,7}\":)\s{0,32}+(?>b?)\\{0,7}+[\"']"
    rf"((?=[^\s\"'\\]{{0,64}}\d){BARE}{{12,}}+|(?![a-z]{{1,14}}(?:_[a-z]{{0,14}}){{0,3}}\Z){BARE}++\Z)"
)
"""A name and a value one after the other, as in ``set("X-Api-Key", "...")``; lists of names, which
have no digits, are none."""
GIVEN = (
    r"(?:\\{0,7}+[\"'`]\s{0,4}+,\s{0,32}+(?>b?)(?:with:[ ])?|\([ ]{0,2}|,[ ]?(?:<<)?"
    r"|\\{0,7}[\"'](?:\]\\{0,7}[\"'])?\)\.(?:type|fill|send_?[kK]eys|set_?[vV]alue|val)\([ ]?)"
    r"\\{0,7}+[\"'`](?P<given>[^\s\"'`\\\x00-\x1f]{3,}+)"
    r"(?=\\{0,7}[\"'`](?:>>)?(?:\s{0,16}(?:[)\]},]|\Z)|[\r\n;]|\\{1,3}n|\\{1,7}\")|\\{0,7}\Z)"
)
"""A value as short as any, which what stands before its name tells: ``setPassword("...")``,
``define('DB_PASSWORD', '...')``, ``["--password", "..."]``, ``{password, "..."}``; or a pair."""

# RFC 7578 section 4.2: each part names its form field; its value ends with the next delimiter.
_NAME_OF_FIELD = r"(?>(?i:form-data);[^\r\n]{0,128}?[; \t](?i:name)\*?=)"
_HEADER_ENDS = r"[^\r\n]{0,256}+\r?\n(?>(?:[^\r\n]{1,256}+\r?\n){0,8})\r?\n"
_FIELD_VALUE = every(r"[^\r\n]++|\r?+\n(?!--)|\r(?!\n)")
OPENINGS = {
    "first": "",
    "unquoted": "",
    "form": "form-data; name=secret-\n\n",
    "long_form": "form-data; name=token\n\n",
    "member": '"name":"secret-","value":"',
    "long_member": '"name":"token","value":"',
    "validated": 'secret-"],"msg":"","input":"',
}
"""What a value that goes on is remembered as, whatever stood before it."""


_SPOKEN_NAME = r"(?:api|access|secret|private|signing|master|license|encryption)[ ](?:key|token)"
"""Names of two words, as labels and prose have them."""
SPOKEN_NAMES = ("api key", "access key", "secret key", "private key", "access token")


def setting(names: Sequence[str]) -> str:
    """Return the expression of a line that gives a name its value after a space: an instruction of
    a Dockerfile, a command of a shell or of Windows, a directive of Apache or nginx."""
    word = (
        rf"(?:{WORD_BEGINS}(?:ENV|setx|set -\w{{1,4}}|[Hh]eader (?:always )?(?:set|add))"
        r"|(?<=[Ss]et)[Ee]nv|[-_]header|_param)"
    )
    weak = "|".join(WEAK)
    # What a cookie remembers in a word is no secret: lang=en.
    value = (
        r"[ \t]{1,8}+\\{0,7}+[\"']?(?>(?:(?i:bearer|basic|token)[ ])?)"
        r"(?![\w-]{1,24}=[A-Za-z-]{1,7}(?:[;\"'\s\\]|\Z))"
    )
    name = r"[ \t]{1,8}+[\w-]{0,48}?"
    return (
        rf"{word}(?:{name}(?i:{known(names)}){value}([^\s\"'\\;]++)"
        rf"|{name}(?i:{weak}){value}({LONG}))"
    )


def form_field(names: Sequence[str]) -> str:
    """Return the expression of a form field with a secret, from ``form-data;`` on."""
    weak = "|".join(WEAK)
    return (
        rf"{_NAME_OF_FIELD}(?:"
        rf"(?>\"?[^\"\r\n;]{{0,32}}?(?i:{known(names)})){_HEADER_ENDS}(?P<form>{_FIELD_VALUE})"
        rf"|\"?(?i:{weak})\"?(?=[\r\n; \t]){_HEADER_ENDS}(?P<long_form>{LONG}))"
    )


def file_of_field(names: Sequence[str]) -> str:
    """Return the expression of the name of a file that such a field has."""
    name = rf"{_NAME_OF_FIELD}(?>\"?[^\"\r\n;]{{0,32}}?(?i:{known(names)}))"
    extended = r"(?i:filename)\*=(?:[\w-]{1,16}'[\w-]{0,16}')?([^\s;'\"]++)"
    return rf"{name}[^\r\n]{{0,64}}?{extended}"


_QUOTE = r"\\{0,7}+\""
_COLON = rf"{_QUOTE}\s{{0,4}}+:"
_STRING_BEGINS = rf"\s{{0,32}}+{_QUOTE}"
_VALIDATED = (
    r"\\{0,7}+[\"']\s{0,4}+\]\s{0,4}+,\s{0,32}+\\{0,7}+\"msg\\{0,7}+\"\s{0,4}+:\s{0,4}+"
    r"\\{0,7}+\"[^\"\\]{0,256}+\\{0,7}+\"\s{0,4}+,\s{0,32}+\\{0,7}+\"input\\{0,7}+\"\s{0,4}+:"
)
VALIDATED = rf"{_VALIDATED}\s{{0,4}}+{_QUOTE}(?P<validated>[^\"\\\x00-\x1f]++)"
"""What FastAPI and Pydantic answer to a value that is not valid: ``{"loc": ["body", "password"],
"msg": "String should have at least 12 characters", "input": "..."}``."""
# How a member is named that names what another one gives, and that one: what it holds is a value,
# or may be a text about it too.
NAMING = (
    *("name", "key", "path", "field", "header", "label", "variable", "parameter", "property"),
    *("setting", "option", "attribute"),
)
_NAMING = rf"(?i:{'|'.join(NAMING)}|(?<=\")(?:id|k))"
_NAME = r"[\w/.:\\-]"
"""What a name has in it that may be a path, or an address as a vault has it, escaped in JSON."""
_IS_FOLLOWED = rf"(?={_NAME}{{1,192}}+\"\s{{0,4}}+,)"
_LEVELS = r"(?:\\{0,3}/[\w.-]{1,64}+){0,3}"
_VALUE = r"(?i:[a-z_]{0,16}?values?|v|val)"
_OTHER = r"(?i:content|default|data|text)"
# Other members, as a cookie's path, or what a variable is for.
_MEMBERS = (
    rf"(?>(?:{_STRING_BEGINS}(?!(?:{_VALUE}|{{names}})[\"\\])\w{{1,24}}+{_COLON}\s{{0,4}}+"
    rf"(?:{_QUOTE}[^\"\\]{{0,128}}+{_QUOTE}|[\w.-]{{1,24}}+|\[[^][{{}}]{{0,64}}+\]|\{{[^{{}}]{{0,128}}+\}})"
    r"\s{0,4}+,){0,6})"
)
_TO_NAME = _MEMBERS.replace("{names}", f"{'|'.join(NAMING)}|id|k")
_MEMBERS, _NO_OTHERS = _MEMBERS.replace("|{names}", ""), _MEMBERS.replace("{names}", _OTHER)
MEMBER = re.compile(r"(?:[a-z]{1,12})\\*\"\s*:\s*\\*\"([\w/.:-]*)", re.ASCII | re.IGNORECASE)
"""How a member begins that says what another one is, and what it says."""


def named_member(names: Sequence[str]) -> str:
    """Return the expression of a member that gives a value to the name that stands before it:
    ``{"name": "x-api-key", "value": "..."}``, as HAR, lists of variables, attributes of traces and
    JSON Patch have it."""
    name = rf"{_NAMING}{_COLON}{_STRING_BEGINS}{_IS_FOLLOWED}"
    known_name, weak = rf"{_NAME}{{0,96}}?(?i:{known(names)}){_LEVELS}", "|".join(WEAK)
    value = rf"{_QUOTE}\s{{0,4}}+,{_MEMBERS}{_STRING_BEGINS}{_VALUE}{_COLON}"
    typed = rf"(?:\s{{0,32}}+\{{{_STRING_BEGINS}\w{{0,16}}+{_COLON}|\s{{0,32}}+\[){{0,4}}"
    secret = rf"{known_name}{value}{typed}{_STRING_BEGINS}(?P<member>[^\"\\\x00-\x1f]++)"
    return rf"{name}(?:{secret}|(?i:{weak}){value}{typed}{_STRING_BEGINS}(?P<long_member>{LONG}))"


def named_other(names: Sequence[str]) -> str:
    """Return the expression of the same where the member may hold a text too: it is one word."""
    known_name = rf"{_NAME}{{0,96}}?(?i:{known(names)}){_LEVELS}"
    name = rf"{_NAMING}{_COLON}{_STRING_BEGINS}{_IS_FOLLOWED}{known_name}"
    other = rf"{_QUOTE}\s{{0,4}}+,{_NO_OTHERS}{_STRING_BEGINS}{_OTHER}{_COLON}{_STRING_BEGINS}"
    return rf"{name}{other}(?={BARE}*+(?:[\"\\]|\Z))(?P<member>[^\"\\\x00-\x1f]++)"


def value_first(names: Sequence[str]) -> str:
    """Return the expression of the same where the name comes after the value."""
    value = rf"(?<=\")(?:value|v){_COLON}{_STRING_BEGINS}(?P<first>[^\"\\\x00-\x1f]{{1,256}}+)"
    name = rf"{_QUOTE}\s{{0,4}}+,{_TO_NAME}{_STRING_BEGINS}{_NAMING}{_COLON}{_STRING_BEGINS}"
    return rf"{value}{name}{_NAME}{{0,96}}?(?i:{known(names)})(?={_LEVELS}{_QUOTE})"


def after_naming(words: bytes) -> bytes:
    """Return what follows the first word of these, in lower case; a secret's name has one of
    ``words`` in it."""
    return (
        rb"[\\\"]{0,8}+\s{0,4}+:\s{0,32}+\\{0,7}+\"(?=[\w/.:\\-]{0,96}?(?:%b))" % words
        + rb"[\w/.:\\-]{1,192}+\"\s{0,4}+,"
    )


AFTER_VALUE = (
    rb"[\\\"]{0,8}+\s{0,4}+:\s{0,32}+\\{0,7}+\"[^\"\\\x00-\x1f]{1,256}+\\{0,7}+\"\s{0,4}+,"
    + _TO_NAME.encode()
    + rb"\s{0,32}+\\{0,7}+\"(?:%b|id|k)\\{0,7}+\"" % "|".join(NAMING).encode()
)


def named_line(names: Sequence[str]) -> str:
    """Return the expression of the same in YAML, or of its short form in a list of arguments."""
    word = r"[\"']?[\w./-]{0,32}?"
    known_name, weak = rf"{word}(?i:{known(names)})[\"']?", rf"[\"']?(?i:{'|'.join(WEAK)})[\"']?"
    others = rf"(?:{LINE_END}[ \t]{{1,32}}+(?!value)\w{{1,24}}+:[^\r\n\\]{{0,128}}+){{0,4}}"
    value = rf"{others}{LINE_END}[ \t]{{1,32}}+(?i:value):[ \t]{{1,4}}+[\"']?"
    name = rf"{WORD_BEGINS}(?i:name|key):[ \t]{{1,4}}+"
    return rf"{name}(?:{known_name}{value}([^\s\"'\\]++)|{weak}{value}({LONG}))"


def named_element(names: Sequence[str]) -> str:
    """Return the expression of an element of XML that gives a value to the name in the one before:
    ``<key>password</key><string>...``, as property lists and XML-RPC have it."""
    name = rf"[^<>]{{0,32}}?(?i:{known(names)})[^<>]{{0,32}}+</(?i:key|name)>"
    blank = r"(?:\s|\\{1,3}[nrt]){0,16}"
    value = rf"(?>{blank}(?:<[\w:]{{1,16}}+>{blank}){{1,2}})"
    weak = rf"(?i:{'|'.join(WEAK)})</(?i:key|name)>{value}({LONG})"
    return rf"<(?i:key|name)>(?:{weak}|{name}{value}([^<\s][^<]*+))"


def named_cell(names: Sequence[str]) -> str:
    """Return the expression of a cell of a table, or of a list of terms, that gives a value to the
    name in the one before, as pages of frameworks about errors have it:
    ``<td>DB_PASSWORD</td><td>...</td>``, ``<dt>Password</dt><dd>...</dd>``."""
    inside = rf"(?:\s[^<>]{{0,64}}+)?>(?:{BLANK}{{0,8}}<[^<>]{{1,64}}+>){{0,2}}{BLANK}{{0,8}}"
    name = rf"[^<>]{{0,48}}?(?i:{known(names)}|{_SPOKEN_NAME})[\w'\]]{{0,16}}[ ]?:?{BLANK}{{0,4}}"
    name += rf"(?:</\w{{1,8}}>{BLANK}{{0,16}}){{1,3}}"
    quote = r"(?>(?:&(?:\#x27|\#39|quot);|[\"'])?(?:(?i:bearer|basic|token)[ ])?)"
    value = r"(?P<cell>(?:(?![<\"'\s]|&(?:\#x27|\#39|quot);)[^<]){1,1024})"
    return rf"<(?:t[dh]|dt){inside}{name}<[td]d{inside}{quote}{value}"


_QUOTED_ENDS = r"\\{0,7}+[\"']"
_UNQUOTED = r"([^\s\"'<>\\=,()]{8,}+)(?=[^<>(),;]{0,128}+(?:>|\Z))"
ATTRIBUTE_TEXT = re.compile(
    r"<(?:property|string|entry|item|param|parameter|setting|field|data|key|value)\s[^<>]{0,64}\Z",
    re.IGNORECASE,
)
"""Tags whose text is the value of what they name."""


def named_in_tag(names: Sequence[str]) -> str:
    """Return the expression of an attribute that names what another one, or the text, gives:
    ``<input name="csrf_token" value="...">``, ``<property name="db.password">...``."""
    weak = "|".join(WEAK)
    quote = r"\\{0,7}+[\"']"
    value = r"[^<>]{0,128}?(?i:value|content)="
    return (
        rf"{WHOLE_BEGINS}(?i:name|key|type)=(?:{quote})?(?:"
        rf"[\w.:-]{{0,32}}?(?i:{known(names)})[\w.:-]{{0,32}}+(?:{_QUOTED_ENDS}|(?=[\s>]))"
        rf"(?:{value}(?:{quote}([^\"'<>\\]++)|{_UNQUOTED})"
        rf"|[^<>]{{0,128}}+>(?:{BLANK}{{0,16}}<value>)?(?P<text>(?=\s*+[^<\s])[^<]++))"
        rf"|(?i:{weak})(?:{_QUOTED_ENDS}|(?=[\s>])){value}(?:{quote}({LONG})|{_UNQUOTED}))"
    )


_IN_OWN_TAG = (
    rf"(?:{BLANK}[^<>]{{0,128}}?)?{BLANK}(?:(?i:value)=\\{{0,7}}+[\"']"
    rf"|(?i:key|secret|password|text|data|val)=\\{{0,7}}+[\"'](?={RANDOM_WORD}))"
)
OWN_ATTRIBUTE = _IN_OWN_TAG + r"(?P<attribute>[^\"'<>\\]++)"
LONG_OWN_ATTRIBUTE = rf"{_IN_OWN_TAG}(?P<attribute>{LONG})"
"""The value of an element that is named after a secret: ``<password value="..."/>``."""


def value_in_tag(names: Sequence[str]) -> str:
    """Return the expression of the same with the value before the name."""
    quote = r"\\{0,7}+[\"']"
    value = (
        rf"{WHOLE_BEGINS}(?i:value|content)=(?:{quote}(?P<first>[^\"'<>\\]{{1,256}}+){quote}"
        r"|(?P<unquoted>[^\s\"'<>\\=]{1,256}+)(?=\s))"
    )
    name = rf"(?:[^<>=]{{0,32}}|[^<>]{{0,48}}?[ ])(?i:name|key|type)=(?:{quote})?[\w.:-]{{0,32}}?"
    return rf"{value}{name}(?i:{known(names)})(?=[\w.:-]{{0,32}}(?:{quote}|[\s>]))"


def variable(names: Sequence[str]) -> str:
    """Return the expression of a variable of Terraform with its default."""
    name = rf"(?i:variable)[ ]\\{{0,7}}\"[\w-]{{0,48}}?(?i:{known(names)}|{'|'.join(WEAK)})"
    default = r"\\{0,7}\"[ ]\{[^{}]{0,256}?default[ ]{1,16}=[ ]\\{0,7}+\""
    return rf"{name}{default}([^\"\\]++)"


def argument(names: Sequence[str]) -> str:
    """Return the expression of an option of a command that is followed by a secret."""
    weak = "|".join(WEAK)
    option = rf"{WHOLE_BEGINS}--[\w-]{{0,32}}?(?i:{known(names)}|{weak})"
    path = r"(?![A-Za-z_-]{1,32}/[A-Za-z_/-]{1,64}(?:[\s\"'\\]|\Z))"
    return rf"{option}[ ]{{1,4}}+[\"']?(?![\s-]){path}([^\s\"'\\]++)"
