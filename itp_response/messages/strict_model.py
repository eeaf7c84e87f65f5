"""A table of a TOML file as a model: a key it does not know is an error."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A table of a criteria file: a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
