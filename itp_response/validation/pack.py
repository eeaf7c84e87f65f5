"""The validation pack: the sections of a qualification, as a page, tables and a manifest of their hashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from itp_response.classification.provenance import of_bytes
from itp_response.classification.writers import check_folder, put_folder
from itp_response.messages.results import DataResult, html_frame
from itp_response.messages.wording import aligned, counted, wrapped
from itp_response.validation.contents import CONTENTS
from itp_response.validation.page import page
from itp_response.validation.qualification import Qualification
from itp_response.validation.section import FAIL

PAGE, MANIFEST = "validation.html", "manifest.sha256"
OWN = {PAGE, MANIFEST, *(f"{name}.csv" for name in CONTENTS)}
"""The files that may be in a folder that is written to; they are replaced."""
SHOWN = 10
"""Differences that the summary lists."""


@dataclass(frozen=True, repr=False)
class ValidationPack(Qualification, DataResult):
    """The result of `validate`; printed, it is a line for each section and each difference."""

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The files of the pack by their names: the page, the tables, and the manifest of their hashes."""
        contents = {PAGE: page(self).encode(), **self.tables}
        return {**contents, MANIFEST: manifest(contents)}

    @property
    def sha256(self) -> str:
        """The SHA-256 of the manifest, which stands for the whole pack."""
        return str(of_bytes(MANIFEST, self.files[MANIFEST]).sha256)

    def write(self, folder: str | Path) -> None:
        """Write the pack into a folder, all or nothing: `validation.html`, a CSV file per section, `manifest.sha256`.

        What an earlier run left is replaced; the same installation and input give the same bytes.
        Raises `UsageError` for a folder with anything else in it, or one that cannot be written.
        """
        folder = Path(folder)
        check_folder(folder, OWN)
        put_folder(self.files, folder, OWN)

    def summary(self) -> str:
        """The result of each section, the first differences, and the SHA-256 of the manifest: for standard error."""
        return f"{self}\nSHA-256 of {MANIFEST}: {self.sha256}"

    def _headline(self) -> str:
        failed = sum(section.number_of(FAIL) for section in self.sections)
        differ = f", {counted(failed, 'difference')}" if failed else ""
        return f"Validation of itp-response {self.version}: {self.result}{differ}"

    def _pieces(self) -> Iterator[str]:
        yield html_frame(self.frame(), rows=len(self.sections))
        if not self.ok:
            yield html_frame(self.differences(), title="What differs", whole="differences()")

    def _assumptions(self) -> list[str]:
        return [] if self.study is None else self.study.cohort.note_lines

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self._headline()
        yield aligned([(one.number, one.title, one.counts, one.result) for one in self.sections], indent="  ")
        for section, what, expected, got in self.differences().head(SHOWN).iter_rows():
            yield from wrapped(f"{section}: {what}: expected {expected}, got {got}", first="  ", further="    ")
        if (more := len(self.differences()) - SHOWN) > 0:
            yield f"  and {more:,} more; {PAGE} lists all of them"


def manifest(contents: dict[str, bytes]) -> bytes:
    r"""The hashes of files, in the form that `sha256sum --check` reads.

    >>> manifest({"a.csv": b""})[:8], manifest({"a.csv": b""})[64:]
    (b'e3b0c442', b'  a.csv\n')
    """
    return "".join(f"{of_bytes(name, content).sha256}  {name}\n" for name, content in contents.items()).encode()
