"""The kinds of endpoint, one module each.

A kind is a class on `endpoint.Endpoint`: the model of its keys, with all that is true of it alone. `KINDS` has the
kinds by name; a kind put into it is known everywhere.
"""

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from itp_response.evaluation.endpoints.achieved import Achieved
from itp_response.evaluation.endpoints.at import At
from itp_response.evaluation.endpoints.best import Best
from itp_response.evaluation.endpoints.combined import Combined
from itp_response.evaluation.endpoints.endpoint import Endpoint
from itp_response.evaluation.endpoints.extent import Extent
from itp_response.evaluation.endpoints.lost import Lost
from itp_response.evaluation.endpoints.maintained import Maintained
from itp_response.evaluation.endpoints.time_to import TimeTo
from itp_response.evaluation.endpoints.visits import Visits

KINDS: dict[str, type[Endpoint]] = {
    "achieved": Achieved,
    "maintained": Maintained,
    "lost": Lost,
    "at": At,
    "visits": Visits,
    "time_to": TimeTo,
    "extent": Extent,
    "combined": Combined,
    "best": Best,
}


class _OfItsKind:
    """Reads a table as the model that its `kind` names."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {name: handler.generate_schema(model) for name, model in KINDS.items()}
        return core_schema.tagged_union_schema(choices, discriminator="kind")


AnyEndpoint = Annotated[Endpoint, _OfItsKind]

__all__ = ["KINDS", "AnyEndpoint", "Endpoint"]
