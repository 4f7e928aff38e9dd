"""The inspector as one file that needs nothing else: the page, and every answer it may ask for.

Strategy: the page is the served one. Its modules become functions one after the other in one
script, which is as simple as it sounds because they are written for it. Styles and scripts are
allowed by their digests, everything else by nothing: the file asks no network, and what it shows
can bring nothing in.

Answers lie in bundles (:mod:`.bundles`), which stand in a block of JSON. Base64 is all there is of
them there: nothing from the wire is ever in reach of the HTML parser.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import BinaryIO

from .bundles import bundles
from .index import Index
from .page_files import ENTRY, ICON_FILE, LIBRARY, LIBRARY_STYLE, MODULES, STYLES, page_file

IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([a-z]+\.js)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
"""One that has its lines for itself."""
LINKS = re.compile(r" *<(?:link|script)\b[^>]*>(?:</script>)?\n")


def write_report(
    index: Index,
    output: BinaryIO,
    tell: Callable[[int], object] = lambda _: None,
    workers: int = 1,
) -> int:
    """Write the report of a capture that has been read; return how many bundles it holds.

    ``tell`` is called with how many have been written so far; ``workers`` processes make them.
    """
    before, after = shell()
    output.write(before)
    separator = b"{"
    done = 0
    for done, (name, packed) in enumerate(bundles(index, workers), 1):
        output.write(separator + b'"%b":"%b"' % (name.encode(), packed))
        separator = b",\n"
        tell(done)
    output.write(b"}" + after)
    return done


def shell() -> tuple[bytes, bytes]:
    """Return the page around its data: what comes before it and what comes after."""
    ours = "\n".join(page_file(name).decode() for name in STYLES)
    styles = [page_file(LIBRARY_STYLE).decode(), ours]
    library, script = page_file(LIBRARY).decode(), joined_modules()
    policy = (
        f"default-src 'none'; script-src {sources([library, script])};"
        f" style-src {sources(styles)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    icon = b64encode(page_file(ICON_FILE)).decode()
    head = [
        f'    <meta http-equiv="Content-Security-Policy" content="{policy}" />\n',
        '    <meta name="referrer" content="no-referrer" />\n',
        f'    <link rel="icon" href="data:image/svg+xml;base64,{icon}" />\n',
        *(f"    <style>{style}</style>\n" for style in styles),
    ]
    page = LINKS.sub("", page_file(ENTRY).decode())
    page = page.replace("  </head>\n", "".join(head) + "  </head>\n")
    begin, end = page.split("  </body>\n")
    data = '    <script type="application/json" id="report">'
    scripts = f"</script>\n    <script>{library}</script>\n    <script>{script}</script>\n"
    return (begin + data).encode(), (scripts + "  </body>\n" + end).encode()


def joined_modules() -> str:
    """Return the page's modules as one script."""
    return '"use strict";\nconst modules = {};\n' + "".join(map(as_function, MODULES))


def as_function(name: str) -> str:
    """Return a module as a function that is called at once: what it exports, others find by name.

    The modules are written for it: imports and exports are whole lines, or begin one, and nothing
    is renamed on the way. What they say of themselves stays behind.
    """
    body = COMMENT.sub("", page_file(name).decode())
    exported = ", ".join(found[2] for found in EXPORT.finditer(body))
    body = EXPORT.sub(r"\1", IMPORT.sub(r'const \1 = modules["\2"];', body))
    return f'(() => {{\n{body}modules["{name}"] = {{ {exported} }};\n}})();\n'


def sources(texts: list[str]) -> str:
    """Return the sources of a policy that allow exactly these inline texts (CSP section 2.3.1)."""
    digests = (b64encode(sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
