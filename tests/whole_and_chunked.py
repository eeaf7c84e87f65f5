"""A study classified as a whole and chunk by chunk, of which files, summaries and messages must be the same."""

import itertools
from pathlib import Path

import pytest

import itp_response
from itp_response.messages.errors import ItpResponseError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.options import ReadOptions

ATRA = itp_response.criteria("atra_2022")
TINY = [ChunkSize(1, 1), ChunkSize(60, 3), ChunkSize(150, 7)]
"""Bytes and rows: of one, three and some more rows."""


def ways(path, visits, patients=None, criteria=ATRA, *, sizes=TINY, threads=(2,), known=None, **options):
    """The summary of the study read as a whole. Every other way must give the same summary and the same file.

    `known` is the classification of the whole, where there is one already.
    """
    whole, chunked = path.with_stem("whole"), path.with_stem("chunked")
    memory, long = options.pop("memory", None), options.pop("long", False)
    options = ReadOptions(**options)
    classification = known or itp_response.classify(visits, patients, criteria, options=options)
    classification.write(whole, long=long)
    for size, number in itertools.product(sizes, threads):
        given = {"options": options, "long": long, "size": size, "threads": number, "memory": memory}
        classified = itp_response.classify_to(chunked, visits, patients, criteria, **given)
        assert chunked.read_bytes() == whole.read_bytes(), size
        assert classified.summary() == classification.summary(), size
        beside = [Path(f"{file}.provenance.json").read_text().replace(file.name, "") for file in (whole, chunked)]
        assert beside[0] == beside[1]
    return classification.summary()


def written(folder, text, name="visits.csv"):
    path = folder / name
    path.write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")
    return path


def errors(folder, visits, patients=None, criteria=ATRA, sizes=TINY, **options):
    """The messages, as a whole and chunk by chunk."""
    with pytest.raises(ItpResponseError) as error:
        itp_response.classify(visits, patients, criteria, options=ReadOptions(**options))
    return {str(error.value), *errors_of_chunks(folder, visits, patients, criteria, sizes, **options)}


def errors_of_chunks(folder, visits, patients, criteria, sizes, **options):
    messages, out = set(), folder / "out.csv"
    for size in sizes:
        with pytest.raises(ItpResponseError) as error:
            itp_response.classify_to(out, visits, patients, criteria, size=size, options=ReadOptions(**options))
        messages.add(str(error.value))
    assert not out.exists()
    return messages


def same(folder, visits, patients=None, criteria=ATRA, *, sizes=TINY, **options):
    """The summary of a study or, if it is refused, the message; every way must give the same."""
    try:
        whole = itp_response.classify(visits, patients, criteria, options=ReadOptions(**options))
    except ItpResponseError as error:
        message = str(error)
    else:
        return ways(folder / "out.csv", visits, patients, criteria, sizes=sizes, known=whole, **options)
    assert errors_of_chunks(folder, visits, patients, criteria, sizes, **options) == {message}
    return message
