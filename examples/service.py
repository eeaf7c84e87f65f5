"""A service that classifies one patient per request, to start one's own from.

    pip install '.[teach]'            # starlette and uvicorn
    uvicorn --app-dir examples service:app

`POST /classify` takes the visits of a patient and answers with the result on each endpoint, its reason and its
evidence. What is wrong with a request is answered with status 422, as data: a code, the place, the value and the cure.
`GET /codes` lists the codes.
"""

from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import itp_response
from itp_response.messages.codes import MEANINGS

OPTIONS = itp_response.ReadOptions(bleeding="scored")
"""An empty bleeding grade is a missing assessment. It is said here, so that nothing is assumed of a single patient."""


# WHAT IS ASKED


class Visit(BaseModel):
    """What was observed on one day; what is left out was not recorded."""

    model_config = ConfigDict(extra="forbid")

    day: int
    """Days since enrolment, which is day 0."""
    platelets: float | str | None = None
    """10⁹/L, or a result below or above the reporting limit such as `"<10"`."""
    bleeding_grade: int | None = None
    """WHO grade, 0 to 4."""
    rescue: str | None = None
    """The rescue treatment that begins on this day."""


class PatientToClassify(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="forbid")

    patient_id: str = Field(min_length=1)
    visits: list[Visit] = Field(min_length=1, max_length=5_000)
    criteria: Literal["atra_2022", "iwg_2009", "ash_2019"] = "atra_2022"


# WHAT IS ANSWERED


class Evidence(BaseModel):
    """An observation that a result rests on; `line` is the number of the visit in the request, from 1."""

    role: Literal["onset", "confirming", "ended"]
    day: int
    platelets: float | None
    platelets_low: float | None
    platelets_high: float | None
    bleeding_grade: int | None
    rescue: bool
    line: int


class EndpointResult(BaseModel):
    """The result on one endpoint."""

    endpoint: str
    label: str
    value: str
    day: int | None
    confirmed_day: int | None
    reason: str
    because: str
    days: int | None
    event: int | None
    evidence: list[Evidence]


class PatientClassified(BaseModel):
    """An answer."""

    patient_id: str
    response_definition: str
    notes: list[str]
    results: list[EndpointResult]


# THE SERVICE


@cache
def criteria_set(name: str) -> itp_response.Criteria:
    """The criteria set, read once; threads may share it."""
    return itp_response.criteria(name)


def classified(asked: PatientToClassify) -> PatientClassified:
    """The results on one patient."""
    rows = [{"patient_id": asked.patient_id, **visit.model_dump()} for visit in asked.visits]
    # One patient is decided by one thread; the server has its own.
    results = itp_response.classify(rows, criteria=criteria_set(asked.criteria), options=OPTIONS, threads=1).as_dict()
    (patient,) = results["patients"]
    definition = results["criteria"]["response_definition"]
    return PatientClassified(**patient, response_definition=definition, notes=results["notes"])


async def classify(request: Request) -> Response:
    asked = PatientToClassify.model_validate_json(await request.body())
    answer = await run_in_threadpool(classified, asked)
    return Response(answer.model_dump_json(), media_type="application/json")


def codes(_: Request) -> Response:
    return JSONResponse({code: {"cause": meaning.cause, "cure": meaning.cure} for code, meaning in MEANINGS.items()})


def request_wrong(_: Request, error: Any) -> Response:
    """The answer to a request of another form, in the form of the package's own errors."""
    problems = [
        {"code": fault["type"], "message": fault["msg"], "place": {"field": ".".join(map(str, fault["loc"]))}}
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return JSONResponse({"error": "RequestError", **problems[0], "problems": problems}, status_code=422)


def study_wrong(_: Request, error: Any) -> Response:
    """The answer to a patient that cannot be classified."""
    return JSONResponse(error.as_dict(), status_code=422)


app = Starlette(
    routes=[Route("/classify", classify, methods=["POST"]), Route("/codes", codes)],
    exception_handlers={ValidationError: request_wrong, itp_response.ItpResponseError: study_wrong},
)
