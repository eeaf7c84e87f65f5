"""TOML files: criteria files, mapping files and settings of an SDTM study are refused in the same words."""

import pytest

from itp_response.definitions.load import load
from itp_response.messages.errors import CohortError, CriteriaError
from itp_response.readers.mapping.mapping import load_mapping
from itp_response.readers.sdtm.terms import settings

LOADERS = [(load, CriteriaError), (load_mapping, CohortError), (settings, CohortError)]
IDS = ["criteria", "mapping", "settings"]


@pytest.mark.parametrize(("loader", "error"), LOADERS, ids=IDS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a = 1\nb = x\n",
            "it.toml: line 2: this is not TOML: this is not a value; write a text in quotes.\n    b = x\n        ^",
        ),
        (
            b'a = "' + b"b" * 1200 + b'" = 3 ' + b"c" * 1500,
            "it.toml: line 1: this is not TOML: a value must be followed by the end of the line.\n"
            f'    {"b" * 77}" = 3 {"c" * 77}\n    {" " * 79}^',
        ),
        (b"a = 1\n# \xe4\n", "it.toml: line 2: this is not UTF-8; save the file as UTF-8."),
    ],
)
def test_what_is_no_toml_is_told_alike(loader, error, content, message, tmp_path):
    path = tmp_path / "it.toml"
    path.write_bytes(content)

    with pytest.raises(error) as raised:
        loader(path)

    assert str(raised.value) == message


@pytest.mark.parametrize(("loader", "error"), LOADERS, ids=IDS)
def test_an_unknown_key_is_told_with_its_line(loader, error, tmp_path):
    path = tmp_path / "it.toml"
    path.write_bytes(b"\n\nstray_key = 1\n")

    with pytest.raises(error, match=r"it.toml: line 3: unknown key 'stray_key'; known: "):
        loader(path)


@pytest.mark.parametrize(
    ("loader", "error", "rest"),
    [
        (load, CriteriaError, "there is no such file; shipped criteria sets: .*"),
        (load_mapping, CohortError, "there is no such file; 'itp-response map' drafts one."),
        (settings, CohortError, "there is no such file."),
    ],
    ids=IDS,
)
def test_a_file_that_is_not_there(loader, error, rest, tmp_path):
    with pytest.raises(error, match=rf"none.toml: {rest}$"):
        loader(tmp_path / "none.toml")
