"""Requests: what the page may ask of the engine, as JSON that pydantic checks."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from itp_response.cohort.notation import FARTHEST

LONGEST = 20_000
"""The most characters of a timeline."""


class PageRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SetRequest(PageRequest):
    """A criteria set under some of its interpretations."""

    criteria: str
    interpretations: tuple[str, ...] = ()


class ShownSetRequest(SetRequest):
    """A set, and the endpoint that is shown with all its clauses; None: the first endpoint."""

    endpoint: str | None = None


class PatientRequest(PageRequest):
    """One patient, and the sets that decide on the patient: one set, or two side by side."""

    timeline: str = Field(max_length=LONGEST)
    baseline: str | None = None
    discontinued: int | None = Field(default=None, ge=-FARTHEST, le=FARTHEST)
    day_0: date | None = None
    patient: dict[str, str] = Field(default_factory=dict)
    sets: tuple[ShownSetRequest, ...] = Field(min_length=1, max_length=2)


class QuizRequest(PageRequest):
    """Questions about a set; another seed gives other questions."""

    criteria: str
    seed: int = Field(default=0, ge=0, le=2**31)
    hard: bool = False
