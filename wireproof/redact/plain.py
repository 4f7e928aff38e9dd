"""What has the name of a secret and is none: by its name, or by what stands there.

Strategy: a value is taken for none only if it cannot be cut (something follows it), and if it is
written as no secret is: as code that gets one, as what stands in the place of one, as a sentence
about one. Words are taken for words only where no string of a format is: after a colon and a space,
without a quote. ``password: str`` is an annotation; ``{"password": "str"}`` is a password.
"""

from __future__ import annotations

import re
from functools import lru_cache

from parsers.expressions import when_used

from .around import SECRET_OF_STORE, Value, is_plain_around
from .names import SECRET_NAME
from .sentences import (
    ABOUT,
    ABOUT_IN_OTHERS,
    IN_OTHER_LANGUAGES,
    SAYS_IN_OTHERS,
    is_same,
    is_sentence,
)

NAME = when_used(
    r".*(?:public|primary|foreign|cache|sort|partition|row|unique|composite|object|range"
    r"|surrogate|idempotency|translation|i18n|l10n|message|label|shortcut|hot|modifier|topology|route"
    r"|routing|issue|storage|query|hash|file|grouping|restore|annotation|taint|bucket|s3|group)[-_]?keys?"
    r"|.*(?:secret|passw(?:or)?d|token|credentials?|session)[-_]?(?:names?|types?|version|polic(?:y|ies)"
    r"|length|strength|m(?:in|ax)[-_]?length|required|enabled|expires[-_]?(?:at|in|on)?"
    r"|label|placeholder|title|help|errors?|messages?|prompt|description|url|uri|endpoint"
    r"|env(?:[-_]?var)?|arn|provider|count|limit|file|path|dir|rules?|requirements?|validators?"
    r"|reset[-_]?(?:timeout|ur[il])|(?:last[-_]?)?(?:changed|started|seen)"
    r"|hashers?|backends?|constraints?|encryption|algorithms?)"
    r"|.*existing[-_]?secret(?:[-_]?name)?|.*passw(?:or)?d[-_]?hint|secret[-_]?(?:questions?|scanning.*)"
    r"|.*(?:input|output|memory|metadata|index|map|group|store|json|dict)_keys?"
    r"|.*(?:secret|passw(?:or)?d)[-_]?(?:key[-_]?)?(?:refs?|selector)"
    r"|.*(?:secret|passw(?:or)?d|token|session|credentials?)[-_]?"
    r"(?:last[-_]?)?(?:changed|updated|created|set|expires)[-_]?at"
    r"|(?:.*[-_.])?forgot[-_]?passw(?:or)?d"
    r"|.*session[-_]?(?:count|name|type|duration|length|timeout|ttl|start(?:ed)?|end(?:ed)?|affinity|title"
    r"|driver|engine|lifetime|connection|store|serializer|backend)"
    r"|.*signature[-_]?(?:version|method|algorithm)|.*(?:grant|signature|token|secret|credential)[-_]?types?(?:[-_].*)?"
    r"|.*credential[-_]?(?:type|name|helper|store|source|process)s?"
    r"|.*passwordbearer|arn:.*"
    r"|.*(?:status|error|exit|return|response|reason|country|language|lang|currency|region|area"
    r"|zip|postal|product|colou?r|source|qr|bar|event|key|promo|coupon|discount)[-_]?codes?"
    r"|.*cookie[-_]?(?:name|domain|path|policy|consent|banner|same[-_]?site|secure|http[-_]?only"
    r"|age|max[-_]?age|prefix|options?)"
    r"|(?:.*_)?(?:bos|eos|pad|unk|sep|cls|mask|image|audio|stop|special)_tokens?"
)
"""Names, in lower case, that only end or begin as those of secrets do."""
ACCOUNT_KEY = re.compile(r"[\"'\s:=\[\\]*[A-Za-z0-9+/]{40,}={0,2}")
"""Of a service of Azure, which calls it primary: 256 or 512 bits in base64, and no UUID."""

