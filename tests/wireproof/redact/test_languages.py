"""Names of secrets in other languages: in UTF-8, escaped in JSON, in a string in a string."""

from __future__ import annotations

import json

import pytest

from wireproof.redact.languages import foreign_names
from wireproof.redact.secrets import find, mask_spans

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
WITH_SECRET = [
    *(
        "Passwort: {}",
        "Kennwort={}",
        "das Passwort ist {}",
        "API-Schlüssel: {}",
        '{"passwort":"{}"}',
    ),
    *("mot de passe : {}", "le mot de passe est {}", "motdepasse={}&a=b", "clé API : {}"),
    *('{"contraseña":"{}"}', "la contraseña es {}", '{"contrasena":"{}"}', "CONTRASEÑA: {}"),
    *('{"senha":"{}"}', "a senha é {}", "palavra-passe: {}", "chave de acesso: {}"),
    *("wachtwoord: {}", "parola: {}", '{"parolă":"{}"}', '{"Şifre":"{}"}', '{"şifre":"{}"}'),
    *('{"lösenord":"{}"}', "lösenordet är {}", "adgangskode={}", "passord: {}", "salasana: {}"),
    *(
        "Hasło: {}",
        '{"haslo":"{}"}',
        '{"heslo":"{}"}',
        "jelszó: {}",
        "mật khẩu: {}",
        "kata sandi: {}",
    ),
    *("пароль: {}", "Пароль: {}", "ПАРОЛЬ={}", "токен: {}", '{"пароль":"{}"}', "κωδικός: {}"),
    *("密码：{}", "密码是{}", '{"密码":"{}"}', "密鑰: {}", "口令为 {}", "パスワードは「{}」です"),
    *(
        '{"パスワード":"{}"}',
        "비밀번호: {}",
        "토큰: {}",
        "סיסמה: {}",
        "كلمة المرور: {}",
        "รหัสผ่าน: {}",
    ),
    "<passwort>{}</passwort>",
    # words behind them, and before them in one word
    *('{"clé secrète":"{}"}', "jeton d’accès = '{}'", "пароль доступа: {}", "chave_de_api={}"),
    *("κωδικός πρόσβασης: {}", 'Zugangsschlüssel = "{}"', '{"gizli anahtar":"{}"}'),
    *(
        "token de acceso: {}",
        "Datenbankpasswort: {}",
        "Zugangsdaten: {}",
        '{"geheim":"{}"}',
        "klucz API: {}",
    ),
    *("nøkkel: {}", "মূল পাসওয়ার্ড: {}", "clave_secreta={}", "секретный ключ: {}"),
]
WITHOUT = [
    *("Passwort: mindestens acht Zeichen", "Passwort vergessen?", "Das Passwort ist falsch."),
    *("das Passwort: bitte eingeben", '{"senha":"Senha"}', "Senha: obrigatória"),
    *('{"contraseña":"Introduzca su contraseña"}', "la contraseña es obligatoria"),
    *("El secreto: la paciencia", "palavra-passe: introduza", "Mot de passe : oublié ?"),
    *("Le mot de passe doit contenir au moins huit caractères.", "la parola è d'argento"),
    *("пароль должен быть не короче 8 символов", "Пароль: обязательное поле"),
    *("パスワードは8文字以上にしてください。", "密码必须至少8个字符", "密码：必填"),
    *("비밀번호는 8자 이상이어야 합니다", "clave: valor", "der Schlüssel: Geduld"),
    *("パスワード: 12文字以上で入力してください", "Пароль: 12 символов минимум", "geheim: ja"),
    *("la clé du succès: 42 heures", "token de l'utilisateur: obligatoire"),
]


def masked(text: str) -> str:
    data = text.encode().decode("latin-1")
    return mask_spans(data, find(data)).encode("latin-1").decode(errors="replace")


def ways(text: str) -> list[str]:
    """As it is, and in JSON: in UTF-8 and escaped, and in a string in a string; and the same at the
    beginning of a line."""
    found = [text]
    for before in ("", "a\n", "\t", "a\r\n", "**"):
        content = {"text": before + text}
        whole = [json.dumps(content), json.dumps(content, ensure_ascii=False)]
        found += [*whole, *(json.dumps({"a": one}) for one in whole)]
    return found


@pytest.mark.parametrize("text", WITH_SECRET)
def test_each_value_is_masked(text: str) -> None:
    for one in ways(text.replace("{}", SECRET)):
        found = masked(one)
        assert not any(SECRET[at : at + 6] in found for at in range(len(SECRET) - 5)), one
        assert len(found.encode()) >= len(one.encode())
        if one is not text and one[0] == "{":
            json.loads(found)


@pytest.mark.parametrize("text", WITHOUT)
def test_what_is_said_of_them_stays(text: str) -> None:
    for one in ways(text):
        assert masked(one) == one


def test_beginnings_are_long_enough_to_be_rare() -> None:
    assert min(len(begins.encode("latin-1")) for begins, _ in foreign_names()) >= 2
