"""The look of the pages that people read: one style, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

from gateway.http.answers import Answer

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")


def text(words: str) -> str:
    """Plain words to HTML: everything escaped, ```code``` and ``**strong**`` marked up."""
    return _STRONG.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", escape(words)))


def page(title: str, body: str, *, navigation: str = "") -> Answer:
    """A whole page; ``body`` and ``navigation`` are HTML."""
    style = files("gateway.http").joinpath("style.css").read_text("utf-8")
    layout = "page" if navigation else "page narrow"
    html = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f'<body><div class="{layout}">{navigation}<main>{body}</main></div></body></html>\n'
    )
    return Answer(
        200,
        html.encode(),
        (
            (b"content-type", b"text/html; charset=utf-8"),
            (
                b"content-security-policy",
                b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            ),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"public, max-age=300"),
        ),
    )