_TYPES = (
    "str|string|int|integer|bool|boolean|bytes|bytearray|number|float|object|any|none|null|nil"
    "|undefined|optional|unknown|never|void|secretstr|text|varchar|char|uuid|list|dict|array|enum"
    "|option|buffer|uint8array|arraybuffer|blob"
)
_STATES = (
    "required|missing|invalid|expired|empty|unset|enabled|disabled|failed|failure|denied|granted"
    "|unavailable|yes|no|on|off|true|false|hidden|redacted|removed|omitted|changed|optional|read|write"
    "|inherit|n/a|active|inactive|unknown|unchanged|rotated|revoked|configured|unconfigured|not_set"
)
_DAYS = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may"
    "|june|july|august|september|october|november|december|today|tomorrow"
)
STATE = re.compile(_STATES, re.IGNORECASE)
WORD = re.compile(rf"(?:{_TYPES}|{_STATES})[.,;:!?)]{{0,2}}", re.IGNORECASE)
"""A value that no secret has."""
LOOSE_WORD = when_used(rf"(?:{_TYPES}|{_STATES}|{_DAYS})[.,;:!?)]{{0,2}}", re.IGNORECASE)
"""One that no secret has of a name that is a word of prose too:"""
LOOSE = re.compile(r"(?:session|signature|credential|authorization|cookie)", re.IGNORECASE)
LOOSER = re.compile(r"(?:session|signature|credential)", re.IGNORECASE)
"""One of which no value has letters alone."""
COLON_BEFORE = re.compile(r":[ \t]{1,4}\Z")
PROSE = when_used(
    r"(?!(?:bearer|basic|digest|token|apikey|negotiate|ntlm|hawk|key|dpop|aws)\b)"
    r"[A-Za-z]{1,14}(?:[,;.:]? [A-Za-z]{1,14}){2,}[.,;:!?]?",
    re.IGNORECASE,
)
"""Three words and more, the first of which is no scheme of authentication."""
LETTERS = re.compile(r"[A-Za-z]{1,14}")
WORDS = re.compile(r"[A-Za-z ]{2,48}")
LINE = re.compile(r"[^\r\n\\\"<>]{1,128}+(?=[\r\n\\\"<]|\Z)")
HYPHENATED = re.compile(r"[a-z]{2,14}(?:-[a-z]{2,14}){1,3}")
BEGINS_PROSE = re.compile(
    r"(?:an?|the|your|our|my|this|that|these|to|for|of|at|in|on|from|by|as|if|when|see|not|no|must"
    r"|should|can|will|is|was|are|use|used|enter|set|sent|stored|created|generated|hashed|which"
    r"|whether|how|what|where|why|string|optional|ask|check|contact|request|find|get|look|visit|read"
    r"|please|never|always|only|keep|click|copy|paste)",
    re.IGNORECASE,
)
"""How a sentence begins that says what something is, before a space."""

SHORT_PROSE = re.compile(rf"{BEGINS_PROSE.pattern}(?: [a-z]{{1,14}})?", re.IGNORECASE)
"""The same, in a piece."""

