"""Software: which library computed a number, and its version, by the method of the number.

A method may have a qualifier after a colon: `quartiles: patients with OR`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version

from itp_response.classification.provenance import PROGRAM, program_version

METHODS: Mapping[str, tuple[str, str]] = {
    "newcombe": ("statsmodels", "Newcombe interval"),
    "Wilson": ("statsmodels", "Wilson interval"),
    "wald": ("statsmodels", "Wald interval"),
    "agresti-caffo": ("statsmodels", "Agresti-Caffo interval"),
    "wald-cc": (PROGRAM, "Wald interval with continuity correction"),
    "score": (PROGRAM, "Miettinen-Nurminen interval"),
    "chi-squared": ("scipy", "chi-squared test"),
    "Fisher": ("scipy", "Fisher's exact test"),
    "Fisher-Freeman-Halton": (PROGRAM, "Fisher-Freeman-Halton test"),
    "Fisher, random tables": ("scipy", "Fisher's exact test"),
    "logistic interaction": ("statsmodels", "logistic regression"),
    "tipping point": (PROGRAM, "tipping points"),
    "quartiles": ("numpy", "quartiles"),
    "mean and SD": ("numpy", "mean and SD"),
    "Mann-Whitney": ("scipy", "Mann-Whitney test"),
    "naive Mann-Whitney": ("scipy", "Mann-Whitney test"),
    "Kruskal-Wallis": ("scipy", "Kruskal-Wallis test"),
    "naive Kruskal-Wallis": ("scipy", "Kruskal-Wallis test"),
    "Kaplan-Meier": ("lifelines", "Kaplan-Meier"),
    "log-rank": ("lifelines", "log-rank test"),
    "Cox": ("lifelines", "Cox regression"),
    "Cox interaction": ("lifelines", "Cox regression"),
    "restricted mean": (PROGRAM, "restricted mean"),
    "Aalen-Johansen": (PROGRAM, "Aalen-Johansen"),
    "Mantel-Haenszel, Sato": (PROGRAM, "Mantel-Haenszel risk difference"),
    "Mantel-Haenszel": ("statsmodels", "Mantel-Haenszel odds ratio"),
    "CMH": ("statsmodels", "Cochran-Mantel-Haenszel test"),
    "stratified log-rank": ("statsmodels", "stratified log-rank test"),
    "stratified Cox": ("lifelines", "stratified Cox regression"),
    "multiple imputation": ("statsmodels", "multiple imputation"),
    "logistic regression": ("statsmodels", "logistic regression"),
    "DeLong": (PROGRAM, "DeLong interval"),
    "Youden": ("scikit-learn", "ROC curve"),
    "roc curve": ("scikit-learn", "ROC curve"),
}
"""The library of each method, and what a footnote says that it computed. A plain count has no method."""


def library_of(method: str) -> str:
    """The library that computes a method; empty for a plain count, which has no method.

    >>> library_of("quartiles: patients with OR"), library_of("")
    ('numpy', '')
    """
    return METHODS[_plain(method)][0] if method else ""


@cache
def version_of(library: str) -> str:
    """The version of a library that is installed; of a plain count, nothing."""
    if not library:
        return ""
    return program_version() if library == PROGRAM else version(library)


def software_used(methods: Iterable[str]) -> str:
    """Which library, in which version, computed what by these methods; a line for a footnote, empty without methods."""
    computed: dict[str, dict[str, None]] = {}
    for method in filter(None, methods):
        library, what = METHODS[_plain(method)]
        computed.setdefault(library, {})[what] = None
    libraries = [f"{library} {version_of(library)} ({', '.join(whats)})" for library, whats in computed.items()]
    return f"Software: {'; '.join(libraries)}." if libraries else ""


def _plain(method: str) -> str:
    return method.partition(":")[0]
