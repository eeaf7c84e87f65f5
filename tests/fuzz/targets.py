"""Targets: what reads the files and texts of others, each with valid inputs that mutants are made of.

A target says what came of an input: a result, or one error of the package's own. Any other exception leaves it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import h11
import numpy as np
import polars as pl

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in (".", "readers")]  # as pytest does

import coded_study
import test_formats
import test_mapping
import test_odm

import itp_response
from itp_response import ReadOptions
from itp_response.definitions.load import load
from itp_response.messages.errors import ItpResponseError
from itp_response.readers.chunks import ChunkSize
from itp_response.readers.files import open_table
from itp_response.readers.study_notes import SKIPPED
from itp_response.teaching.api import app
from itp_response.teaching.page_data import PageData

PATIENTS = 6
"""Of the invented study, those that the valid inputs have."""
CHUNKS = ((ChunkSize(60, 3), 1), (ChunkSize(150, 7), 2))
"""Sizes of chunks, and threads; an input is read by one of them, which gives the bytes of the whole."""
ROWS = re.compile(rf"([\d,]+) rows? {re.escape(SKIPPED)}")
"""The note on skipped rows, in the words of the package, so that a new wording is not taken for lost rows."""
LOAD = 10_000_000
"""Bytes of an answer that nobody would read."""


class LostRowsError(Exception):
    """Rows were neither used nor reported."""


class DisagreementError(Exception):
    """Two ways to read the same file gave different results."""


@dataclass(frozen=True)
class Target:
    """Something that reads inputs."""

    name: str
    seeds: Callable[[Path], list[bytes]]
    """The valid inputs; the folder is for files on the way."""
    attempt: Callable[[Path, bytes], str]
    """Reads an input, with a folder of its own. Returns `result` or the text of the error."""


def study() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The visits and the patients of some patients of the invented study, as texts."""
    patients = pl.read_csv(test_formats.PATIENTS, infer_schema=False).select(test_formats.OF_PATIENTS).head(PATIENTS)
    visits = pl.read_csv(test_formats.VISITS, infer_schema=False)
    return visits.filter(pl.col("patient_id").is_in(patients["patient_id"].implode())), patients


# TABLES


def table_seeds(name: str, folder: Path) -> list[bytes]:
    path = folder / name
    test_formats.WRITERS[name](study()[0], path)
    return [path.read_bytes()]


def read_table(name: str, folder: Path, content: bytes) -> str:
    """The visits as a whole and in chunks, and with what cannot be read left out."""
    path = folder / name
    path.write_bytes(content)
    whole = _outcome(lambda: _written(folder / "whole.csv", path))
    size, threads = CHUNKS[zlib.crc32(content) % len(CHUNKS)]
    chunked = _outcome(lambda: _written_in_chunks(folder / "out.csv", path, size, threads))
    if chunked != whole:
        raise DisagreementError(f"as a whole: {whole!r}; in chunks: {chunked!r}")
    rest = _outcome(lambda: _balanced(path, per_value=name.startswith("eav")))
    return rest if isinstance(rest, str) and rest != "balanced" else _short(whole)


def _written(out: Path, visits: Path) -> bytes:
    out.unlink(missing_ok=True)
    itp_response.classify(visits).write(out)
    return out.read_bytes()


def _written_in_chunks(out: Path, visits: Path, size: ChunkSize, threads: int) -> bytes:
    out.unlink(missing_ok=True)
    itp_response.classify_to(out, visits, size=size, threads=threads)
    return out.read_bytes()


def _balanced(path: Path, *, per_value: bool) -> str:
    """Whether every row of the table is used, reported as left out, or named as skipped."""
    cohort = itp_response.read(path, options=ReadOptions(on_error="quarantine"))
    if per_value:
        return "balanced"
    # A line with too few or too many cells is no row of the table, but is reported.
    opened = open_table(path, path.name)
    rows = opened.lines
    if rows is None:
        rows = 1 + np.arange(opened.load(range(len(opened.header))).height)
    left_out = cohort.quarantine.filter(pl.col("left_out") == "row")["line"].unique().to_numpy()
    skipped = sum(int(found[1].replace(",", "")) for note in cohort.notes if (found := ROWS.search(note.text)))
    told = len(cohort.lines) + len(left_out) + skipped
    if told != len(np.union1d(rows, left_out)):
        raise LostRowsError(f"{len(rows)} rows: {len(cohort.lines)} used, {len(left_out)} left out, {skipped} skipped")
    return "balanced"


ODD: tuple[tuple[str, pl.DataType | type[pl.DataType]], ...] = (
    ("patient_id", pl.Int64),
    ("patient_id", pl.Float64),
    ("patient_id", pl.Binary),
    ("patient_id", pl.Categorical),
    ("patient_id", pl.List(pl.String)),
    ("day", pl.String),
    ("day", pl.UInt64),
    ("day", pl.Float32),
    ("day", pl.Boolean),
    ("day", pl.Duration),
    ("platelets", pl.Int8),
    ("platelets", pl.Int128),
    ("platelets", pl.Decimal(10, 2)),
    ("platelets", pl.Boolean),
    ("platelets", pl.List(pl.Float64)),
    ("bleeding_grade", pl.Boolean),
    ("bleeding_grade", pl.Datetime),
    ("rescue", pl.Boolean),
    ("rescue", pl.Date),
    ("rescue", pl.Null),
)
"""Columns and types that a typed file may have, though few do."""


