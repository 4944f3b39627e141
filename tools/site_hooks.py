"""What MkDocs does with each page of the documents: fragments from the code, mathematics as MathML.

Browsers draw MathML by themselves, so that no page needs a script or a font from elsewhere.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from site_fragments import filled

MATHS = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what the page takes from the code."""
    return filled(markdown)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Turn the formulas of a page into MathML."""
    return MATHS.sub(lambda found: mathml(unescape(found[2]), page.file.src_uri, is_block=found[1] == "div"), html)


def mathml(text: str, place: str, *, is_block: bool) -> str:
    """A formula as MathML.

    Raises
    ------
    PluginError
        If it has a command that is not known, which would be shown as it is.
    """
    result = convert(text.strip(), display="block" if is_block else "inline")
    # what the converter does not know, it passes on
    if "\\" in result or "<mi>&</mi>" in result:
        raise PluginError(f"{place}: no MathML for {text}")
    return f'<div class="maths">{result}</div>' if is_block else result
