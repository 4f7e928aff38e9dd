"""Names of secrets in other languages than English, as JSON, forms, YAML and prose write them.

Text is read as Latin-1, so a name is looked for as the bytes of its UTF-8 are in that, and as JSON
escapes it. Words about secrets stay: without a quote only what has a digit, a sign or two cases in
it is a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .names import ANY_MEMBER, BETWEEN, LONG_CODE, PLURAL, XML

NAMES = (
    *(
        "passwort",
        "kennwort",
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
    *("пар|оль", "пар|ола", "ток|ен", "сек|рет", "лоз|инка", "κωδ|ικός", "סיס|מה", "סיס|מא"),
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
)
"""In lower case, with a mark behind as much as is looked for first; "_" is what may be a space."""
KEYS = ("schl|üssel", "schluessel", "sleutel", "clave", "chave", "chiave", "cl|é", "клю|ч", "キ|ー")
"""Words for keys of every kind: their values are secret if they are long."""
_VALUE_BEGINS = (
    r"(?=\\{0,7}[\"'`\[{]"
    r"|(?![^\s\"'\\]{0,64}?\()[!#-&(-\[\]-~]{0,64}?(?:\d|[@#$%^*+=~]|[a-z][A-Z]))"
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


def foreign_names() -> Iterator[tuple[str, str]]:
    """Yield how names begin, in lower case, and the expression of all that begin so, each with its
    value."""
    value = rf"(?:et)?{PLURAL}(?:{BETWEEN}{_VALUE_BEGINS}{ANY_MEMBER}|{XML}|{SAID})"
    long = rf"(?:[ _-][A-Za-z' ]{{1,12}})?{BETWEEN}(?=[^\s\d]{{0,64}}\d){LONG_CODE}"
    for names, rest in ((NAMES, value), (KEYS, long)):
        found: dict[str, list[str]] = {}
        for name in names:
            begins, _, others = name.partition("|")
            found.setdefault(begins, []).append("".join(map(_character, others)))
        for begins, endings in found.items():
            pattern = "".join(map(_character, begins)) + rf"(?:{'|'.join(endings)})"
            for way in _written(begins):
                yield way, rf"(?<![A-Za-z0-9])(?i:{pattern}){rest}"


def _written(begins: str) -> Iterator[str]:
    """Yield how the beginning of a name is written: in UTF-8, and escaped in JSON."""
    if begins.isascii():
        yield begins
        return
    for way in dict.fromkeys((begins, begins.capitalize(), begins.upper())):
        yield way.encode().decode("latin-1")
    at = 1 if begins[0].isascii() else 0
    for way in dict.fromkeys((begins[at], begins[at].upper())):
        for sign in ("\\", "\\\\")[: at + 1]:  # of a string in a string the second one begins it
            yield f"{begins[:at]}{sign}u{ord(way):04x}"


def _character(one: str) -> str:
    """Return the expression of a character in all ways it may be written."""
    if one == "_":
        return "[ _-]?"
    if one.isascii():
        return re.escape(one)
    ways = [way.encode().decode("latin-1") for way in dict.fromkeys((one, one.upper()))]
    ways += [rf"\\{{1,3}}u{ord(way):04x}" for way in dict.fromkeys((one, one.upper()))]
    return f"(?:{'|'.join(ways)})"
