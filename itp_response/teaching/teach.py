"""Teach: serves the page to play with definitions, to this machine alone."""

import contextlib
import socket
import webbrowser
from collections.abc import Callable

from itp_response.classification.classification import DEFAULT_CRITERIA, CriteriaInput, Study, criteria_of, read_study
from itp_response.classification.under_a_set import noted
from itp_response.definitions.load import load
from itp_response.messages.errors import UsageError
from itp_response.messages.optional_imports import needed
from itp_response.readers.options import ReadOptions
from itp_response.readers.tabular import Tabular
from itp_response.teaching.page_data import PageData

HERE = "127.0.0.1"


def teach(
    visits: Study | None = None,
    patients: Tabular | None = None,
    criteria: CriteriaInput | None = None,
    *,
    port: int | None = None,
    show: bool = False,
    say: Callable[[str], object] = print,
    options: ReadOptions | None = None,
) -> None:
    """Serve the page to try definitions on, on 127.0.0.1, until it is stopped (Ctrl+C).

    The page has the worked examples of the criteria files and, with `visits`, the patients of a study.

    Args:
        visits: The visits of a study, as in `classify`. None: no study.
        patients: The patient table, in the same forms. None: there is none. Not allowed beside a study that has been
            read.
        criteria: The set that is shown first: a shipped name, a path, or a `Criteria`. None: `atra_2022`.
        port: The port, 1 to 65535. None: a free one.
        show: Open the page in the browser.
        say: Called with the notes of the study and with the address, a line each.
        options: How the tables are read. None: the defaults of `ReadOptions`. Not allowed beside a study that has been
            read.

    Raises:
        UsageError: The port cannot be used, or the server is not installed.
        CriteriaError: The criteria cannot be used.
        CohortError: The tables cannot be used; the error has every problem.

    Examples:
        >>> teach(port=70000)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        itp_response.messages.errors.UsageError: port 70000: cannot be used: there is no such port...
    """
    uvicorn = needed("uvicorn", "teach")
    needed("starlette", "teach")
    from itp_response.teaching.api import app
    from itp_response.teaching.connections import PunctualProtocol

    data = _page_data(visits, patients, criteria, options)
    with listening(port) as listener:
        bound_port = listener.getsockname()[1]
        address = f"http://{HERE}:{bound_port}/"
        config = uvicorn.Config(
            app(data, bound_port),
            http=PunctualProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
        )
        for note in () if data.study is None else data.study.note_lines:
            say(note)
        say(f"{address}  (for this machine only; Ctrl+C ends it)")
        if show:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _page_data(
    visits: Study | None, patients: Tabular | None, criteria: CriteriaInput | None, options: ReadOptions | None
) -> PageData:
    if visits is not None:
        definitions = criteria_of(visits, criteria)
        columns, names = definitions.file.columns, definitions.rescue_names
        return PageData(definitions, noted(read_study(visits, patients, columns, options, names), [definitions]))
    return PageData(load(criteria or DEFAULT_CRITERIA))


def listening(port: int | None) -> socket.socket:
    """A listening socket that only this machine can reach, on this port or, without one, on a free port.

    Raises `UsageError` if the port cannot be used.

    >>> with listening(None) as listener:
    ...     listener.getsockname()[0]
    '127.0.0.1'
    """
    # With the protocol by name, an answer is sent at once; without it, the system waits 40 milliseconds for more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.bind((HERE, port or 0))
        listener.listen()  # the address answers as soon as it is said
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise UsageError(f"port {port}: cannot be used: {reason}. Leave out --port for a free one.") from None
    return listener
