"""Names of secrets, as a table, and what values look like that stand after them.

Strategy: each expression accepts the end of what has come so far in place of what is missing, so
that a text that ends inside a secret is masked up to its end. All quantifiers are possessive,
atomic or bounded: time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_letters, digits

from parsers.expressions import every, when_used

# Where a key, or a word that a hyphen is a part of, may begin: not inside another, but after an
# escape of JSON (\n, \u000a) or of a URL, as at the beginning of a line in a string.
AFTER_ESCAPE = r"(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})"
WORD_BEGINS = rf"(?:(?<![A-Za-z0-9])|{AFTER_ESCAPE})"
WHOLE_BEGINS = rf"(?:(?<![\w-])|{AFTER_ESCAPE})"
IN_COMMAND = r"(?:[^\r\n|;&\\]|\\\r?\n|\\{3}n|(?<=[A-Z])\\{1,4}[nr]|\\(?![nr]))"
"""A character of a command's line, which a backslash may continue, in a string of JSON too; one
behind capitals belongs to the name of a domain."""

STRONG = (
    # how the name begins, and the whole of it: its value is secret whatever it looks like
    ("api", r"api[-_]?key"),
    ("access", r"access[-_]?token"),
    ("refresh", r"refresh[-_]?token"),
    ("auth", r"auth[-_]?token"),
    ("session", r"session[-_.]?(?:token|id)"),
    ("csrf", r"csrf[-_]?token"),
    ("xsrf", r"xsrf[-_]?token"),
    ("security", r"security[-_]?token"),
    ("id_token", r"id_token(?:_hint)?"),
    ("idtoken", r"idtoken"),
    ("secret", r"secret(?!ar(?:y|i)|ion|ive|[oa]\b)[\w-]{0,24}"),
    ("private", r"private[-_]?key"),
    ("pass", r"pass(?:word|wd|[- ]?phrase|code)[\w-]{0,24}"),
    ("subscription", r"subscription[-_]?key"),
    ("x-amz-", r"x-amz-(?:signature|credential)"),
    ("code", r"code[-_]?verifier"),
    ("oauth", r"oauth[-_]?verifier"),
    ("signed", r"signed[-_]?request"),
    ("npmauth", r"npmauthident"),
    ("client", r"client[-_]?(?:assertion(?![-_]?type)|key[-_]?data)"),
    ("saml", r"saml(?:response|assertion)"),
    ("stringdata", r"stringdata"),  # of a Secret of Kubernetes
    ("rediscli_auth", r"rediscli_auth"),
    ("sess", r"sess[-_]?id"),
    ("mnemonic", r"mnemonic"),
    ("seed", r"seed[-_]?phrase"),
    ("recovery", r"recovery[-_]?(?:codes?|key|phrase)"),
    ("backup", r"backup[-_]?codes?"),
    ("security", r"security[-_]?answer"),
    ("key", r"key[-_]?(?:material|data|bytes|hex|pem|b64|base64|blob|seed|phrase)"),
    ("captcha", r"captcha[-_]?(?:response|token)"),
    ("turnstile", r"turnstile[-_]?response"),
    ("otp", rf"(?:(?<![a-z])|(?<=\bt)|{AFTER_ESCAPE})otp(?![a-z])"),
)
_OWNERS = (
    *("db", "user", "root", "admin", "key", "store", "mysql", "pg", "ftp", "smtp", "ssh", "http"),
    *("proxy", "login", "mail", "my", "sa", "su", "vnc", "wifi", "os", "web", "api", "auth", "app"),
    *("account", "host", "trust", "ldap", "bind"),
)
"""What stands before "pass" or "pw" in a name, and in no word."""
_OWNED = "|".join(rf"(?<={owner})" for owner in _OWNERS)
RULES = (
    # the same of names of which only a part is given, and of values that are no numbers
    ("token", r"(?<=[\w-])(?<!\\[bfnrt])token"),
    ("key", r"(?:(?<=[-_])|(?<=stream))key"),
    ("key", r"(?:(?<=app)|(?<=access)|(?<=auth)|(?<=master)|(?<=account))keys?"),
    ("pass", rf"(?:{_OWNED})pass"),
    ("pw", rf"(?:{_OWNED})pwd?"),
    ("key", r"(?<=[a-z])(?<!\\[bfnrt])(?-i:Key)"),
    ("session", r"session[\w-]{0,24}"),
    ("signature", r"signature[\w-]{0,24}"),
    ("credential", r"credential[\w-]{0,24}"),
)
LINES = (
    ("authorization", r"authorization(?![-_]?(?:endpoint|server|ur[il]))[\w-]{0,24}"),
    ("cookie", r"cookie[\w-]{0,24}"),
)
"""Names of header fields, which stand in logs and in what servers echo."""
WEAK = (
    *("token", "sig", "sid", "key", "code", "jwt", "pwd", "auth", "pass", "ticket"),
    *("csrf", "xsrf", "assertion", "hmac", "bearer", "pw", "pswd", "authn", "sas", "salt", "seed"),
    *("private", "tgt", "psk", "pat", "pem", "kek", "dek", "tok", "sess", "sign"),
    *("magic", "magic_link", "magiclink", "authorize", "service_role", "passkey"),
)
"""Names whose values are secret if they are long."""


def known(names: Sequence[str]) -> str:
    """Return the expression of a name whose value is secret; ``names`` are those of a user."""
    table = [name for _, name in (*STRONG, *RULES, *LINES)]
    return "|".join(table + [*map(re.escape, names)])


SECRET_NAME = when_used(rf"[\w-]{{0,48}}?(?:{known(())}|{'|'.join(WEAK)})s?", re.IGNORECASE)
"""A name that is one of a secret, whole."""


# What may stand between a name and its value, in JSON, in a form, in a header, in any of them
# inside another.
# A name may stand for several: then its value is an array. Underscores hide some from a language.
PLURAL = "[sS]?+_{0,2}+"
# A name in brackets (user[password]=) ends with one; a query in a query is encoded twice. What is
# quoted in a column of CSV has two quotes; Markdown ends bold text.
_QUOTE = (
    r"(?>(?:\\{0,7}+[\"'`](?:\\{0,7}\")?\*{0,2}|\*{1,3})?"
    r"(?:\[?\]|\[\w{1,16}+\]|(?:%5[Bb]\w{0,16}+)?%5[Dd])?)"
)
# What code makes of a string, and the letters that a string has before its quote.
_PREFIX = r"(?:[brfuNBRFUL]{1,2}+|\$?@|\$|string\(\d{1,6}+\)[ ])"
_MADE = (
    r"(?>(?:(?:(?:Some|Optional|Just"
    r"|(?:[A-Za-z]{1,16}[.:]{1,2})?Secret(?:Str|String|Box)?(?:::(?:new|from))?"
    r"|(?:std::)?[Ss]tring(?:::from|::new)?|new[ ]String|Cow::(?:from|Borrowed)|str|bytes|\[\]byte"
    r"|(?:base64\.)?b64decode|atob|Buffer\.from|QString|_T|TEXT)\((?:[ ]|\r?\n|\\{1,3}[rn]){0,32})"
    rf"{{1,3}}(?={_PREFIX}?\\{{0,7}}[\"'`]))?)"
)
_STRING = rf"[ ]{{0,4}}{_MADE}{_PREFIX}?\\{{0,7}}[\"'`]"
# A type of code: of Python, TypeScript, Swift, Kotlin, Rust, Go, Zig, and of SQL.
_TYPE = (
    r"(?:[&*]{1,2}|'[a-z]{1,16}[ ]|\[\]|(?:mut|const|constant|dyn)[ ]){0,4}"
    r"[A-Za-z][\w.<>|\[\]?:&']{0,48}+(?:\(\w{1,6}\))?(?:[ ]\|[ ]\w{1,16}+){0,3}!?"
)
# The same without a colon before it, as Go, SQL and Basic have it.
_TYPE_BEHIND = (
    r"(?<=[ ])(?i:as[ ]|constant[ ])?(?:\*?string|\[\]byte|(?i:n?(?:var)?char2?|text|citext|string)"
    r"(?:\(\w{1,6}\))?|[A-Z]\w{0,24}(?=[ ]))"
)
# What a variable has if it is not set: process.env.API_KEY || "...".
_OTHERWISE = r"\)?[ ]{0,4}(?:\|\|=?|\?\?=?|\?:|(?<=\)[ ])or)"
# Gson writes "=" as an escape. Lines of what is no string may be those of code: few spaces only.
# What is encoded is read without that as well, which tells where a value ends: here those are taken
# that have nothing encoded in them, or something that is encoded once more.
_ENCODED = (
    r"%(?:25){0,3}3[AaDd]"
    r"(?=(?>(?:[^\s\"'&+%]|%(?!2[02-46-9BbCc]|3[BbCcEe]|[57][BbDd]|0[AaDd]|25(?![0-9A-Fa-f]{2})))"
    r"{1,256})(?:[\s\"'&]|\Z)|(?=[^\s%]{0,64}\d)[\w.~-]{6,})"
)
# A colon with a space before it may begin an attribute of Vue; two stand before base64 in LDIF, and
# in a path of code.
_PATH_OF_CODE = r":(?:[A-Za-z_]\w{0,32}+(?:::|[(<;])|[A-Za-z_]{2,32}+(?:[\s,)]|\Z))"
_SIGN = (
    r"(?:=>|:=|=|<-(?=[ ]{0,2}\\{0,7}[\"'])"
    rf"|[?!]?:(?!(?<=[ ]:)[\w-]{{1,32}}=[\\\"']|{_PATH_OF_CODE})(?::(?=[ ]))?|{_ENCODED}"
    rf"|{_TYPE_BEHIND}[ ]{{0,4}}:?=(?={_STRING})|{_OTHERWISE}(?={_STRING})"
    r"|(?<=[ ])->(?=[ ]\\{0,3}[\"']?(?=[^\s\"'\\]{0,64}?\d)[^\s\"'\\]{6})"
    r"|\\{1,3}u(?:003[AaDd]|[Ff]{2}1[Aa])|\xef\xbc\x9a)"  # and the colon of full width
)
# Markdown ends bold text after the colon; Rust prints what is optional as Some("...").
# YAML may have a tag or an anchor there (YAML 1.2 section 6.9), and code a type.
_BEFORE_VALUE = (
    # The next line may have a name of its own, or begin a block of code.
    r"(?![ ]?(?:\r?\n|\\{1,3}n)[ \t]{0,32}[\w.-]{1,64}+(?:=|:\s)"
    r"|[ *]{0,4}(?:\r?\n|\\{1,3}n){1,3}[ \t]{0,8}`{3}|(?<=:)[*_][ ])"
    rf"(?>(?:(?<=:)[ ]{{0,4}}{_TYPE}[ ]{{0,4}}:?=(?={_STRING}))?)"
    r"(?:(?>(?:\s|\\{1,3}[nrt]){0,64})(?=\\{0,7}[\"'\[{]|string\(\d)"
    r"|(?>[ ]{5,24}(?=[!-~])|\s{0,4}))"
    rf"(?>(?:\*\*[ ]?|\+(?=\\{{0,7}}[\"']))?){_MADE}"
    r"(?>(?:[!&][\w!-]{1,32}+[ ]{1,4}+){0,2})"
    rf"(?>(?:{_PREFIX}(?=\\{{0,7}}[\"']))?)"
)
BETWEEN = rf"{_QUOTE}(?>\s{{0,64}}){_SIGN}{_BEFORE_VALUE}"
_SPACE = r"(?:\s|\+|%20)"
_ANY_SCHEME = r"(?i:bearer|basic|token|apikey)"
_SCHEME = rf"(?>(?:{_ANY_SCHEME}{_SPACE}{every(_SPACE)})?)"
BARE = r"[^\s\x00-\x1f\"'\\&,;<>#(){}\[\]]"
_IN_STRING = r"[^\"\\\x00-\x1f]++|\\(?:.|\Z)"


def _in_escaped(group: str) -> str:
    """Return the expression of what is in a string of JSON inside a string of JSON, whose quotes
    have as many backslashes before them as that group."""
    quote = rf"(?!(?P={group})\")\\{{2,16}}+\""
    return every(rf"[^\"\\\x00-\x1f]++|\\{{2,16}}+(?!\")|\\u[0-9A-Fa-f]{{0,4}}|{quote}")


# YAML 1.2 section 8.1 (block scalars), and strings of TOML and Python that have three quotes.
# In a string of JSON, and in one inside that, ends of lines are escapes and other escapes are not.
def _block(group: str, end: str, part: str) -> str:
    """Return the expression of lines that are indented alike, each of one part or more."""
    line = rf"(?>{part}){every(part)}"
    more = every(rf"{end}(?P={group}){line}")
    return rf"{end}(?P<{group}>[ \t]{{1,32}}+)({line}{more})"


_IN_LINE = r"[^\r\n\\\"]++"
_BLOCK = "|".join(
    (
        _block("indent", r"\r?\n", r"[^\r\n]++"),
        _block("in_string", r"(?:\\r)?\\n", rf"{_IN_LINE}|\\(?:[^nr\r\n]|\Z)"),
        _block("in_deep", r"(?:\\\\r)?\\\\n", rf"{_IN_LINE}|\\\\(?:[^nr\\\"\r\n]|\\[\\\"]|\\?\Z)"),
    )
)
_BLOCK = rf"[|>][-+\d]{{0,2}}+[ \t]{{0,4}}+(?:{_BLOCK})"
_THREE_QUOTES = (
    r"\"\"\"\s{0,4}+([^\"\\]++)|'''\s{0,4}+([^'\\]++)"
    r"|(?:\\{1,7}\"){3}(?:\s|\\{1,7}n){0,4}([^\"\\]++)"
)
_BEHIND_TWO = "|".join(
    rf"(?<={quotes}:{space})"
    for quotes in (r"\"\"", r"\"\\\"", r"\"\\{3}\"")
    for space in ("", "[ ]")
)
_TWO_QUOTES = rf"(?:{_BEHIND_TWO})(?:\\{{0,7}}\"){{2}}([^\"\\\x00-\x1f]++)"
_BARE_VALUE = rf"{_SCHEME}((?!(?:null|true|false|None)\b){BARE}++)"
# A string that a name and a brace, or a bracket, are the end of: what follows is outside of it.
_BORDERS = "|".join(rf"{one}\"[^\"\\]{{0,128}}+{one}\"" for one in ("", r"\\", r"\\{3}"))
NO_BORDER = rf"(?!\s{{0,16}}+(?:{_BORDERS})\s{{0,4}}+\w)"
ANY_VALUE = (
    rf"(?:{_BLOCK}|{_THREE_QUOTES}|{_TWO_QUOTES}"
    # JSON in JSON
    rf"|(?P<deep>\\++)\"({_SCHEME}(?=[^\"])(?!(?P=deep)\"){_in_escaped('deep')})(?:\\\Z)?"
    rf"|\"({_SCHEME}(?>{_IN_STRING}){every(_IN_STRING)})"
    rf"|'([^'\\\x00-\x1f]++)"
    rf"|\[{NO_BORDER}(?P<array>{{array}})"
    r"{object}"
    rf"|{_BARE_VALUE})"
)
# What an array holds: what is no string, strings of JSON inside a string of JSON, strings, and the
# border of two arrays in an array.
_ARRAY_PART = rf"[^\]\"\\]++|\\++\"?+|\"{every(_IN_STRING)}(?:\"|\Z)|\][ \t\r\n]*+,[ \t\r\n]*+\["
ARRAY = rf"(?>{_ARRAY_PART}){every(_ARRAY_PART)}"
ANY_VALUE = ANY_VALUE.replace("{array}", ARRAY)
# What an object holds: all strings that stand after a colon.
_OBJECT_PART = rf"[^{{}}\"\\]++|\\++\"?+|\"{every(_IN_STRING)}(?:\"|\Z)"
_INSIDE = _OBJECT_PART
for _ in range(3):  # objects in it, as deep as anyone writes them
    _INSIDE = rf"{_OBJECT_PART}|\{{{every(_INSIDE)}(?:\}}|\Z)"
OBJECT = rf"\{{{NO_BORDER}(?P<object>{every(_INSIDE)})"
LONG_OBJECT = OBJECT.replace("<object>", "<long_object>")
OF_LONG_OBJECT = re.compile(r"(?:value|access|refresh|bearer|raw|current)", re.IGNORECASE)
"""Members that say nothing of their own in an object that is named after a secret."""
ANY_MEMBER = ANY_VALUE.replace("{object}", f"|{OBJECT}")
ANY_VALUE = ANY_VALUE.replace("{object}", "")
# An element of XML: a name, attributes, text or CDATA. What its tag begins with is looked at later.
_ELEMENT = r"(?:\s[^<>]{0,128}+)?(?<!/)>(?:<!\[CDATA\[)?"
XML = _ELEMENT + r"(?P<xml>(?=\s*+[^<\s])[^<\]]++)"
TAG = re.compile(r"<[\w:.-]{0,64}\Z", re.ASCII)
"""How a tag begins that opens an element."""
IN_NAME = ascii_letters + digits + "_:.-"
"""What a name's beginning has in it."""
BEFORE_NAME = '<\\%"'
"""A quote or an escape that it follows."""
MAX_NAME = 64
"""Characters of a name's beginning."""
_ANY_TYPE = r"(?:string|number|integer|boolean|array|object|null)"
IS_SCHEMA = re.compile(
    rf"\"(?:type\\*+\"\s*+:\s*+\[?\s*+\\*+\"{_ANY_TYPE}\\*+\"|(?:\$ref|anyOf|oneOf|allOf)\\*+\"\s*+:)"
)
"""JSON Schema sections 6.1.1 and 8.2.3: what has it describes a value, as tools describe their
arguments."""
IS_FLOW = re.compile(r"\"(?:tokenUrl|authorizationUrl|scopes)\\*+\"\s*+:")
"""OpenAPI's OAuth Flow Object, which is named after its flow: ``password``."""
DESCRIBES = re.compile(r"(?:type|title|description|format|pattern|\$ref|contentEncoding)\\*+\"\Z")
"""How a member's name ends whose value only describes."""
_ANY_STRING = (
    r"(?P<opens>(?P<escaped>\\++)?\")"
    rf"(?P<value>(?(escaped){_in_escaped('escaped')}|{every(_IN_STRING)}))(?P<closes>\\*+\")?"
)
STRING_OF_OBJECT = re.compile(rf":\s*+{_ANY_STRING}", re.DOTALL)
STRING_OF_ARRAY = re.compile(rf"{_ANY_STRING}(?P<is_name>\s{{0,4}}+:)?", re.DOTALL)
IN_QUOTES = re.compile(rf"\\*+\"{every(_IN_STRING)}\"?+", re.DOTALL)
WORD_OF_ARRAY = re.compile(rf"(?!-?\d++(?:\.\d++)?(?!{BARE})|(?:null|true|false|None)\b){BARE}++")
LONG_WORD = 12
"""Characters of a word that may be secret by its length."""
_NO_VALUE = r"(?:null|true|false|None)\b"
_LINE_WORD = r"(?:\$?\{\{[^{}\x00-\x1f]{0,96}+\}\}|[^\s\x00-\x1f\"'\\`,;()]++)"
_LINE_BEGINS = r"[^\x00-\x1f\"'\\{\[]"
# Of a field with several words all are its value; but after a scheme there is one.
_REST_OF_LINE = (
    rf"(?>`?{_ANY_SCHEME}{_SPACE}{every(_SPACE)})((?!{_NO_VALUE}){_LINE_WORD})"
    rf"|(?!`?{_ANY_SCHEME}{_SPACE})((?!{_NO_VALUE}){_LINE_BEGINS}[^\x00-\x1f\"'\\]*+)"
)
LINE_VALUE = ANY_VALUE.replace(_BARE_VALUE, _REST_OF_LINE)
LONG = rf"{BARE}{{12,}}+|{BARE}++\Z"
_LONG_ARRAY = rf"\[{NO_BORDER}(?P<long_array>{ARRAY})"
_OPENS = r"(?:(?:\\*+[\"']){3}\s{0,4}|(?<=\"\":)\"\"|\\*+[\"']?+)"
LONG_VALUE = rf"(?:{_LONG_ARRAY}|{_OPENS}({LONG}))"
# What a key or a code often is and OAuth's never: invalid_request_error, checkout.button.continue,
# auth/user-not-found, node.kubernetes.io/not-ready, npm-linux-x64-v2, uploads/cat.png, a variable,
# an issue, a date, aws:cloudformation:stack-name, NOT_FOUND, ECONNREFUSED, user:42, ArrowDown.
_PART = r"(?:v\d{1,3}|x(?:64|86)|amd64|arm64|[a-z]{2,20}+)"
_FILE = (
    r"png|jpe?g|gif|svg|webp|pdf|json|csv|txt|html?|xml|ya?ml|gz|zip|tar|mp4|mp3|parquet|log|bin|js"
    r"|css"
)
_WORDS = (
    rf"(?>[a-z]{{2,20}}+(?>(?:[./_-]{_PART}){{1,8}})(?:-?\d{{1,2}})?-?"
    rf"|(?:[\w.-]{{1,64}}/){{1,8}}[\w.-]{{1,64}}\.(?:{_FILE})"
    r"|\$\{{0,2}[ ]?[A-Za-z][\w.]{2,40}+[ ]?\}{0,2}(?>(?:[-_.][\w.-]{1,24})?)"
    r"|[a-z]{2,16}/\d{1,12}|[A-Z]{2,10}-\d{1,7}(?>(?:-[a-z]{2,20}){0,4})"
    r"|\d{4}-\d\d-\d\dT[\d:.]{5,15}Z?"
    r"|aws:[a-z]{2,20}(?::[a-z-]{2,32}){1,3}"
    r"|[A-Z]{2,20}+(?>(?:_[A-Z]{2,20}+){1,6})|E[A-Z]{4,14}+"
    r"|[a-z]{2,16}+(?>(?::(?:[a-z_]{2,20}+|\d{1,10}+|\*)){1,6})"
    r"|[A-Za-z][a-z]{2,14}+(?>(?:[A-Z][a-z]{2,14}+){1,6})(?:Id)?)(?=[\s\"'\\,;)])"
)
LONG_CODE = rf"(?:{_LONG_ARRAY}|{_OPENS}(?!{_WORDS})({LONG}))"
SPELLED = ("code", "key")
"""Names whose values are often words."""
# Stores and exports say what type a value has: {"token": {"stringValue": "..."}}.
_TYPE_OF_VALUE = r"(?:\$\w{1,16}|\w{0,12}[vV]alues?|[SNBML]{1,2}|v)"
WRAPPED = rf"(?>(?:\{{\s{{0,32}}\\{{0,7}}\"{_TYPE_OF_VALUE}\\{{0,7}}\"\s{{0,4}}:\s{{0,4}}){{0,3}})"
# A key of a property list only names.
LONG_XML = _ELEMENT + rf"(?!\w{{1,64}}+</key>\s{{0,16}}<[a-z])(?P<xml>{LONG})"
NO_NUMBER = r"(?!-?\d++(?:\.\d++)?(?:[eE][-+]?\d++)?[\s,}\]&;<])"
"""Not what counts or measures: a number."""
SHORT = ("pass", "pwd", "pw", "pswd", "pin", "psk")
"""Names whose values are secret if they are strings, or in a form, however short: but no paths."""
IS_STRING = r"(?=\\{0,7}[\"'`]?[ ]{0,4}[:=][ ]{0,4}(?:\\{0,7}[\"'][^/\"'\\]|(?<==)[^\s/&]))"
WORD = re.compile(rf"{BARE}++", re.ASCII)
