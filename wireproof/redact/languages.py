"""Names of secrets in other languages than English, as JSON, forms, YAML and prose write them.

Text is read as Latin-1, so a name is looked for as the bytes of its UTF-8 are in that, and as JSON
escapes it. Words about secrets stay: without a quote only what has a digit, a sign or two cases in
it is a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .names import ANY_MEMBER, BETWEEN, LONG_CODE, PLURAL, WORD_BEGINS, XML

NAMES = (
    *(
        "passwort",
        "kennwort",
        "zugangsdaten",
        "geheim|wort",
        "geheim|nis",
        "contrase|ña",
        "contrasen|a",
        "contrasen|ya",
    ),
    *(
        "secret|o",
        "mot|_de_passe",
        "motde|passe",
        "mdp",
        "jeton",
        "senha",
        "palavra|_passe",
        "segredo",
    ),
    *("segreto", "parola", "parol|ă", "ş|ifre", "sifre", "wachtwoord", "lö|senord", "losenord"),
    *(
        "passord",
        "adgangskode",
        "kodeord",
        "salasana",
        "parool",
        "has|ło",
        "haslo",
        "heslo",
        "jelsz|ó",
    ),
    *("jelszo", "geslo", "lozinka", "slapta|žodis", "mậ|t_khẩu", "mat|_khau", "kata|_sandi"),
    *(
        "пар|оль",
        "пар|ола",
        "ток|ен",
        "сек|рет",
        "лоз|инка",
        "κωδ|ικός",
        "סיס|מה",
        "סיס|מא",
        "פסו|ורד",
    ),
    *(
        "كلم|ة_المرور",
        "كلم|ة_السر",
        "पास|वर्ड",
        "รหัส|ผ่าน",
        "密|码",
        "密|碼",
        "口|令",
        "令|牌",
        "密|钥",
    ),
    *("密|鑰", "秘|钥", "秘|密鍵", "パ|スワード", "ト|ークン", "暗|証番号", "シ|ークレット"),
    *("비|밀번호", "비|밀키", "암|호", "토|큰"),
    *("পাস|ওয়ার্ড", "கட|வுச்சொல்", "პარ|ოლი", "գաղ|տնաբառ"),
    *("رمز|_عبور", "گذر|واژه", "پاس|_ورڈ", "kata|_laluan"),
)
"""In lower case, with a mark behind as much as is looked for first; "_" is what may be a space."""
KEYS = (
    *("schl|üssel", "schluessel", "sleutel", "clave", "chave", "chiave", "cl|é", "клю|ч", "キ|ー"),
    *("geheim", "gizli", "anahtar", "klucz", "kl|íč", "nyckel", "nø|kkel", "nø|gle", "avain"),
    *("kulcs", "cheie", "κλει|δί", "kh|óa", "kunci", "مفت|اح", "कुं|जी", "키"),
    *("token d|e", "token_d|e", "token d|'", "token d|’", "secr|ète", "secr|et d"),
)
"""Words for keys of every kind, and those that stand for one before others: their values are secret
if they are long."""
COMPOUND = ("passwort", "kennwort", "schl", "schluessel", "sleutel", "wachtwoord", "nyckel")
"""How those begin that are the last part of a word: ``Zugangsschlüssel``."""
_NO_HINT = r"(?!\d{1,4}(?:[\xe3-\xed]|[ ](?:[A-Za-z\x80-\xff]|\\)|\\{1,3}u[3-9a-dA-D]))"
"""Not what a hint counts: "12 characters", in any language."""
_VALUE_BEGINS = (
    r"(?=\\{0,7}[\"'`\[{]"
    rf"|{_NO_HINT}(?![^\s\"'\\]{0, 64}?\()[!#-&(-\[\]-~]{0, 64}?(?:\d|[@#$%^*+=~]|[a-z][A-Z]))"
)
_MIXED = r"((?=[!-~]{0,64}?\d)(?=[!-~]{0,64}?[A-Za-z])[\w~+=.@#$%^*!?/-]{6,}+)"
_IS = "|".join(
    word.encode().decode("latin-1")
    for word in ("ist", "lautet", "es", "est", "é", "è", "är", "er", "on", "to", "jest", "is")
)
_IS_CJK = "|".join(
    word.encode().decode("latin-1") for word in ("是", "为", "為", "は", "는", "은", "：")
)
_QUOTES = "|".join(word.encode().decode("latin-1") for word in ("「", "『", "“", "«", "„", "‘"))
_ESCAPES = r"(?:\\{1,3}u[0-9A-Fa-f]{4}){1,3}r?"
SAID = (
    rf"(?:[ ]{{1,4}}(?:{_IS}|{_ESCAPES}):?[ ]{{1,4}}|[ ]?(?:{_IS_CJK}|{_ESCAPES})[ ]?)"
    rf"(?:\\{{0,7}}[\"'`]|{_QUOTES})?{_MIXED}"
)
"""What prose says: ``das Passwort ist ...``, ``密码是...``."""


_IN_WORD = r"(?:[A-Za-z'\x80-\xff]|\\{1,3}u[0-9A-Fa-f]{4})"
_MORE = rf"(?>(?:[ _-]?{_IN_WORD}{{1,24}}){{0,3}})"
"""Words behind one, which say what it is for: ``clave de API``, ``clé secrète``."""


def foreign_names() -> Iterator[tuple[str, str]]:
    """Yield how names begin, in lower case, and the expression of all that begin so, each with its
    value."""
    of_long = rf"{_MORE}{BETWEEN}{_NO_HINT}(?!https?:)(?=[^\s\d]{{0,64}}\d){LONG_CODE}"
    value = rf"(?:(?:et)?{PLURAL}(?:{BETWEEN}{_VALUE_BEGINS}{ANY_MEMBER}|{XML}|{SAID})|{of_long})"
    for names, rest in ((NAMES, value), (KEYS, of_long)):
        for begins, pattern in _alternatives(names).items():
            before = f"(?:{WORD_BEGINS}|(?<=[a-z]))" if begins in COMPOUND else WORD_BEGINS
            for way, _ in _written(begins):
                yield way, rf"{before}(?i:{pattern}){rest}"


def after_foreign() -> Iterator[tuple[bytes, bytes]]:
    """Yield how names begin, in lower case, and what follows in all that begin so, as bytes."""
    for begins, pattern in _alternatives((*NAMES, *KEYS)).items():
        for way, is_whole in _written(begins):
            known = len("".join(map(_character, begins if is_whole else begins[: _at(begins) + 1])))
            yield way.encode("latin-1").lower(), pattern[known:].encode("latin-1").lower()


def _alternatives(names: Sequence[str]) -> dict[str, str]:
    """Return how names begin, each with the expression of all that begin so."""
    found: dict[str, list[str]] = {}
    for name in names:
        begins, _, others = name.partition("|")
        found.setdefault(begins, []).append("".join(map(_character, others)))
    return {
        begins: "".join(map(_character, begins)) + rf"(?:{'|'.join(endings)})"
        for begins, endings in found.items()
    }


def _written(begins: str) -> Iterator[tuple[str, bool]]:
    """Yield how the beginning of a name is written, in UTF-8 and escaped in JSON, and whether that
    is all of it: of what is escaped it is the first escape."""
    if begins.isascii():
        yield begins, True
        return
    for way in dict.fromkeys((begins, begins.capitalize(), begins.upper())):
        yield way.encode().decode("latin-1"), True
    at = _at(begins)
    for way in dict.fromkeys((begins[at], begins[at].upper())):
        for sign in ("\\", "\\\\")[: at + 1]:  # of a string in a string the second one begins it
            yield f"{begins[:at]}{sign}u{ord(way):04x}", False


def _at(begins: str) -> int:
    """Return where the first character stands that JSON escapes."""
    return next(at for at, one in enumerate(begins) if not one.isascii())


def _character(one: str) -> str:
    """Return the expression of a character in all ways it may be written."""
    if one == "_":
        return "[ _-]?"
    if one.isascii():
        return re.escape(one)
    ways = [way.encode().decode("latin-1") for way in dict.fromkeys((one, one.upper()))]
    ways += [rf"\\{{1,3}}u{ord(way):04x}" for way in dict.fromkeys((one, one.upper()))]
    return f"(?:{'|'.join(ways)})"
