"""New: a criteria file to start from."""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("new_definition.toml")


def new() -> str:
    """The text of a small criteria file with a comment on every key and worked examples that pass `check`.

    The definition in it is invented.

    >>> new().splitlines()[0]
    '#:schema ./schema.json'
    """
    return TEMPLATE.read_text(encoding="utf-8")
