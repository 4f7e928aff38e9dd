"""What prose, messages and labels say of a secret: between a name and its value are words, tags, an
arrow, a border of a table, or the end of a line.

Expressions are as those of :mod:`.names`.
"""

from __future__ import annotations

from .blocks import LINE_END
from .names import BARE

BLANK = r"(?:\s|\\{1,7}[nrt])"
_QUOTED = r"\\{0,7}+[\"'`]((?=[^\s\"'`\\]{4,256}(?:[\"'`\\]|\Z))[^\s\"'`\\]++)"
_MIXED = rf"((?=[^\s\d&]{{0,64}}\d)(?=[^\sA-Za-z&]{{0,64}}[A-Za-z]){BARE}{{6,}}+)"
# What has digits among its letters, and is neither a number with a unit nor an algorithm.
_ALGORITHM = (
    r"(?i:base\d\d(?:url)?|sha-?\d{1,3}|md5|utf-?\d{1,2}|oauth2?|[rhep]s\d{3}|ed25519|aes-?\d{3}"
    r"|argon2\w{0,2}|pbkdf2|x509|p256|v\d{1,2}|https?/\d(?:\.\d)?)[.,;:!?]*+(?![\w~+=-])"
)
_RANDOM_BEGINS = (
    rf"(?!\d{{1,7}}[A-Za-z%-]{{1,16}}(?:[\s.,;:\"'`\\]|\Z)|\d{{4}}-\d\d|{_ALGORITHM})"
    r"(?=[^\s\d&]{0,64}\d)(?=[^\sA-Za-z&]{0,64}[A-Za-z])"
)
RANDOM_WORD = rf"{_RANDOM_BEGINS}{BARE}{{8,}}+"
BETWEEN_TICKS = rf"{_RANDOM_BEGINS}(?>(?:(?!`){BARE}){{8,}})"
"""The same in Markdown."""
_ROW_VALUE = (
    r"(?!\d{4}-\d\d)((?=[^\s|]{0,64}?\d)(?=[^\s|]{0,64}?[a-z])(?=[^\s|]{0,64}?[A-Z])[^\s|`*()<>]{8,}+"
    r"|(?=[^\s|]{0,64}?\d)(?=[^\s|]{0,64}?[A-Za-z])[^\s|`*()<>]{12,}+)"
)
ROW = rf"[*_`]{{0,3}}[ ]{{0,24}}\|[ ]{{0,8}}[*_`]{{0,3}}{_ROW_VALUE}(?=[ *_`]*(?:\||\Z))"
"""A cell of a row of Markdown that names what the next one has: ``| **API key** | `...` |``; types
and dates in it are no values."""
_FOR_WHAT = r"(?>(?:[ ](?!(?:is|was|to)\b)[A-Za-z][\w'.@-]{0,20}){1,4})"
_IS = (
    r"(?:is|was|are|will[ ]be|should[ ]be|equals)(?:[ ](?:now|currently|still|just|set[ ]to))?\b:?"
)
_OF_WHAT = r"[ ](?:for|of|on)(?:[ ](?!user\b)[\w'.@-]{1,24}){1,3}(?<!user)(?<!name)(?<!account)"
_MADE_TO = (
    r"(?:[ ](?:is|was|were|(?:has|have|had)[ ]been|will[ ]be|gets|got)(?:[ ]now)?)?"
    r"[ ](?:set|reset|changed|updated|rotated)[ ]to"
)
_ASIDE = r"[ ][(\[][\w.'@/-][\w .'@/-]{0,31}[)\]]:"
_IN_TAGS = r"(?:[ ]{0,4}<\w{1,10}(?:[ ][^<>]{0,64})?>){1,3}[ ]?"
_OWNED = (
    rf"(?:'|\xe2\x80\x99|\\{{1,3}}u2019)s[ ]({RANDOM_WORD})"
    r"(?=\Z|[\r\n\\\"'<)(;,]|[ ](?:and|but|for|on|in|if|please|thanks|[-(])|(?<=[.,!?])[ ])"
)
"""What a contraction tells: ``my password's ...``, of which nothing is said but that."""
SAID = (
    rf"(?:[ ]{{1,4}}+(?:(?:\.[ ])?\(?{_QUOTED}|{_IS}[ ]{{1,4}}+(?:{_QUOTED}|{_MIXED}))"
    r"|(?:[.,;][ ](?i:it|the[ ]new[ ]one|yours)[ ](?:is|was|will[ ]be)(?:[ ]now)?:?"
    rf"|{_FOR_WHAT}[ ]{_IS}|{_OF_WHAT}:|{_ASIDE}|{_MADE_TO}:?)[ ]\\{{0,7}}+[\"'`]?({RANDOM_WORD})"
    rf"|{_FOR_WHAT}?[ ]{_IS}{_IN_TAGS}({RANDOM_WORD})|{_OWNED}"
    rf"|\\{{0,3}}[\"'`]?[ ]to:?[ ]\\{{0,7}}+[\"'`]?(?P<set_to>{RANDOM_WORD})"
    rf"|[ ](?P<told>{RANDOM_WORD}))"
)
"""A name and a quoted value, as macros and Lisp have them; prose says that one is the other, or is
set to it, or gives it after a verb or a preposition: ``with the password ...``."""

