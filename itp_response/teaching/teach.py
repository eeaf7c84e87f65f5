"""Teach: a page to play with definitions, served to this machine alone."""

import contextlib
import socket
import webbrowser
from collections.abc import Callable
from typing import Any

from itp_response.classification.classification import DEFAULT_CRITERIA, CriteriaInput, Study, criteria_of, read_study
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.readers.files import Tabular
from itp_response.readers.options import ReadOptions

HERE = "127.0.0.1"


def teach(
    visits: Study | None = None,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    port: int | None = None,
    show: bool = False,
    say: Callable[[str], Any] = print,
    options: ReadOptions | None = None,
) -> None:
    """Serve the page on 127.0.0.1 until it is stopped (Ctrl+C), with `criteria` shown first.

    Without `visits` there are only the worked examples of the criteria files; with it, the patients of a study are
    there too; `visits`, `patients`, `criteria` and `options` are as in `classify`. `port` is a free one, if none is given;
    `show` opens the page in the browser; `say` is told where it is.
    Raises `UsageError` where the port is taken or what serves it is not installed.
    """
    uvicorn = needed("uvicorn", "teach")
    needed("starlette", "teach")
    from itp_response.teaching.answers import Desk
    from itp_response.teaching.api import app

    if visits is None:
        first, study = load(criteria or DEFAULT_CRITERIA) if not isinstance(criteria, Criteria) else criteria, None
    else:
        first = criteria_of(visits, criteria)
        study = read_study(visits, patients, first.file.columns, options)
    with listening(port) as ours:
        own = ours.getsockname()[1]
        address = f"http://{HERE}:{own}/"
        config = uvicorn.Config(
            app(Desk(first, study), own), http="h11", ws="none", lifespan="off", log_level="warning", access_log=False
        )
        for note in () if study is None else study.note_lines:
            say(note)
        say(f"{address}  (for this machine only; Ctrl+C ends it)")
        if show:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[ours])


def listening(port: int | None) -> socket.socket:
    """A socket of this machine that no other can reach, on that port or a free one.

    Raises `UsageError` if it is taken.
    """
    # Of the protocol by name: only so is an answer sent off at once, without 40 milliseconds of waiting for more.
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        ours.bind((HERE, port or 0))
        ours.listen()  # so that the address answers as soon as it is told
    except (OSError, OverflowError) as error:
        ours.close()
        why = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise UsageError(f"port {port}: cannot be used: {why}. Leave out --port for a free one.") from None
    return ours
