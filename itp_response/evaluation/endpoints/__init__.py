"""The kinds of endpoint: a closed set, one module each.

Every module has the model of its keys, `verdicts(model, patient_days, earlier, reasons)` and `sentence(model)`.
`earlier` has the verdicts on the endpoints decided before, among them those that the model refers to.
"""

from types import ModuleType
from typing import Annotated

from pydantic import Field

from itp_response.evaluation.endpoints import achieved, at, best, combined, extent, lost, maintained, time_to, visits
from itp_response.evaluation.endpoints.endpoint import Endpoint

KINDS: dict[str, ModuleType] = {
    "achieved": achieved,
    "maintained": maintained,
    "lost": lost,
    "at": at,
    "visits": visits,
    "time_to": time_to,
    "extent": extent,
    "combined": combined,
    "best": best,
}
AnyEndpoint = Annotated[
    achieved.Achieved
    | maintained.Maintained
    | lost.Lost
    | at.At
    | visits.Visits
    | time_to.TimeTo
    | extent.Extent
    | combined.Combined
    | best.Best,
    Field(discriminator="kind"),
]

__all__ = ["KINDS", "AnyEndpoint", "Endpoint"]