# An identifier: letters, but for the numbers that algorithms and encodings have in their names.
_PART = r"[A-Za-z_]{1,32}+(?:(?:2|3|4|5|8|16|32|64|128|256|384|512)[A-Za-z_]{0,24}+)?"
_JOINT = r"(?:\??\.|::|->)"
CODE = re.compile(rf"[$@&*!]?{_PART}(?:{_JOINT}{_PART}){{0,6}}!?")
"""``os.environ``, ``create_token``, ``Session::new``, which a parenthesis or a bracket follows."""
MEMBER = re.compile(rf"[$@&*!]?({_PART})(?:{_JOINT}{_PART}){{0,5}}{_JOINT}({_PART})!?[;)]{{0,2}}")
ROOT = re.compile(
    r"process|os|self|this|form|var|local|data|module|settings|config|cfg|env|import|req|request|res"
    r"|response|params|args|opts|options|ctx|context|secrets|state|props|body|event|window"
)
"""What most members are of that code has for a value: ``process.env.API_KEY``."""
_MODULE = (
    "jwt|json|crypto|hmac|base64|bcrypt|hashlib|getpass|uuid|requests|aiohttp|httpx|std|status"
)
_STORAGE = (
    "localStorage|sessionStorage|Session|Annotated|Optional|HTTPException|Depends|Column|SecretStr"
)
_VERB = (
    r"(?:get|create|generate|make|fetch|load|read|find|hash|encode|decode|sign|verify|build|parse)"
)
BEGINS_CODE = when_used(
    rf"(?:{_MODULE}|{_STORAGE}|{ROOT.pattern}|await|new|async|access|session|secret|user|api)"
    rf"(?:{_JOINT}(?:[A-Za-z_]{{1,24}})?){{0,4}}|{_VERB}(?:_[a-z]{{0,16}}|[A-Z][a-z]{{0,16}}){{0,4}}"
    r"|[a-z]{2,12}[-_](?:key|token|secret|password|id)?"
    r"|\$\{?[A-Za-z_.]{0,32}|\{{1,2}[ A-Za-z_.]{0,32}|<[A-Za-z_| -]{0,32}"
    r"|(?i:your)(?:[-_ ]?[A-Za-z]{0,16}){0,7}|include|same-origin|`|`?[Bb]earer"
)
"""What a value may be that goes on in the next piece: as models write it, token by token."""
KEYWORD = re.compile(
    r"impl|dyn|await|new|raise|return|throw|async|function|lambda|typeof|yield|not|if|match|try|fn|func"
)
INDEX = re.compile(r"\[\d{1,3}\]")
GENERIC = re.compile(r"<[\w |,.\[\]]{1,64}>\(")
"""What a function is called with that has types: ``useState<string | null>(null)``."""
MACRO = re.compile(r"[=:]?(?:True|False|None|nil|undefined|NULL|null|true|false)")
ARGUMENT = re.compile(
    r"[A-Za-z]{2,24}(?:_[A-Za-z]{2,24}){1,3}|[a-z]{2,24}(?:[A-Z][a-z]{2,24}){0,3}"
)
VARIABLE = re.compile(r"[$@:%#&*]{1,2}([A-Za-z_]{2,48})")

PLACEHOLDER = when_used(
    r"\$\{[^{}\s\"']{1,96}\}?|\$?\{\{.{0,96}|\$?\{[A-Za-z_][A-Za-z_.\[\]'\"()]{0,96}\}"  # templates
    r"|\$\([^()]{1,96}\)?|\$[A-Z][A-Z_]{2,48}|%\(\w{1,48}\)s|%[sdvq]|%[A-Z_]{3,48}%"
    r"|\?|\$\d{1,2}|</?[A-Za-z|][A-Za-z_| ./:-]{0,48}>?"  # a parameter of SQL, a word in brackets
    r"|\[[A-Za-z_ ]{2,24}\]"
    r"|(?:[a-z]{1,8}-)?(?i:<?(?:your|insert|replace|paste)(?:[-_ ]?[A-Za-z]{1,16}){1,7}>?)"
    r"|(?:KEY|TOKEN|PASSWORD|SECRET|VALUE|STRING|NAME|TEXT|FILE|PATH|ID|SESSION)|[A-Z]{2,16}(?:_[A-Z]{2,16}){0,3}"
    r"_(?:KEYS?|TOKENS?|PASSWORDS?|PASS|SECRETS?|CREDENTIALS?)"  # of a variable
    r"|change[-_ ]?(?:me|this|it)|replace[-_ ]?me|placeholder|redacted"
    r"|(?:required|nullable|sometimes|string)(?:\|[a-z_]{2,16}(?::[\w,]{1,16})?){1,8}"  # Laravel
    r"|[^A-Za-z0-9\s]?([^A-Za-z0-9\s])\1*|(?:[a-z]{1,8}[-_]){0,2}([xX])\2{2,}(?:[-_]?\2{2,})*"
    r"|(?:[a-z]{1,8}[-_]){0,2}\.{3}|[ ,;:|]{1,3}"
)
"""What stands in a secret's place: in a template, in a document, or because it was taken out."""
PAGE_TOKEN = re.compile(
    r".*(?:page|next|prev|previous|continuation|cursor|sync|resume|start)[-_]?token"
)
PAGE = re.compile(r"\d{1,12}")
"""A token of a page that counts (AIP-158): ``"page_token": "2"``."""
TOKEN_NAME = re.compile(r".*(?:token|session(?:[-_]?id)?|key)")
VERSION = re.compile(r"[=^~<>v]{0,3}\d{1,4}(?:\.\d{1,5}){1,3}(?:[-+][a-z][\w.]{0,20})?")
"""Of a package that is called as a secret is: ``"express-session": "^1.17.3"``."""
NSSWITCH = re.compile(
    r"[ \t]*(?:(?:files|compat|systemd|sss|ldap|nis|nisplus|db|dns|winbind|extrausers"
    r"|\[[^\]\r\n]{1,32}\])(?=[ \t\r\n\\]|\Z)[ \t]*)+(?:[\r\n\\]|\Z)"
)
"""Where nsswitch.conf(5) says that users are looked up, which is called passwd."""
SHORT_NUMBER = re.compile(r"\d{1,2}")