# What stands between a label and its value: tags, an arrow, a dash, dots, a border of a table, or
# the end of a line before one that is indented. HTML section 13.1.2; signs that are no ASCII by
# their UTF-8.
_OPENING = rf"(?:{BLANK}{{0,16}}<\w{{1,10}}(?:[ ][^<>]{{0,64}}|/)?>)"
_CLOSING = r"(?:</\w{1,10}>[ ]?)"
_TAGS = (
    rf"(?:(?:[ ]?:[ ]?{_CLOSING}{{1,3}}|{_CLOSING}{{1,3}}:){_OPENING}{{0,3}}"
    rf"|(?:{_CLOSING}{{1,3}}|[ ]?[:=]){_OPENING}{{1,3}})"
    rf"{BLANK}{{0,8}}"
)
_TAB = r"(?:\t|\\{1,3}t)"
_MARKS = r"\\{0,3}[*_`\"']{0,3}"
_ARROW = (
    r"(?:[-=]{1,2}>|-{1,2}|\xe2\x80[\x93\x94]|\xe2(?:\x86|\x9e)[\x80-\xbf]"
    r"|\\{1,3}u(?:201[34]|2192|279[0-9a-f]))"
)
_POINTS = (
    rf"{_MARKS}(?::[*_][ ]{{1,4}}|[ ]{{1,8}}{_ARROW}[ ]{{1,4}}|[ ]?\.{{2,48}}:?[ ]{{1,4}}"
    rf"|{_TAB}{{1,4}}=?{_TAB}{{0,4}}){_MARKS}"
)
LABELS = rf"(?:{_TAGS}|{_POINTS})({RANDOM_WORD})"
"""``<b>Password:</b> ...``, ``Password -> ...``, ``- **Password** - ...``."""

# What a message says of one: "Incorrect API key provided: ...", "token ... has expired".
_SPOKEN = "token|session|secret|password|(?:api|access|service_role|license) key"
_FILLER = (
    r"you|need|use|we|id|key|value|is|was|with|for|not|found|provided|rejected|invalid|unknown|in|of"
    r"|=|-"
)
_RANDOM = (
    rf"(?!\d{{4}}-\d\d)(?!{_ALGORITHM})(?=[\w~+=.-]{{0,64}}?\d)(?=[\w~+=.-]{{0,64}}?[A-Za-z])"
    r"(?:[\w~+=.-]{16,}+|[\w~+=.-]{6,}+\Z)"
)
CALLED = rf"[({{][ ]?\\{{0,7}}+[\"'`]({_RANDOM})(?=\\{{0,7}}[\"'`]|\Z)"
"""What a function, or a variable of C++, is given: ``withApiKey("...")``."""
SPOKEN = (
    rf"(?i:{_SPOKEN})s?+(?:\\{0, 7}+[\"'`])?"
    rf"(?:(?>(?:[ ](?i:{_FILLER})(?![\w~+=.-])){{0,4}}):?[ ]{{1,4}}\\{{0,7}}+[\"'`(\[<]?"
    rf"|(?:\(|,[ ]?(?:<<)?)\\{{0,7}}+[\"'])({_RANDOM})"
)

# A block of code of one word below a label or a heading of Markdown.
_LABEL_ENDS = rf"[:*_ ]{{0,6}}+(?:{LINE_END}){{1,3}}[ ]{{0,4}}`{{3}}[a-z]{{0,12}}{LINE_END}"
_ONE_WORD = r"(?![^\s\\]{0,64}?(?:://|\())(?=[^\s\d\\]{0,64}\d)(?=[^\sA-Za-z\\]{0,64}[A-Za-z])"
_BLOCK_ENDS = rf"(?=\\{{0,3}}\Z|{LINE_END}[ ]{{0,4}}(?:`|\Z))"
_IN_BLOCK = r"[^\s\"'`\\<>{}]"
FENCED = rf"{_LABEL_ENDS}{_ONE_WORD}({_IN_BLOCK}{{8,}}+){_BLOCK_ENDS}"
_INDENTED = rf"[:*_]{{1,6}}+(?:{LINE_END}){{1,3}}(?:[ ]{{1,12}}|\t|\\{{1,3}}t)?"
_NO_PROMPT = r"(?![^\s\\]{0,64}[$#%>~](?:\s|\\|\Z))"
_LINE_OVER = rf"(?=\\{{0,3}}\Z|{LINE_END})"
INDENTED = rf"{_INDENTED}{_NO_PROMPT}{_ONE_WORD}({_IN_BLOCK}{{8,}}+){_LINE_OVER}"
"""One word by itself in a line below a label."""
_NO_FILE = r"(?![~.]{0,2}/|[^\s\\]{0,64}\.[a-z]{2,4}(?:[\s\\]|\Z))"
_FENCE = rf"(?:[ ]{{0,4}}`{{3}}[a-z]{{0,12}}{LINE_END}|[ ]{{1,12}}|\t|\\{{1,3}}t)?"
BELOW = (
    rf"(?:{_FOR_WHAT}?[ ]{_IS}|{_OF_WHAT})(?<!:):(?:{LINE_END}){{1,3}}{_FENCE}"
    rf"{_NO_PROMPT}{_NO_FILE}{_ONE_WORD}(?={_RANDOM_BEGINS})({_IN_BLOCK}{{8,}}+)"
    rf"(?:{_LINE_OVER}|(?=\\{{0,7}}\"))"
)
"""The same below a sentence that ends with a colon, in a block of code too."""
LONG_FENCED = rf"{_LABEL_ENDS}{_ONE_WORD}({_IN_BLOCK}{{16,}}+|{_IN_BLOCK}{{8,}}+\Z){_BLOCK_ENDS}"
