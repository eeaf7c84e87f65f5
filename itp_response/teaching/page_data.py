"""Page data: the criteria sets and the study that a page can show."""

from dataclasses import dataclass, field

from itp_response.cohort.cohort import Cohort
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.load import load, shipped
from itp_response.messages.errors import UsageError, unknown
from itp_response.teaching.requests import SetRequest


@dataclass
class PageData:
    """The shipped sets, a set of the user's own if there is one, and the patients of a study if there are any."""

    first: Criteria
    """The set that the page shows first."""
    study: Cohort | None = None
    sets: dict[str, Criteria] = field(init=False)

    def __post_init__(self) -> None:
        self.sets = {self.first.name: self.first, **{name: load(name) for name in shipped() if name != self.first.name}}

    def criteria(self, request: SetRequest) -> Criteria:
        """A set under interpretations.

        Raises `UsageError` for a name that the page does not have: no file is opened.
        """
        if request.criteria not in self.sets:
            raise UsageError(unknown("criteria", request.criteria, self.sets))
        base = self.sets[request.criteria]
        return base.under(*request.interpretations) if request.interpretations else base

    def patients(self) -> Cohort:
        """The patients of the study; raises `UsageError` if the page has no study."""
        if self.study is None:
            raise UsageError("there are no patients: no file was given; start with itp-response teach FILE.")
        return self.study
