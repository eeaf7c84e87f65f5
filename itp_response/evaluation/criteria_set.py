"""Criteria set: what the engine has to know of a set of definitions; `definitions` reads one from a file."""

from collections.abc import Mapping
from typing import Protocol

from itp_response.evaluation.clock import Baseline, Clock, NotRecorded
from itp_response.evaluation.endpoints.endpoint import Endpoint
from itp_response.evaluation.verdicts import Reasons


class CriteriaSet(Protocol):
    """The endpoints of a set, and the clock, the baseline and the names with which they are decided."""

    @property
    def clock(self) -> Clock: ...

    @property
    def baseline(self) -> Baseline: ...

    @property
    def not_recorded(self) -> NotRecorded: ...

    @property
    def rescues(self) -> Mapping[str, frozenset[str]]:
        """The names recorded for each class of rescue treatment, in lower case."""

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """The model of each endpoint by its name, in the order of the file."""

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the endpoints, each after those that it refers to."""

    @property
    def reasons(self) -> Reasons: ...
