"""Debian's Firefox without a window, driven by WebDriver BiDi, which it speaks itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PATIENCE = 60.0
"""Seconds that no test needs, and none waits longer than."""
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = """
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""
STANDS = """(async () => {
    const place = () => {
        const box = document.querySelector(%s)?.getBoundingClientRect();
        return box ? `${box.x + box.width / 2} ${box.y + box.height / 2}` : null;
    };
    const first = place();
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    return first === place() ? first : null;
})()"""


class Firefox:
    """One page; what went wrong in it is noted."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = count(1)
        self.problems: list[str] = []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        (context,) = self._ask("browsingContext.getTree")["contexts"]
        self._context = context["context"]
        size = {"width": 1280, "height": 1200}
        self._ask("browsingContext.setViewport", context=self._context, viewport=size)

    def open(self, url: str) -> None:
        """Go to the inspector, and wait until it is there."""
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")
        self.wait_for("document.documentElement.dataset.ready === 'true'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression: a text, a number, a truth value or null."""
        answer = self._ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < end, expression
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click what a selector finds first, with the mouse, when it stands still."""
        place = self._place(selector)
        x, y = (round(float(number)) for number in place.split())
        steps = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def _place(self, selector: str) -> str:
        """Return where the middle of it is, in two frames the same: the page draws rows anew."""
        end = time.monotonic() + PATIENCE
        while not (place := self.evaluate(STANDS % json.dumps(selector))):
            assert time.monotonic() < end, selector
            time.sleep(0.05)
        return str(place)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by the values that WebDriver gives them."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": steps})

    def together(self, held: str, key: str) -> None:
        """Press a key while another is held."""
        steps = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)]
        actions = [{"type": kind, "value": value} for kind, value in steps]
        self._act({"type": "key", "id": "keys", "actions": actions})

    def _act(self, source: dict[str, Any]) -> None:
        self._ask("input.performActions", context=self._context, actions=[source])

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._connection.recv(PATIENCE))
            if message.get("method") == "log.entryAdded":
                entry = message["params"]
                self.problems.append(f"{entry['level']}: {entry['text']}")
            elif message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox with a profile of its own in ``folder``; nothing may go wrong in its page."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    assert path is not None
    (folder / "user.js").write_text(PREFERENCES)
    command = [path, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port=0"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stderr is not None
        said = next(filter(None, map(LISTENS.search, process.stderr)), None)
        assert said is not None, "Firefox does not listen"
        with connect(f"{said[1]}/session", max_size=None, open_timeout=PATIENCE) as connection:
            found = Firefox(connection)
            yield found
            assert found.problems == []
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
