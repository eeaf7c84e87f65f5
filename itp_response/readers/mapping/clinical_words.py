"""Clinical words: what a column may be, by the words in its name.

What is surely a measure of a visit is known by its whole name (`measure`). A name with a word of bleeding, treatment,
platelets, the end of treatment or a time in it may matter to a result (`may_be`): a draft asks about it.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from itp_response.readers.known_names import ALIASES, UNITS_OF_COUNTS
from itp_response.readers.mapping.visit_labels import TIME_WORD, without_separators
from itp_response.readers.treatments import is_known, plain

PLATELETS = (
    *("platelets", *ALIASES["platelets"], "counts", "plts", "plat", "thrombos", "thrombocyte", "thrombocyte_count"),
    *("platelets_count", "trombocitos", "trombociti", "trombocitler", "recuento_de_plaquetas", "thrombozytenzahl"),
    *("numeration_plaquettaire", "conta_piastrine", "血小板", "血小板计数", "血小板數", "血小板数", "тромбоциты"),
)
MEASURES: Mapping[str, tuple[str, ...]] = {
    "platelets": ("", "visit", *PLATELETS),
    "bleeding_grade": (
        *("bleeding_grade", *ALIASES["bleeding_grade"], "bleed", "who", "who_bleeding_grade", "bleeding_who_grade"),
    ),
    "rescue": ("rescue", *ALIASES["rescue"], "resc"),
    "unit": UNITS_OF_COUNTS,
    "rescue_end": ("rescue_end", *ALIASES["rescue_end"], "resc_end"),
    "date": (
        *("date", *ALIASES["date"], "dt", "visit_date", "date_of_visit", "date_of_sample", "date_sample", "lab_date"),
        *("plt_date", "platelet_date", "platelets_date", "date_plt", "date_platelets", "datum", "fecha"),
    ),
}
"""The meanings of the rest of a header with a time in it; an empty rest means the count."""
NO_COUNT = re.compile(
    r"\bmpv\b|\bpdw\b|\bpct\b|\bp-?lcr\b|\bipf\b|antibod|antikorp|anticorps|anticuerp|anticorpi|\bab\b|\bigg\b|aggreg"
    r"|function|funktion|adhes|volume|volumen|distribution|width|\bratio|large|giant|gross|clump|smear|morpholog|factor"
    r"|reactiv|activat|satellit|comment|kommentar|flag"
)
"""Words that speak of something else than the number of platelets."""
OF_PLATELETS = re.compile(
    r"plt|platelet|thrombo[cz]|thrombos?\b|trombo[cs][iy]|plaquet|piastrin|\bplq|\bplat(?![a-z])|血小板|тромбоцит"
)
TIME = "the time of a visit"
WORDS: Mapping[str, re.Pattern[str]] = {
    "a platelet count": OF_PLATELETS,
    "bleeding": re.compile(
        r"bleed|\bbled\b|ha?emorr|blut(?!plat|bild|druck|gruppe)|saign|sangr|sanguin|emorrag|bloed|blodn|krwaw"
        r"|кров|petech|purpura|bruis|hamatom|ha?ematom|ecchym|epistax|menorr|\bgrad(?:e|o|en)?s?\b|grade$|\bwho\b|ctcae"
        r"|\bich\b|\bpbac\b|\bicis\b|出血|itp-?bat|\bsmog\b|krvac"
    ),
    "rescue treatment": re.compile(
        r"rescue|\bresc|salvage|transfus|ivig|igiv|\bivi?gg?\b|steroid|kortiko|cortico|predni|prednis|dexa|\bmedi[ck]"
        r"|medicat|medika|medicam|con ?med|concom|therap|terap|treat|behandl|traitement|tratam|\bdrugs?\b|secours"
        r"|rettung|notfall|rescate|splen|milz|infusion|ritux|romip|trombopag|immunglob|immunoglob|globulin|治疗|治療"
        r"|輸血|输血|激素|丙球|抢救|解救|レスキュー|救済|\btransf|\bromi\b|\beltro\b|\bavatro\b|\brhig\b|\bivmp\b"
    ),
    "the end of treatment or of the study, or an event": re.compile(
        r"discontin|withdr|\bstop|abbruch|\barret\b|abandon|drop ?out|\boff (?:study|treat)|death|\bdied\b|decease"
        r"|verstorben|lost to|relaps|rezidiv|recidiv|adverse|\bs?ae\b|停药|死亡"
    ),
    "the unit of a count": re.compile(r"\bunits?\b|\buom\b|einheit(?:en)?\b|\bunidad\b|\bunite\b|単位|单位"),
    TIME: TIME_WORD,
}
"""What a column may be, with the words that speak for it, in the languages of the field."""
NO_VISIT = re.compile(r"\b(?:age|alter|edad|duration|dauer|duree)\b|birth|geburt")
"""Words beside which one of a time is of no visit."""
ENROLMENT = (
    r"randomi[sz]|enrol|inclusion|einschluss|first (?:dose|treat)|(?:treatment|therapy) start|start of|入组|随机|登録"
)
DATED = r"date|\bon\b|datum|\bday\b|fecha|\bdt\b|日期|日"
OF_ENROLMENT = re.compile(rf"(?:{ENROLMENT}).*(?:{DATED})|(?:{DATED}).*(?:{ENROLMENT})")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name without what does not matter in it: case, accents, and all between its letters.

    >>> folded("Plaquettes_(G/L)"), folded("血小板 计数")
    ('plaquettesgl', '血小板计数')
    """
    return "".join(re.findall(r"[^\W_]+", plain(name)))


def fits(name: str, known: Iterable[str]) -> bool:
    """Whether a name is one of those known, but for what does not matter."""
    return folded(name) in {folded(one) for one in known}


def measure(rest: str) -> str | None:
    """What a column at a visit surely has, by its name without the time; None: the name does not say it.

    >>> measure("plt"), measure("WHO grade"), measure(""), measure("plt local"), measure("grade")
    ('platelets', 'bleeding_grade', 'platelets', None, None)
    """
    return next((name for name, words in MEASURES.items() if fits(rest, words)), None)


def may_be(name: str) -> str | None:
    """What a column may be that could change a result; None: its name does not sound so.

    >>> may_be("Steroids yes/no"), may_be("Blutung"), may_be("Site"), may_be("MPV"), may_be("plt_local")
    ('rescue treatment', 'bleeding', None, None, 'a platelet count')
    """
    text = without_separators(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    # A transfusion of platelets is a treatment; their volume is neither.
    if WORDS["rescue treatment"].search(text):
        return "rescue treatment"
    if WORDS["the unit of a count"].search(text):
        return "the unit of a count"
    if OF_PLATELETS.search(text) and NO_COUNT.search(text):
        return None
    what = next((what for what, words in WORDS.items() if words.search(text)), None)
    if what == TIME and NO_VISIT.search(text):
        return None
    return what or ("rescue treatment" if is_known(text) else None)


def is_of_enrolment(name: str) -> bool:
    """Whether a column may have the day from which days are counted."""
    return OF_ENROLMENT.search(without_separators(name)) is not None


def is_count_name(name: str) -> bool:
    """Whether a text is the name of a count of platelets, and of nothing else."""
    return fits(name, set(PLATELETS) - {"count", "counts"})


def is_of_platelets(name: str) -> bool:
    """Whether a text speaks of platelets."""
    return OF_PLATELETS.search(without_separators(name)) is not None


def is_no_count(name: str) -> bool:
    """Whether a text speaks of something else than a number."""
    text = without_separators(name)
    return NO_COUNT.search(text) is not None or WORDS["rescue treatment"].search(text) is not None
