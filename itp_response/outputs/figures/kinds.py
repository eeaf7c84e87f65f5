"""The kinds of picture, and the options of each."""

from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "timeline", "swimmer", "spaghetti", "by-visit", "km", "waterfall", "forest", "tipping", "reclassification"
]
Measure = Literal["difference", "odds-ratio"]

KINDS: Mapping[Kind, tuple[str, ...]] = {
    "timeline": ("patient", "endpoint", "baseline", "treatment_discontinued", "day_0", "interpretation", "columns"),
    "swimmer": ("by", "endpoint"),
    "spaghetti": ("by",),
    "by-visit": ("by", "endpoint"),
    "km": ("by", "endpoint", "reference"),
    "waterfall": ("by", "endpoint"),
    "forest": ("by", "endpoint", "measure", "reference"),
    "tipping": ("endpoint", "reference", "alpha", "margin"),
    "reclassification": ("endpoint",),
}
"""The kinds of picture, and the options of each; all have a title, a width, a resolution and a font."""
