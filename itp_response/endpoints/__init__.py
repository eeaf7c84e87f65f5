"""The kinds of endpoint: a closed set, one module each.

Every module has the model of its keys, `verdicts(model, rows, settled, reasons)` and `sentence(model)`.
"""

from types import ModuleType
from typing import Annotated

from pydantic import Field

from itp_response.endpoints import achieved, best, lost, maintained, time_to
from itp_response.endpoints.criterion import Criterion

KINDS: dict[str, ModuleType] = {
    "achieved": achieved,
    "maintained": maintained,
    "lost": lost,
    "time_to": time_to,
    "best": best,
}
AnyCriterion = Annotated[
    achieved.Achieved | maintained.Maintained | lost.Lost | time_to.TimeTo | best.Best, Field(discriminator="kind")
]

__all__ = ["KINDS", "AnyCriterion", "Criterion"]
