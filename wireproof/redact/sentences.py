"""Sentences about secrets, labels and messages, in English and in other languages.

Text is read as Latin-1: words of other languages are looked for as the bytes of their UTF-8.
"""

from __future__ import annotations

import re

from parsers.expressions import when_used

SAYS = when_used(
    r"(?!.*(?:\d{4}|\d[A-Za-z]|[A-Za-z]\d|[=\\]))[A-Z\u00c0-\u00de][^\"<>{}]*[ ].*"
    r"(?:\b(?:your|must|please|choose|pick|use|type|repeat|again|required|invalid|forgot|reset"
    r"|confirm|expired|characters?|field"
    r"|is|are|has|was|not|cannot|the|this|that|we|with|to|for|of|or|and|enter)\b.*|[.?!:])",
    re.IGNORECASE,
)
"""A sentence, which passphrases are none: its words say something of others."""
PREDICATE = when_used(
    r"(?!.*(?:\d[A-Za-z]|[A-Za-z]\d|[=\\]))(?:is|are|was|has|have|can(?:not|(?:'|\xe2\x80\x99)t)?"
    r"|must|should|may|will|needs?|does(?:n't)?|do|did|too"
    r"|ist|sind|muss|darf|kann|soll|hat|wird|est|doit|peut|ne|n'est|es|debe|no|puede|est\xc3\xa1|son"
    r"|\xc3\xa9|deve|n\xc3\xa3o|pode|\xc3\xa8|non|pu\xc3\xb2|mag|moet|wordt|kan|m\xc3\xa5ste|f\xc3\xa5r|\xc3\xa4r|er|skal"
    r"|nie|musi|jest|\xd0\xbd\xd0\xb5|\xd0\xb4\xd0\xbe\xd0\xbb\xd0\xb6\xd0\xb5\xd0\xbd)"
    r"[ ][a-z\x80-\xff][^\"<>{}=]*",
    re.IGNORECASE,
)
"""What a message says of the field that it stands under: ``{"password": ["can't be blank"]}``."""
OF_MESSAGE = when_used(
    r"blank|empty|short|long|least|most|required|invalid|valid|match|confirm|include|contain|taken"
    r"|used|common|weak|wrong|incorrect|expired|missing|present|accepted|allowed|digit|letter|number"
    r"|minim|maxim|characters?|leer|kurz|lang|zeichen|ausgef|stimm|g\xc3\xbclt|court|vide|rempli"
    r"|corto|vac\xc3\xado|blanco|curto|branco|caract|breve|vuoto|lege?r|leeg|tekens|tom|kort|pust"
    r"|kr\xc3\xb3tk|znak|\xd0\xbf\xd1\x83\xd1\x81\xd1\x82|\xd0\xba\xd0\xbe\xd1\x80\xd0\xbe\xd1\x82",
    re.IGNORECASE,
)
ABOUT = re.compile(
    r"pass[- ]?(?:word|phrase|code)s?|tokens?|sessions?|secrets?|keys?|cookies?|credentials?"
    r"|signatures?|authorization|field|code|sign|log|characters?|blank|required|invalid|m(?:in|ax)imum",
    re.IGNORECASE,
)
NO_LETTER = re.compile(r"[ _.-]")
LABEL = re.compile(r".*(?:label|field|title|text|menu|button|form|login|signin|new|repeat)[-_.]")
"""How a name begins in a catalog of messages."""
NO_SENTENCE = re.compile(r".*(?:phrase|mnemonic|recovery|seed|answer)")
"""Names whose values are sentences."""


def _as_latin1(*words: str) -> list[str]:
    return [word.encode().decode("latin-1") for word in words]


IN_OTHER_LANGUAGES = frozenset(
    _as_latin1(
        *("Passwort", "Kennwort", "Mot de passe", "Senha", "Wachtwoord", "Sitzung", "Jeton"),
        *("Contraseña", "Lösenord", "Hasło", "Adgangskode", "Parola", "Şifre", "Palavra-passe"),
        *("Passord", "Salasana", "Пароль", "Heslo", "Jelszó", "Schlüssel", "Sesión", "Clave"),
    )
)
"""What a catalog of messages has for names of secrets; UTF-8 is read as Latin-1."""
ABOUT_IN_OTHERS = re.compile(
    "|".join(
        _as_latin1(
            *("passw[oö]rt", "kennwort", "mots? de passe", "senha", "wachtwoord", "sitzung"),
            *("contraseñ", "lösenord", "has[łl][oa]", "adgangskode", "parola", "şifre", "jeton"),
            *("palavra-passe", "passord", "salasana", "парол", "heslo", "jelszó", "schlüssel"),
            *("sesi[oó]n", "sessione", "clave", "clé", "secr[eèé]t", "segret", "geheim", "токен"),
        )
    ),
    re.IGNORECASE,
)
SAYS_IN_OTHERS = re.compile(r"(?!.*\d)[A-Z\u0080-\u00ff][^\"<>{}=\\]*[ ][^\"<>{}=\\]*")
"""Words in another language, the first of which begins as those of a label do."""
_CJK = _as_latin1(
    *(
        "パスワード",
        "トークン",
        "キー",
        "シークレット",
        "秘密",
        "暗証",
        "密码",
        "密碼",
        "口令",
        "令牌",
    ),
    *("密钥", "密鑰", "鍵", "비밀", "토큰", "암호", "키"),
)
WITHOUT_SPACES = re.compile(
    rf"(?:[A-Z][A-Za-z]{{1,7}})?[ ]?[^\x00-\x7f]*(?:{'|'.join(_CJK)})(?:[^\x00-\x7f]|[ ?!.,:])*"
)
ESCAPE = re.compile(r"\\+u([0-9A-Fa-f]{4})")


def is_same(said: str, name: str) -> bool:
    """Return whether a value is its name, as words: ``"apiKey": "API key"``."""
    letters = NO_LETTER.sub("", said).lower()
    return letters == NO_LETTER.sub("", name) or (
        LABEL.match(name) is not None and NO_LETTER.sub("", name).endswith(letters)
    )


def is_sentence(said: str, name: str) -> bool:
    """Return whether a string says something about what its name, in lower case, is."""
    if NO_SENTENCE.match(name):
        return False
    is_name_itself = said[:1].isupper() and is_same(said.rstrip(": *"), name.rpartition(".")[2])
    if "\\u" in said:
        said = ESCAPE.sub(_character, said)
    if is_name_itself or said in IN_OTHER_LANGUAGES or WITHOUT_SPACES.fullmatch(said):
        return True
    if SAYS_IN_OTHERS.fullmatch(said) and ABOUT_IN_OTHERS.search(said):
        return True
    if PREDICATE.fullmatch(said) and OF_MESSAGE.search(said):
        return True
    return SAYS.fullmatch(said) is not None and ABOUT.search(said) is not None


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)).encode(errors="surrogatepass").decode("latin-1")
