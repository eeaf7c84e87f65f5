"""Some endpoints: deciding those of a set that are asked about, or that another set decides in another way."""

from collections.abc import Sequence
from dataclasses import replace

from itp_response.classification.classification import Classification
from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria
from itp_response.evaluation.endpoints import Endpoint
from itp_response.evaluation.evaluate import evaluate
from itp_response.evaluation.verdicts import Verdict


def with_endpoints(criteria: Criteria, cohort: Cohort, names: Sequence[str]) -> Criteria:
    """The set with these endpoints alone, and those that they rest on.

    It is the whole set where a count is censored or left out: how many values of it are tried depends on all endpoints.
    """
    if not (cohort.platelets.exact and cohort.baseline.exact and cohort.left_out is None):
        return criteria
    kept = set(names)
    for name in reversed(criteria.order):
        if name in kept:
            kept.update(criteria.endpoints[name].references().values())
    endpoints = {name: model for name, model in criteria.endpoints.items() if name in kept}
    file = criteria.file.model_copy(update={"endpoints": endpoints})
    return replace(criteria, file=file, order=tuple(name for name in criteria.order if name in kept))


def evaluate_beside(criteria: Criteria, base: Classification, threads: int | None) -> dict[str, Verdict]:
    """The verdicts of another set on the cohort of a classification.

    Those on endpoints that both sets decide in the same way are those of the classification, and not decided again.
    """
    different = _different(criteria, base.criteria)
    some = with_endpoints(criteria, base.cohort, different)
    verdicts = evaluate(some, base.cohort, threads) if different else {}
    if len(some.endpoints) == len(criteria.endpoints):
        return verdicts
    return {name: verdicts[name] if name in different else base.verdicts[name] for name in criteria.endpoints}


def _different(criteria: Criteria, base: Criteria) -> list[str]:
    """The endpoints of a set that a base has not, or decides in another way."""
    if any(
        getattr(criteria, name) != getattr(base, name) for name in ("clock", "baseline", "not_recorded", "rescues")
    ) or (criteria.reasons.names != base.reasons.names):
        return list(criteria.order)
    different: list[str] = []
    for name in criteria.order:
        model = criteria.endpoints[name]
        rests_on_different = any(other in different for other in model.references().values())
        if rests_on_different or name not in base.endpoints or not _is_decided_alike(model, base.endpoints[name]):
            different.append(name)
    return different


def _is_decided_alike(model: Endpoint, base: Endpoint) -> bool:
    """Whether two endpoints have the same keys, and their rules the same terms."""
    trees = [[asked.rule.tree for asked in one.rules()] for one in (model, base)]
    return model == base and trees[0] == trees[1]