_SCHEME = re.compile(r"[`\"']?(?:(?:bearer|basic|token|apikey)[ +]{1,4})+", re.IGNORECASE)
DOCUMENTED = re.compile(
    r"[:@](?:param|arg|argument|type|keyword|kwarg|i?var|raises)[ ](?:[\w.\[\]|]{1,32}[ ])?"
    r"[\w-]{0,48}\Z"
)
"""How a docstring names what it describes: ``:param access_token: Access token string``."""
LABEL_OF_TOKEN = re.compile(r"[A-Z][a-z\x80-\xff]{2,32}")
"""A word as a label has it, which no token is if it names one: ``{"token": "Zugriffstoken"}``."""
OF_PAGES = re.compile(r"(?:(?:input|output)_token|(?:limit|result|more_results)_key)s?")
_STEP = r"[A-Za-z]{2,40}(?:\[-?\d\])?"
MEMBERS = re.compile(rf"{_STEP}(?:(?:\.| \|\| ){_STEP}){{0,4}}")
"""What a description of a service says which member leads to the next page:
``"output_token": "NextToken"``."""
PERMISSION = re.compile(r"read|write|none|inherit|enabled|disabled|not_set|selected")
"""What a workflow, or a repository's settings, has for names of secrets: ``id-token: write``."""
TYPE_OF_COLUMN = re.compile(
    r"(?:n?(?:var)?(?:char|binary)2?|(?:tiny|small|medium|big)?int(?:eger)?|bit|blob|text)\(\d{1,5}\)",
    re.IGNORECASE,
)
"""What a table of columns says of one that is named after a secret."""
NAMED_OBJECT = re.compile(
    r"\\{0,7}[\"'`] (?:is forbidden|(?:was |could )?not (?:be )?found|already exists|is invalid"
    r"|created|deleted|configured|unchanged|patched|labeled|annotated|rotated|in namespace"
    r"|does not exist|has been|is being|of type|must exist)\b"
)
"""What a message says of an object that has a name: ``secret "db-password" is forbidden``."""
OBJECT_NAME = re.compile(r"[a-z][a-z\d]{0,24}(?:[-./][a-z\d]{1,24}){0,6}")
COMMAND_LINE = re.compile(
    r"(?:node|npm|npx|yarn|pnpm|ts-node|tsx|python3?|bash|sh|cargo|openssl|docker|kubectl|php|deno|bun)"
    r" [^\"\\]*"
)
"""What a script is called as a secret for: ``"generate:secret": "node secret.js"``."""
SAMPLE = re.compile(r"pass|pwd|pw|secret|token|key", re.IGNORECASE)
"""Too short for a secret, and what documents have in the place of one."""
SIGNATURE_OF_CODE = when_used(r"[^()\"]{0,96}\([^\"]*\)[^\"]*")
"""That of a function, as language servers write it: ``def f(x: int) -> int``."""
SHORTEST_CURSOR = 8
COOKIE_WORDS = when_used(
    r"(?:[ ]?(?:(?i:max-age)=-?\d{1,10}|(?:(?:[\w-]{1,24}|<[\w -]{1,24}>)=)?"
    r"(?:[A-Za-z/-]{1,8}|<[\w -]{1,24}>))(?:;|\Z)){1,8}"
)
"""A cookie that remembers a word, with its attributes: ``lang=en; Path=/``, or stands for any:
``<name>=<value>; Secure``."""
COOKIE_PROSE = re.compile(r"[a-z]{2,14} [a-z]{1,14} [a-z]{2,14}")
"""Words in what may be a cookie, of which"""
COOKIE_VALUE = re.compile(r"=|\d[A-Za-z]|[A-Za-z]\d|\d{5}")
"""none is a value that has a digit, nor a long number."""
NAMES_KEY = "secretkey"
"""What ExternalSecret calls the key that a secret gets: ``secretKey: password``."""
SECRET_ID = re.compile(r".*secret[-_]?id")
PATH = re.compile(r"[A-Za-z_-]{1,32}(?:/[A-Za-z_-]{1,32}){1,4}")
"""What a manager of secrets calls one: that of a role of Vault's is random."""
SESSION_STATE = re.compile(
    r"open(?:ed)?|closed?|active|inactive|idle|started|ended|expired|unknown|pending|ready"
)
IN_TICKS = re.compile(r"`[^`]+`")
"""All of a value, as Markdown has code."""
FETCH = re.compile(r"include|same-origin|omit")
"""The Fetch standard's credentials mode."""
BEARER_WORD = re.compile(
    r"(?:authenti(?:cation|cated)|authoriz(?:ation|ed)|credentials?|realm|tokens?|format)[.,:;]?",
    re.IGNORECASE,
)
"""What follows the word "bearer" in prose."""
FORM_PROSE = re.compile(r"[a-z]{1,14}(?:\+[A-Za-z]{1,14}){1,}[.,;:]?(?=\+|\Z)")
"""Words of prose in a form."""
SAMPLE_LOGIN = re.compile(
    r"(?:(?:(?<![\w.-])|(?<=%2F))(?:user|username|usr|name|login)|[}>])(?::|%3A)"
    r"(?:pass|passw(?:or)?d|pwd|[<{$]\S*)(?:@|%40)?\Z",
    re.IGNORECASE,
)
LOGPROB = re.compile(r"\\*[\"'],?\s{0,4}\\*\"(?:logprob|bytes|prob|rank)\\*\"")
"""What follows a token that a model says, of which it is no name of a secret."""


