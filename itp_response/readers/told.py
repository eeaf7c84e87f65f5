"""Told: what the user says of words in cells, by an option, a mapping's key or the criteria set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """What words in cells stand for."""

    missing: tuple[str, ...] = ()
    """Codes of a missing value, `999`; of one column alone, `platelets=999`."""
    rescue_names: tuple[str, ...] = ()
    """Names of rescue treatments."""
    no_rescue: tuple[str, ...] = ()
    """Words for no rescue treatment."""

    def __or__(self, other: "Told") -> "Told":
        """What either of them says."""
        return Told(
            (*self.missing, *other.missing),
            (*self.rescue_names, *other.rescue_names),
            (*self.no_rescue, *other.no_rescue),
        )


NOTHING = Told()
"""Nothing was told."""
