"""Sentences about secrets, which are none."""

from __future__ import annotations

import pytest

from wireproof.redact.sentences import is_same, is_sentence


@pytest.mark.parametrize(
    "said, name",
    [
        ("Password must be at least 8 characters", "password"),
        ("can't be blank", "password"),
        ("Your session has expired.", "session"),
        ("API key", "apikey"),
        ("Passwort", "password"),
        ("Jeton d'accès expiré", "token"),
        ("パスワード", "password"),
        ("Geben Sie das Passwort ein", "login.password"),
    ],
)
def test_a_sentence_is_no_secret(said: str, name: str) -> None:
    assert is_sentence(said.encode().decode("latin-1"), name)


@pytest.mark.parametrize(
    "said, name",
    [
        ("correct horse battery staple", "password"),
        ("hunter2 is my password", "password"),
        ("The words of your seed are.", "mnemonic"),
        ("Hunter2x?", "password"),
    ],
)
def test_what_may_be_one(said: str, name: str) -> None:
    assert not is_sentence(said, name)


def test_an_escape_stands_for_its_character() -> None:
    assert is_sentence("Contrase\\u00f1a", "password")


def test_a_value_may_be_its_name_in_words() -> None:
    assert is_same("New password", "newpassword")
    assert is_same("Password", "label_new_password")
    assert not is_same("Password", "newpassword")
