"""The page's server: the files of the page, and answers as JSON, for this machine and for this page alone.

A request must name this server as its host, so no other name can point at it. A post must be JSON and come from the
page itself, so no other page can post. A faulty request is answered with `{"error": "a sentence"}`.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from itp_response.messages.errors import ItpResponseError, readable
from itp_response.teaching import decisions, sets, study_patients
from itp_response.teaching.page_data import PageData
from itp_response.teaching.requests import PatientRequest, QuizRequest, SetRequest

MOST = 65_536
"""The most bytes of a request."""
PATIENCE = 15.0
"""Seconds within which the whole of a request arrives."""
PAGE = Path(__file__).parent / "page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class RefusedError(Exception):
    """A request that is refused: the status and the sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def app(data: PageData, port: int) -> ASGIApp:
    """The page as an application, to be served on this port of 127.0.0.1."""

    def queried(answer: Callable[[PageData, str], Any], key: str) -> Callable[[Request], Response]:
        """A question by GET with one parameter."""

        def endpoint(request: Request) -> Response:
            if key not in request.query_params:
                raise RefusedError(400, f"what is asked for is missing: {key}.")
            return JSONResponse(answer(data, request.query_params[key]))

        return endpoint

    def posted(answer: Callable[[PageData, Any], Any], form: type[BaseModel]) -> Callable[[Request], Any]:
        """A question by POST with a JSON object of this form."""

        async def endpoint(request: Request) -> Response:
            content = _content(await request.body(), form)
            return JSONResponse(await run_in_threadpool(answer, data, content))

        return endpoint

    page = _files()
    routes = [
        Route("/", page),
        Route("/page/{name}", page),
        Route("/api/sets", lambda _: JSONResponse(sets.sets(data))),
        Route("/api/set", queried(sets.details, "name")),
        Route("/api/patients", queried(study_patients.patients, "part")),
        Route("/api/patient", queried(study_patients.patient, "id")),
        Route("/api/decide", posted(decisions.decisions, PatientRequest), methods=["POST"]),
        Route("/api/counterfactuals", posted(decisions.counterfactuals, PatientRequest), methods=["POST"]),
        Route("/api/quiz", posted(sets.questions, QuizRequest), methods=["POST"]),
        Route("/api/reclassified", posted(sets.reclassified, SetRequest), methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes, exception_handlers=ERROR_HANDLERS), port)


def _files() -> Callable[[Request], Response]:
    """The files of the page, read once."""
    files = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.suffix in TYPES}

    def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in files:
            raise HTTPException(404)
        return Response(files[name], media_type=TYPES[Path(name).suffix])

    return page


class Guard:
    """Passes on the requests of the page itself, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        try:
            _check(Headers(scope=scope), scope["method"], self.hosts)
            async with asyncio.timeout(PATIENCE):
                body = await _body(receive)
        except TimeoutError:
            sentence = f"the request did not arrive within {PATIENCE:g} seconds."
            await _error(408, sentence, {"connection": "close"})(scope, receive, with_headers)
            return
        except RefusedError as error:
            await _error(error.status, str(error))(scope, receive, with_headers)
            return
        unread = iter([body])

        async def receive_body() -> Message:
            return next(unread, None) or await receive()

        await self.app(scope, receive_body, with_headers)


def _check(headers: Headers, method: str, hosts: tuple[str, ...]) -> None:
    """Refuse a request that is not to this server, and a post that is not JSON from its own page."""
    host = headers.get("host", "")
    if host not in hosts:
        raise RefusedError(403, f"this page answers as {' and '.join(hosts)}, not as {host!r}.")
    if method != "POST":
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if (origin is not None and origin != f"http://{host}") or site not in (None, "same-origin"):
        raise RefusedError(403, f"only the page itself may post, not {origin or site!r}.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, f"what is posted is application/json, not {kind!r}.")


async def _body(receive: Receive) -> Message:
    """The whole body; refuses one that is too long."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(400, "the connection was closed before the whole request had arrived.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST:
            raise RefusedError(413, f"a request has at most {MOST:,} bytes.")
    return {"type": "http.request", "body": body, "more_body": False}


def _content(body: bytes, form: type[BaseModel]) -> Any:
    """The body, read as JSON of this form."""
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
        json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is no character
    except UnicodeEncodeError:
        raise RefusedError(400, "the request is not JSON: it has half of a surrogate pair.") from None
    except UnicodeDecodeError:
        raise RefusedError(400, "the request is not JSON: it is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise RefusedError(
            400, f"the request is not JSON: {error.msg}, line {error.lineno} column {error.colno}."
        ) from None
    except RecursionError:
        raise RefusedError(400, "the request is not JSON that can be read: it is nested too deep.") from None
    except ValueError:
        raise RefusedError(400, "the request is not JSON that can be read: a number has too many digits.") from None
    try:
        return form.model_validate(content)
    except ValidationError as error:
        raise RefusedError(422, _invalid(error)) from None


def _refuse_constant(word: str) -> None:
    """NaN and the infinities, which Python's reader takes, are no JSON."""
    raise RefusedError(400, f"the request is not JSON: {word} is not a number of JSON.")


def _invalid(error: ValidationError) -> str:
    """The first fault of a request in a sentence."""
    fault = error.errors()[0]
    location = ".".join(map(str, fault["loc"])) or "the request"
    if fault["type"] == "model_type":  # pydantic's own sentence names a class
        return f"{location}: input should be a JSON object."
    return f"{location}: {fault['msg'][0].lower()}{fault['msg'][1:]}."


def _http_error(request: Request, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"there is nothing at {request.url.path!r}."
    if error.status_code == 405:
        return f"{request.url.path} is not asked by {request.method}."
    return f"{error.detail}."


def _error(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": readable(sentence)}, status, headers)


ERROR_HANDLERS: dict[Any, Any] = {
    RefusedError: lambda _, error: _error(error.status, str(error)),
    ItpResponseError: lambda _, error: _error(422, str(error)),
    HTTPException: lambda request, error: _error(error.status_code, _http_error(request, error)),
    Exception: lambda _, error: _error(500, f"a fault of the program, please report it: {error!r}"),
}
