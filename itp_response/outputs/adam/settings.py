"""Settings: what a user chooses of the datasets."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AdamSettings:
    """Choices for the ADaM datasets beside the STUDYID.

    >>> AdamSettings(paramcd={"OR": "OVRLRESP"}, param={"OR": "Overall Response"}).untimed
    False
    """

    paramcd: Mapping[str, str] = field(default_factory=dict)
    """PARAMCD by the name of the endpoint; the criteria file, or a short form of the name, gives the others."""
    param: Mapping[str, str] = field(default_factory=dict)
    """PARAM by the name of the endpoint; the criteria file, or the label, gives the others."""
    untimed: bool = False
    """ADTTE has a record of a patient without a time too, with the reason and without ANL01FL."""


DEFAULTS = AdamSettings()
