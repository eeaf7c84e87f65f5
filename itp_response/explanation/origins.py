"""Origins: the other verdicts that a verdict comes from, in words."""

from collections.abc import Iterator

from itp_response.explanation.decided import DecidedEndpoint


def unmet_origin(decided: DecidedEndpoint) -> str:
    """That the endpoint this one starts from, or runs to, was not met, and why; empty: it was."""
    if not decided.has_days or decided.model.sums_up or decided.length:
        return ""
    origin = decided.decided_by
    if origin is None:
        return ""
    return f"depends on {decided.criteria.labelled(origin.name)}, which is {origin.value} ({origin.because})"


def rests_on(decided: DecidedEndpoint) -> Iterator[str]:
    """Each verdict that it sums up, with its day or its reason; or that of which there was no event."""
    if not decided.has_days:
        return
    for name in dict.fromkeys(decided.model.references().values()) if decided.model.sums_up else ():
        other = decided.other(name)
        when_or_why = f"({other.because})" if other.day is None else f"on day {other.day}"
        yield f"{decided.criteria.labelled(name)}: {other.value} {when_or_why}"
    if decided.length and decided.decided_by is not None:
        event = decided.decided_by
        label = decided.criteria.labelled(event.name)
        if event.name in decided.model.competes_with:
            yield f"a competing event came first: {label} on day {event.day}"
        else:
            yield f"no event: {label} is {event.value} ({event.because})"
