"""Writes the tables of docs/reference/errors.md, below its first section, from the codes; `make errors` runs it."""

from pathlib import Path

from itp_response.messages.codes import MEANINGS, About

PAGE = Path(__file__).parent / "reference" / "errors.md"
HEADINGS: dict[About, str] = {
    "study": "Errors in the data",
    "criteria": "Errors in a criteria file",
    "call": "Errors in a call or command",
}


def errors_page(now: str) -> str:
    """The page: its text as it is, up to the first heading, and under each heading a table of codes."""
    head = now.partition("\n## ")[0].rstrip("\n") + "\n"
    tables = [
        "\n".join(
            [
                f"\n## {heading}\n",
                "| code | cause | cure |",
                "|---|---|---|",
                *(f"| `{code}` | {one.cause} | {one.cure} |" for code, one in MEANINGS.items() if one.about == about),
            ]
        )
        for about, heading in HEADINGS.items()
    ]
    return head + "\n".join(tables) + "\n"


if __name__ == "__main__":
    PAGE.write_text(errors_page(PAGE.read_text()))
