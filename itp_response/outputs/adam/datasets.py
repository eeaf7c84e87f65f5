"""Datasets: ADITP, ADRS, ADLB, ADTTE and ADICE of a classification, made in whole columns."""

from collections.abc import Sequence

from itp_response.classification.classification import Classification
from itp_response.outputs.adam.counted import Counted
from itp_response.outputs.adam.counts import adlb
from itp_response.outputs.adam.events import adice
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.response import adrs
from itp_response.outputs.adam.subjects import aditp
from itp_response.outputs.adam.times import adtte
from itp_response.outputs.adam.variables import Dataset, with_lengths


def datasets(
    classification: Classification, study: str, parameters: Sequence[Parameter], *, untimed: bool
) -> dict[str, Dataset]:
    """The datasets by their names; `study` is the STUDYID."""

    def of(name: str) -> list[Parameter]:
        return [parameter for parameter in parameters if parameter.dataset == name]

    counted = Counted.of(classification)
    return with_lengths(
        [
            aditp(classification, study),
            adrs(classification, study, of("ADRS"), counted),
            adlb(counted, study),
            adtte(classification, study, of("ADTTE"), untimed=untimed),
            adice(classification, study, [one for one in parameters if one.what == "verdict"], counted),
        ]
    )
