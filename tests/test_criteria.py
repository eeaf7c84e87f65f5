"""Criteria files: how they are found and read, what is said of broken ones, and that the shipped ones hold."""

import os
from pathlib import Path

import pytest

from itp_response.check import check
from itp_response.errors import ItpResponseError

BAD_CRITERIA = Path(__file__).parent / "bad_criteria"


class TestBadCriteria:
    """Every file of `bad_criteria` has one thing wrong, and beside it stands the exact message it gives."""

    @pytest.mark.parametrize("path", sorted(BAD_CRITERIA.glob("*.toml")), ids=lambda path: path.stem)
    def test_message(self, path: Path) -> None:
        with pytest.raises(ItpResponseError) as error:
            check(path)
        said, expected = f"{error.value}\n", path.with_suffix(".txt")
        if os.environ.get("REGOLDEN"):
            expected.write_text(said, encoding="utf-8")
        assert said == expected.read_text(encoding="utf-8")