ADDRESS = re.compile(
    r"h(?:t{1,2}p?s?:?/?|ttps?://[\w.:-]{0,96}(?:/(?:[A-Za-z_.~-]{0,32}\d{0,2})){0,8}"
    r"(?:[?#][\w=%./-]{0,24})?)"
)
"""Where a password can be reset, without anything random: that is told by what leads there."""


@lru_cache(1_024)  # the same few come again and again
def _ends_as_plain(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def is_plain_name(name: str, value: str) -> bool:
    """Return whether a name, in lower case, is that of no secret, whose value follows."""
    if not _ends_as_plain(name):
        return False
    return "primary" not in name or ACCOUNT_KEY.match(value) is None


def is_plain_value(value: Value, name_here: str) -> bool:
    """Return whether a value that may be quoted is no secret; ``name_here`` is how its name ends,
    as it is written."""
    text, start, end, name, _ = value
    after = text[end : end + 1]
    said = text[start:end]
    if _closes_string(value, name_here) or is_plain_around(value, said):
        return True
    if (after and _counts(name, said)) or (name == "passwd" and NSSWITCH.match(text, start)):
        return True
    if not after:  # it may go on
        known = [PLACEHOLDER, MACRO, SECRET_NAME, *([WORD] if IN_TICKS.fullmatch(said) else [])]
        whole = said.strip("`").rstrip("]")
        is_whole = any(one.fullmatch(whole) for one in known)
        is_whole = is_whole or ("cookie" in name and _is_cookie_of_words(said))
        return is_whole or _is_word(value, name_here) or BEGINS_CODE.fullmatch(said) is not None
    scheme = _SCHEME.match(said)
    said = said[scheme.end() :] if scheme else said
    plain = said.strip("`'\"")
    is_bare = said[:1].isalpha()  # an argument in brackets
    if not plain or is_placeholder(plain.rstrip("]" if is_bare else "")) or VERSION.fullmatch(said):
        return True
    if name.endswith("credentials") and FETCH.fullmatch(plain):
        return True
    if text[start - 1 : start] in ('"', "'"):
        return _is_plain_string(value, said)
    if _is_sample_cursor(name, plain) or ("cookie" in name and _is_cookie_of_words(said)):
        return True
    if name == NAMES_KEY and is_other_name(said):
        return True
    return _is_word(value, name_here) or _is_code(value, name_here)


def is_other_name(said: str) -> bool:
    """Return whether a value is the name of another secret, which has no digit."""
    return SECRET_NAME.fullmatch(said) is not None and not any(map(str.isdigit, said))


def _is_cookie_of_words(said: str) -> bool:
    """Return whether what stands where cookies do is words, or prose about one."""
    if COOKIE_WORDS.fullmatch(said):
        return True
    if COOKIE_PROSE.search(said) is None:
        return False
    return COOKIE_VALUE.search(said) is None or not any(map(str.isdigit, said))


def _is_sample_cursor(name: str, said: str) -> bool:
    """Return whether a value is what documents have for a token of a page: ``page_token=abc``."""
    return len(said) < SHORTEST_CURSOR and said.isalpha() and PAGE_TOKEN.fullmatch(name) is not None


def _counts(name: str, said: str) -> bool:
    """Return whether a value is a number, of a page or of one among few."""
    if not said.isdigit():
        return False
    if PAGE_TOKEN.fullmatch(name) and PAGE.fullmatch(said):
        return True
    return len(said) < 4 and TOKEN_NAME.fullmatch(name) is not None


def _closes_string(value: Value, name_here: str) -> bool:
    """Return whether the quote before a value is that after a name: ``input("Password: ")``."""
    text, start, _, _, begins = value
    said_after = text[begins + len(name_here) : start]
    return (
        said_after[:1] in (":", "=")
        and said_after[-1:] in ('"', "'")
        and (text[start] in ")],;}" or text[start].isspace())
    )


def is_of_pages(name: str, said: str) -> bool:
    """Return whether a value is the member that a service has its pages in."""
    return OF_PAGES.fullmatch(name) is not None and MEMBERS.fullmatch(said) is not None


def is_placeholder(said: str) -> bool:
    """Return whether a value only stands in the place of one."""
    return PLACEHOLDER.fullmatch(said) is not None


def is_plain_token(said: str, whole: str, *, is_cut: bool) -> bool:
    """Return whether what looks like a token, or stands in a URL, is none; ``whole`` is that with
    what tells it, ``is_cut`` whether it may go on."""
    if FORM_PROSE.match(said):
        return True
    if whole[:6].lower() == "secret" and SECRET_OF_STORE.fullmatch(said):
        return True
    if is_cut and whole[:6].lower() == "bearer" and BEGINS_CODE.fullmatch(said):
        return True
    return (
        is_placeholder(said)
        or BEARER_WORD.fullmatch(said) is not None
        or SAMPLE_LOGIN.search(whole) is not None
    )


def _is_plain_string(value: Value, said: str) -> bool:
    text, _, end, name, _ = value
    if (name == "accesskey" and len(said) == 1) or is_of_pages(name, said):
        return True
    if name.endswith("token") and LOGPROB.match(text, end):
        return True
    if name.endswith("session") and SESSION_STATE.fullmatch(said):
        return True
    if said == "string" or COMMAND_LINE.fullmatch(said) or SAMPLE.fullmatch(said):
        return True
    if name.endswith("signature") and SIGNATURE_OF_CODE.fullmatch(said):
        return True
    if _is_sample_cursor(name, said) or (PERMISSION.fullmatch(said) and "pass" not in name):
        return True
    if "token" in name and LABEL_OF_TOKEN.fullmatch(said):
        return (ABOUT.search(said) or ABOUT_IN_OTHERS.search(said)) is not None
    if name.endswith(("secret", "secrets")) and OBJECT_NAME.fullmatch(said):
        is_object = NAMED_OBJECT.match(text, end) is not None
        return is_object or is_sentence(said, name)
    if SECRET_ID.fullmatch(name) and PATH.fullmatch(said):
        return True
    return is_sentence(said, name)


def _is_word(value: Value, name_here: str) -> bool:
    """Return whether a value without a quote only says something, after ``name:`` and a space."""
    text, start, end, name, begins = value
    said, after = text[start:end], text[end : end + 1]
    if COLON_BEFORE.search(text, max(start - 6, 0), start) is None:
        if "." in name and said in IN_OTHER_LANGUAGES:  # of a catalog: login.password=Passwort
            return True
        is_key = text[start - 1 : start] == ":" and LOOSER.fullmatch(name_here) is not None
        return is_key and LETTERS.fullmatch(said) is not None  # of a store: session:count
    is_loose = LOOSE.match(name_here) is not None
    if DOCUMENTED.search(text, max(begins - 96, 0), begins) is not None:
        return True
    if name == "session" and SESSION_STATE.fullmatch(said):
        return True
    if ADDRESS.fullmatch(said):
        return True
    if (LOOSE_WORD if is_loose else WORD).fullmatch(said):
        return True
    line = LINE.match(text, start)
    if line is not None and (
        line[0].rstrip() in IN_OTHER_LANGUAGES
        or (SAYS_IN_OTHERS.fullmatch(line[0]) and ABOUT_IN_OTHERS.search(line[0]))
    ):
        return True
    words = WORDS.match(text, start)
    if after and words is not None and said[:1].isupper() and is_same(words[0].strip(), name):
        return True  # in a list of messages
    is_followed = after == " " and (text[end + 1 : end + 2].isalpha() or end + 1 == len(text))
    if (not after or is_followed) and BEGINS_PROSE.fullmatch(said):
        return True
    if not is_loose:
        return False
    if PROSE.fullmatch(said.strip()) or (not after and SHORT_PROSE.fullmatch(said)):
        return True
    kinds = (LETTERS, HYPHENATED) if after == " " else (LETTERS,)
    is_looser = bool(after) and LOOSER.match(name_here) is not None
    return is_looser and any(one.fullmatch(said) for one in kinds)


def _is_code(value: Value, name_here: str) -> bool:
    """Return whether a value without a quote is an expression, or a number that counts."""
    text, start, end, name, begins = value
    said, after = text[start:end], text[end : end + 1]
    is_value = text[start - 1 : start] != " "  # a form has no space there
    if (after == "&" and is_value) or text[begins - 1 : begins] in ("?", "&"):  # it is a form's
        return False
    if said[:1] == "?" and "${" in text[max(begins - 64, 0) : begins]:  # what a shell says if unset
        return True
    if SHORT_NUMBER.fullmatch(said) or (name.endswith("seed") and said.isdigit()):
        return True
    code = CODE.match(said)
    if code is not None:
        follows = (said + text[end : end + 2])[code.end() :]
        if follows[:1] == "(" or (follows[:1] == "[" and follows[1:2] in ('"', "'", ":", "s")):
            return True
        if INDEX.match(text, start + code.end()) or GENERIC.match(text, start + code.end()):
            return True
    if MACRO.fullmatch(said) or (after == " " and KEYWORD.fullmatch(said)):
        return True
    if (member := MEMBER.fullmatch(said)) is not None:
        return ROOT.fullmatch(member[1]) is not None or SECRET_NAME.fullmatch(member[2]) is not None
    variable = VARIABLE.fullmatch(said)
    if variable is not None and SECRET_NAME.fullmatch(variable[1]):
        return True
    if (
        "-" in text[max(begins - 1, 0) : begins + 1] and text[end : end + 2] == "  "
    ):  # in a command's help
        return said.isupper() or WORD.fullmatch(said) is not None
    said_after = text[begins + len(name_here) : start][:1]
    is_argument = after in (")", ",", "}") and (
        text[begins - 1 : begins] in ("(", " ", ",") or said_after in ('"', "'", "\\")
    )
    if is_argument and ARGUMENT.fullmatch(said) and SECRET_NAME.fullmatch(said):
        return True
    last = name.rpartition(".")[2]
    return said in (name_here, last) or (
        last != name and said[:1].isupper() and said.lower() == last
    )