def typed_seeds(name: str, folder: Path) -> list[bytes]:
    """Small tables, a column of each of which has an unusual type."""
    plain = pl.DataFrame(
        {"patient_id": ["1", "1", "2"], "day": [0, 21, 0], "platelets": [15, 100, 7], "bleeding_grade": [0, 1, 0]}
    ).with_columns(rescue=pl.lit(None, pl.String))
    seeds = []
    for column, kind in ODD:
        odd = plain.with_columns(_as(column, plain, kind))
        test_formats.WRITERS[f"visits.{name.rpartition('.')[2]}"](odd, folder / name)
        seeds.append((folder / name).read_bytes())
    return seeds


def _as(column: str, plain: pl.DataFrame, kind: Any) -> pl.Series:
    cells = plain[column]
    if isinstance(kind, pl.List):
        return pl.Series(column, [[cell] for cell in cells], kind)
    return (
        cells.cast(pl.Int64, strict=False).cast(kind)
        if kind in (pl.Float64, pl.Int64)
        else cells.cast(kind, strict=False)
    )


def read_patients(folder: Path, content: bytes) -> str:
    """A patient table beside valid visits."""
    visits, path = folder / "visits.csv", folder / "patients.csv"
    study()[0].write_csv(visits)
    path.write_bytes(content)
    return _short(_outcome(lambda: _classified(visits, path)))


def _classified(*tables: Any) -> bytes:
    return itp_response.classify(*tables).frame().write_csv().encode()


# EXPORTS: read by a mapping


@cache
def _mapped_study(form: str) -> tuple[str, bytes, str]:
    """The name of the file, its content and the mapping."""
    visits, patients = study()
    if form == "odm":
        return "study.xml", _odm().encode(), test_odm.MAPPING
    if form == "wide":
        frame = test_mapping.wide(visits, patients)
        return "wide.csv", frame.write_csv().encode(), test_mapping.wide_mapping(frame)
    resources = coded_study.resources(visits, patients)
    if form == "fhir_lines":
        lines = "".join(json.dumps(one) + "\n" for one in resources)
        return "study.ndjson", lines.encode(), coded_study.fhir_mapping(visits)
    return "study.json", json.dumps(coded_study.bundle(resources)).encode(), coded_study.fhir_mapping(visits)


def _odm() -> str:
    rows = [
        {"platelets": "15", "bleeding_grade": "0", "rescue": "IVIg", "date": "2019-05-01", "rescue_end": "2019-05-03"}
    ]
    rows += [{"platelets": str(count), "bleeding_grade": "1", "rescue": None} for count in (32, 48, 110)]
    events = [
        test_odm.event("SE_VISIT", number, f"2019-0{5 + number}-01", *test_odm.groups_of(row))
        for number, row in enumerate(rows)
    ]
    enrolled = {"I_ENR_ARM": "1", "I_ENR_DATE": "2019-05-01", "I_ENR_STOP": "2019-12-01"}
    first = test_odm.event("SE_ENROL", 1, "2019-05-01", test_odm.group("IG_ENROL", **enrolled))
    return str(
        test_odm.document(test_odm.subject(1, "P1", first, *events), test_odm.subject(2, "P2", first, events[0]))
    )


def export_seeds(form: str, _: Path) -> list[bytes]:
    return [_mapped_study(form)[1]]


def read_export(form: str, folder: Path, content: bytes) -> str:
    name, _, mapping = _mapped_study(form)
    return _read_mapped(folder, name, content, mapping.encode())


def mapping_seeds(_: Path) -> list[bytes]:
    return [_mapped_study(form)[2].encode() for form in ("wide", "odm")]


def read_mapping(folder: Path, content: bytes) -> str:
    """A mapping of a valid export."""
    form = "odm" if b"ItemGroupOID" in content else "wide"
    name, export, _ = _mapped_study(form)
    return _read_mapped(folder, name, export, content)


def _read_mapped(folder: Path, name: str, content: bytes, mapping: bytes) -> str:
    (folder / name).write_bytes(content)
    (folder / "mapping.toml").write_bytes(mapping)

    def read() -> bytes:
        mapped = itp_response.mapped(folder / name, folder / "mapping.toml")
        return _classified(*(mapped if isinstance(mapped, tuple) else (mapped,)))

    return _short(_outcome(read))


OMOP = ("measurement", "drug_exposure", "person")


def omop_seeds(_: Path) -> list[bytes]:
    return [coded_study.omop(*study())[name].write_csv().encode() for name in OMOP]


