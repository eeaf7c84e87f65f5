"""New: a criteria file to start from."""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("new_definition.toml")


def new() -> str:
    """Give a small criteria file to start from, with a comment on every key; the definition in it is invented.

    Returns:
        The text of the file. Its worked examples pass `check`.

    Examples:
        >>> new().splitlines()[0]
        '#:schema ./schema.json'
    """
    return TEMPLATE.read_text(encoding="utf-8")
