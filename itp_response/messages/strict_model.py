"""The base of the models of TOML files."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A table of a TOML file: a key that the model does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, defer_build=True)
