"""An extension of griffe: the examples of docstrings, which are doctests, are shown as code."""

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"(?m)^>>> (?:.+\n?)+")


class Doctests(Extension):
    """Puts a fence about each example; Markdown would take `>>>` for a quotation."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Change the docstring of an object as soon as it is read."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)
