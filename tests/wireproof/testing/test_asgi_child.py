"""What serves an app in a child, and its options: the rest is proven by the servers themselves."""

from __future__ import annotations

import ssl

import pytest

from wireproof.certificates import certificates
from wireproof.testing.asgi_child import hypercorn_config, load_uvicorn


def test_hypercorn_logs_its_secrets_where_it_is_told() -> None:
    made = certificates()
    options = {"certfile": str(made.certificate), "keyfile": str(made.key), "loglevel": "warning"}
    config = hypercorn_config(options, 7, "/dev/null")
    assert config.bind == ["fd://7"] and config.loglevel == "warning"
    context = config.create_ssl_context()
    assert isinstance(context, ssl.SSLContext) and context.keylog_filename == "/dev/null"
    assert hypercorn_config({}, 7, "/dev/null").create_ssl_context() is None


def test_an_option_that_hypercorn_has_not() -> None:
    with pytest.raises(ValueError, match="hypercorn has no option 'nothing'"):
        hypercorn_config({"nothing": 1}, 7, None)


def test_uvicorn_logs_its_secrets_where_it_is_told() -> None:
    import uvicorn

    made = certificates()
    config = uvicorn.Config(
        "support.wire_apps:app", ssl_certfile=str(made.certificate), ssl_keyfile=str(made.key)
    )
    load_uvicorn(config, "/dev/null")
    assert config.ssl is not None and config.ssl.keylog_filename == "/dev/null"