def read_omop(folder: Path, content: bytes) -> str:
    """One table in place of the one it was made from, beside the valid others."""
    tables = coded_study.omop(*study())
    (folder / "omop").mkdir(exist_ok=True)
    for name, table in tables.items():
        table.write_csv(folder / "omop" / f"{name}.csv")
    place = max(OMOP, key=lambda name: sum(column.encode() in content for column in tables[name].columns))
    (folder / "omop" / f"{place}.csv").write_bytes(content)
    (folder / "mapping.toml").write_text(coded_study.omop_mapping(tables))

    def read() -> bytes:
        mapped = itp_response.mapped(folder / "omop", folder / "mapping.toml")
        return _classified(*(mapped if isinstance(mapped, tuple) else (mapped,)))

    return _short(_outcome(read))


# DEFINITIONS AND TIMELINES

SETS = ("atra_2022", "iwg_2009", "luna3", "raise")


def criteria_seeds(_: Path) -> list[bytes]:
    return [load(name).path.read_bytes() for name in SETS]


def read_criteria(folder: Path, content: bytes) -> str:
    """A criteria file, and a small study decided by it."""
    path = folder / "own.toml"
    path.write_bytes(content)

    def decide() -> bytes:
        criteria = load(path)
        return _classified(study()[0].head(30), None, criteria)

    return _short(_outcome(decide))


TIMELINES = (
    "d0 15, d22 40 bleed 1, d28 45 rescue ivig, d364 12",
    "d-7 20, d0 <10, d7 30-50, d14 100, d21 none bleed 0, d28 >1000 rescue ivig until d30",
    "d0 15; d22 40; w4 45 rescue; m6 120",
)


def timeline_seeds(_: Path) -> list[bytes]:
    return [timeline.encode() for timeline in TIMELINES]


def read_timeline(_: Path, content: bytes) -> str:
    timeline = content.decode("utf-8", "surrogateescape")
    return _short(_outcome(lambda: str(itp_response.ask(timeline, counterfactuals=len(timeline) < 100)).encode()))


# THE PAGE

REQUESTS = {
    "/api/decide": {
        "timeline": TIMELINES[0],
        "sets": [{"criteria": "atra_2022", "endpoint": "OR"}],
        "day_0": "2019-05-01",
    },
    "/api/counterfactuals": {"timeline": "d0 15, d22 40", "sets": [{"criteria": "atra_2022", "endpoint": "OR"}]},
    "/api/reclassified": {"criteria": "atra_2022", "interpretations": []},
    "/api/quiz": {"criteria": "iwg_2009", "seed": 3, "hard": False},
}
PORT = 8000


def request_seeds(_: Path) -> list[bytes]:
    return [f"POST {path}\n{json.dumps(content)}".encode() for path, content in REQUESTS.items()] + [
        b"GET /api/set?name=atra_2022\n",
        b"GET /api/patients?part=a\n",
        b"GET /page/page.js\n",
    ]


@cache
def _page() -> Any:
    return app(PageData(load("atra_2022")), PORT)


def read_request(_: Path, content: bytes) -> str:
    """A request, without the server before the app; what is no request is refused as by that server's library."""
    head, _, body = content.partition(b"\n")
    method, _, target = head.partition(b" ")
    try:
        h11.Request(method=method, target=target, headers=[("host", "127.0.0.1")])
    except h11.LocalProtocolError as error:
        return str(error)
    path, _, query = target.partition(b"?")
    status, answer = asyncio.run(_answer(method.decode("latin-1"), path.decode("latin-1"), query, body))
    if status >= 500 or len(answer) > LOAD:
        raise RuntimeError(f"status {status}: {answer[:200]!r}")
    return "result" if status < 400 else f"{status}: {json.loads(answer)['error']}"


async def _answer(method: str, path: str, query: bytes, body: bytes) -> tuple[int, bytes]:
    host = f"127.0.0.1:{PORT}".encode()
    headers = [(b"host", host), (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode("latin-1"), "query_string": query}
    scope |= {"headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "", "asgi": {"version": "3.0"}}
    received, sent = [{"type": "http.request", "body": body, "more_body": False}], []

    async def receive() -> dict[str, Any]:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await _page()(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def _outcome(work: Callable[[], Any]) -> Any:
    """What it gives, or the text of its error."""
    try:
        return work()
    except ItpResponseError as error:
        return f"error: {error}"


def _short(outcome: Any) -> str:
    return outcome if isinstance(outcome, str) else "result"


TARGETS = {
    target.name: target
    for target in (
        *(
            Target(name, partial(table_seeds, name), partial(read_table, name))
            for name in test_formats.WRITERS
            if name not in ("visits.feather", "visits.zsav")
        ),
        *(
            Target(name, partial(typed_seeds, name), partial(read_table, name))
            for name in ("typed.parquet", "typed.arrow")
        ),
        Target("patients.csv", lambda _: [study()[1].write_csv().encode()], read_patients),
        *(
            Target(form, partial(export_seeds, form), partial(read_export, form))
            for form in ("odm", "wide", "fhir_lines", "fhir_bundle")
        ),
        Target("omop", omop_seeds, read_omop),
        Target("mapping", mapping_seeds, read_mapping),
        Target("criteria", criteria_seeds, read_criteria),
        Target("timeline", timeline_seeds, read_timeline),
        Target("page", request_seeds, read_request),
    )
}
