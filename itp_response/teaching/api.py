"""The page's server: its files, and the answers as JSON; for this machine, and for its own page alone.

A request must name this server as its host, so that no other name can be pointed at it; what is posted must be JSON
and come from the page itself, so that no other page can post. What is wrong with a request is told as
`{"error": "a sentence"}`.
"""

import json
from collections.abc import Callable
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

from itp_response.messages.errors import ItpResponseError
from itp_response.teaching import answers
from itp_response.teaching.answers import Desk, PatientRequest, Quizzed, Under

MOST = 65_536
"""Bytes of a request."""
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
    """A request that is not answered: the status and the sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def app(desk: Desk, port: int) -> ASGIApp:
    """The page of a desk, to be served on that port of 127.0.0.1."""
    files = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.suffix in TYPES}

    def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in files:
            raise HTTPException(404)
        return Response(files[name], media_type=TYPES[Path(name).suffix])

    def asked(answer: Callable[[Desk, str], Any], key: str) -> Callable[[Request], Response]:
        """A question by GET, with one thing asked."""

        def ask(request: Request) -> Response:
            if key not in request.query_params:
                raise RefusedError(400, f"what is asked for is missing: {key}.")
            return JSONResponse(answer(desk, request.query_params[key]))

        return ask

    def posted(answer: Callable[[Desk, Any], Any], form: type[BaseModel]) -> Callable[[Request], Any]:
        async def post(request: Request) -> Response:
            asked = _read(await request.body(), form)
            return JSONResponse(await run_in_threadpool(answer, desk, asked))

        return post

    routes = [
        Route("/", page),
        Route("/page/{name}", page),
        Route("/api/sets", lambda _: JSONResponse(answers.listed(desk))),
        Route("/api/set", asked(answers.opened, "name")),
        Route("/api/patients", asked(answers.patients, "part")),
        Route("/api/patient", asked(answers.patient, "id")),
        Route("/api/decide", posted(answers.decided, PatientRequest), methods=["POST"]),
        Route("/api/turns", posted(answers.turning, PatientRequest), methods=["POST"]),
        Route("/api/quiz", posted(answers.questions, Quizzed), methods=["POST"]),
        Route("/api/changes", posted(answers.changes, Under), methods=["POST"]),
    ]
    told: dict[Any, Any] = {
        RefusedError: lambda _, error: _error(error.status, str(error)),
        ItpResponseError: lambda _, error: _error(422, str(error)),
        HTTPException: lambda request, error: _error(error.status_code, _http(request, error)),
        Exception: lambda _, error: _error(500, f"a fault of the program, please report it: {error!r}"),
    }
    return Guard(Starlette(routes=routes, exception_handlers=told), port)


class Guard:
    """Lets through what the page itself asks; sets the headers of every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        try:
            _check(Headers(scope=scope), scope["method"], self.hosts)
            body = await _body(receive)
        except RefusedError as error:
            await _error(error.status, str(error))(scope, receive, with_headers)
            return
        sent = iter([body])

        async def again() -> Message:
            return next(sent, None) or await receive()

        await self.app(scope, again, with_headers)


def _check(headers: Headers, method: str, hosts: tuple[str, ...]) -> None:
    """That the request is to this server and, if it posts, from its own page and JSON."""
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
    """The whole body, if it is not too long."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST:
            raise RefusedError(413, f"a request has at most {MOST:,} bytes.")
    return {"type": "http.request", "body": body, "more_body": False}


def _read(body: bytes, form: type[BaseModel]) -> Any:
    """The body as the form asks for it."""
    try:
        content = json.loads(body)
    except UnicodeDecodeError:
        raise RefusedError(400, "the request is not JSON: it is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise RefusedError(
            400, f"the request is not JSON: {error.msg}, line {error.lineno} column {error.colno}."
        ) from None
    except RecursionError:
        raise RefusedError(400, "the request is not JSON that can be read: it is nested too deep.") from None
    try:
        return form.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the request"
        raise RefusedError(422, f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}.") from None


def _http(request: Request, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"there is nothing at {request.url.path!r}."
    if error.status_code == 405:
        return f"{request.url.path} is not asked by {request.method}."
    return f"{error.detail}."


def _error(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)
