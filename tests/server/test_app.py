from __future__ import annotations

import re
from importlib.resources import files

import httpx
import pytest

from server.address import Address
from server.app import PAGES, create_app
from server.scenarios import SCENARIOS
from server.settings import Settings

SHIPPED = {path.name for path in files("server").joinpath("pages").iterdir()}


def read(name: str) -> str:
    return files("server").joinpath("pages", name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES)
def test_pages(address: Address, path: str) -> None:
    name, media_type = PAGES[path]
    response = httpx.get(address.origin() + path)
    assert response.status_code == 200
    assert response.text == read(name)
    assert response.headers["Content-Type"] == media_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'; script-src 'self'" in response.headers["Content-Security-Policy"]


def test_every_file_is_served() -> None:
    assert {name for name, _ in PAGES.values()} == SHIPPED


@pytest.mark.parametrize("name", sorted(name for name in SHIPPED if name.endswith(".html")))
def test_pages_refer_to_what_is_served(name: str) -> None:
    links = re.findall(r'(?:href|src)="([^"]*)"', read(name))
    assert links
    assert set(links) <= PAGES.keys()


@pytest.mark.parametrize("name", sorted(name for name in SHIPPED if name.endswith(".js")))
def test_scripts_write_text_and_find_what_they_name(name: str) -> None:
    script = read(name)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
    assert all(f"/{module}" in PAGES for module in re.findall(r'from "\./([^"]+)"', script))
    if name != "page.js":
        page = read(name.replace(".js", ".html"))
        for identifier in re.findall(r'byId\("([^"]+)"\)', script):
            assert f'id="{identifier}"' in page


@pytest.mark.parametrize(
    "path", ["/pages/index.html", "/../app.py", "/%2e%2e/app.py", "/index.html", "/docs", "/ws"]
)
def test_nothing_else_is_served(address: Address, path: str) -> None:
    assert httpx.get(address.origin() + path).status_code == 404


def test_the_list_of_scenarios(address: Address) -> None:
    listed = httpx.get(address.origin() + "/scenarios").json()
    assert listed["raw_port"] == address.raw_port
    assert [(one["transport"], one["name"]) for one in listed["scenarios"]] == [
        (transport, name) for transport, named in SCENARIOS.items() for name in named
    ]
    resume = next(one for one in listed["scenarios"] if one["name"] == "resume")
    assert resume["path"] == "/sse"
    assert resume["headers"] == [["Last-Event-ID", "5"]]


def test_settings_of_the_app() -> None:
    assert create_app().state.settings == Settings()
    settings = Settings(delay=1)
    assert create_app(settings).state.settings is settings
