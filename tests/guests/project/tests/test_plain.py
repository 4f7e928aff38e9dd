"""What the project tested before it had wireproof."""

import sys

from app import app
from fastapi.testclient import TestClient


def test_health():
    with TestClient(app) as client:
        assert client.get("/health").json() == {"status": "ok"}


def test_nobody_has_imported_our_folders():
    assert not {"server", "parsers", "capture"} & set(sys.modules)
