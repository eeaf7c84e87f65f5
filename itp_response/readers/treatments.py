"""Treatments: what the texts in a column of rescue treatment mean.

A text is a name of a treatment, a word for none, a word for a treatment without a name, missing, or none of these,
which is an error. Texts are compared without case and accents. A name that is in no list is taken as a treatment, and a
warning names it.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import polars as pl

from itp_response.messages.wording import in_option
from itp_response.readers.missing_codes import NOT_GIVEN
from itp_response.readers.told import Told

TREATMENTS: Mapping[str, tuple[str, ...]] = {
    "immunoglobulin": (
        *("ivig", "ivigg?", "iv ?ig", "igiv", "ig ?iv", "igev", "scig", "immun[eo]? ?globulin\\w*"),
        *("immunglobulin\\w*", "gamm?a ?globulin\\w*", "inmunoglobulin\\w*", "immunoglobulin\\w*", "ig vena"),
        *("venoglobulin\\w*", "hyqvia", "privigen", "octagam", "gamunex", "gammagard", "gammaplex", "gammaked"),
        *("flebogamma", "kiovig", "intratect", "panzyga", "asceniv", "bivigam", "carimune", "sandoglobulin\\w*"),
        *("intraglobin", "pentaglobin", "clairyg", "tegeline", "nanogam", "iqymune", "hizentra", "endobulin"),
        *("vigam", "丙种球蛋白", "免疫球蛋白", "丙球", "グロブリン", "иммуноглобулин\\w*", "ввиг", "면역글로불린"),
    ),
    "anti-D": (
        *("anti ?-? ?d", "anti ?-? ?rh\\w*", "winrho\\w*", "rhophylac", "rhogam", "rhesogam\\w*", "rhesonativ"),
        *("抗d", "антирезус\\w*"),
    ),
    "corticosteroid": (
        *("\\w*steroid\\w*", "\\w*steroi?de?s?", "\\w*kortiko\\w*", "\\w*cortico\\w*", "glucocort\\w*"),
        *("[ck]ortison\\w*", "\\w*predniso?\\w*", "\\w*prednis\\w*", "pred", "pdn", "mpred", "ivmp", "mp", "dex"),
        *("hd-?dex\\w*", "dxm", "\\w*dexa?metha?son\\w*", "\\w*dexametason\\w*", "\\w*dexameth?", "\\w*cortisol"),
        *("hydrocorti\\w*", "betametha?son\\w*", "triamcinolon\\w*", "deflazacort", "budesonid\\w*", "medrol"),
        *("solu-?medrol", "depo-?medrol", "urbason", "decortin\\w*", "decadron", "fortecortin", "hemady"),
        *("deltasone", "rayos", "solupred", "cortancyl", "orapred", "millipred", "dacortin", "deltacortene"),
        *("meticorten", "激素", "泼尼松\\w*", "地塞米松\\w*", "甲泼尼龙\\w*", "强的松\\w*", "プレドニゾロン"),
        *(
            "デキサメタゾン",
            "プレドニン",
            "ステロイド",
            "dexa",
            "\\w*pred",
            "\\w*преднизолон\\w*",
            "дексаметазон\\w*",
            "гкс",
        ),
        *("кортикостероид\\w*", "κορτιζον\\w*", "κορτικοστερο\\w*", "스테로이드", "프레드니솔론", "덱사메타손"),
    ),
    "platelet transfusion": (
        *("plt ?-? ?tran\\w*", "plts", "tx ?plt", "platelets?", "platelet\\w*", "thrombo[zc]yten\\w*"),
        *("trombocit\\w*", "\\w*transfu\\w*", "thrombaph\\w*", "apheresis", "plaquet\\w*", "piastrin\\w*"),
        *("plaquettes?", "tk", "atk", "pools?", "血小板\\w*", "输血\\w*", "red (blood )?cells?", "rbcs?"),
        *("prbcs?", "тромбоконцентрат\\w*", "тромбомасс\\w*", "혈소판\\w*"),
    ),
    "TPO receptor agonist": (
        *("tpo", "tpo-? ?ras?", "rh-? ?tpo", "thrombopoietin\\w*", "romiplostim\\w*", "nplate", "romiplate"),
        *("amg-? ?531", "el?trombopag\\w*", "promacta", "revolade", "alvaiz", "avatrombopag\\w*", "doptelet"),
        *("hetrombopag\\w*", "herombopag\\w*", "lusutrombopag\\w*", "mulpleta", "tpiao", "特比澳", "艾曲\\w*"),
        *("海曲\\w*", "阿伐曲\\w*", "罗普司亭", "血小板生成素\\w*", "升板\\w*", "oprelvekin", "rh-? ?il-? ?11"),
        *(
            "il-? ?11",
            "interleukin\\w*",
            "ромиплостим\\w*",
            "элтромбопаг\\w*",
            "ロミプレート",
            "ロミプロスチム",
            "レボレード",
        ),
        *("エルトロンボパグ", "로미플로스팀", "엘트롬보팍"),
    ),
    "anti-CD20": (
        *("rituxim\\w*", "rituxan", "mabthera", "truxima", "rixathon", "ruxience", "riabni", "ritux\\w*", "rtx"),
        *("ld-? ?rtx", "veltuzumab", "ofatumumab", "obinutuzumab", "利妥昔\\w*"),
        *("ритуксимаб\\w*", "リツキシマブ", "리툭시맙"),
    ),
    "SYK, BTK and FcRn inhibitors": (
        *("fostamatinib\\w*", "tavalisse", "tavlesse", "sovleplenib", "rilzabrutinib", "wayrilz"),
        *("orelabrutinib", "efgartigimod\\w*", "vyvgart", "rozanolixizumab", "ianalumab", "sutimlimab"),
        *("mezagitamab", "daratumumab"),
    ),
    "splenectomy": (
        "\\w*spl[ea]n[ea]?[ck]tom\\w*",
        "esplenect\\w*",
        "esplenectomia",
        "milzentfernung",
        "脾切\\w*",
        "脾摘",
        "спленэктоми\\w*",
    ),
    "immunosuppressant": (
        *(
            "danazol\\w*",
            "danocrine",
            "达那唑",
            "vin[ck]ristin\\w*",
            "vinblastin\\w*",
            "vin[ck]a\\w*",
            "oncovin",
            "vcr",
        ),
        *("长春\\w*", "azathioprin\\w*", "azatioprin\\w*", "imuran", "imurel", "imurek", "aza"),
        *("my[ck]ofenol\\w*", "my[ck]ophenol\\w*", "mmf", "cell-?cept", "myfortic"),
        *("[ck]y[ck]los?phos?ph?amid\\w*", "ciclofosfamid\\w*", "cytoxan", "endoxan", "[ck]i?y?[ck]losporin\\w*"),
        *("ciclosporin\\w*", "cyclosporin\\w*", "csa", "neoral", "sandimmun\\w*", "环孢\\w*", "tacrolimus"),
        *("sirolimus", "everolimus", "prograf", "hydroxychloroquin\\w*", "plaquenil", "hcq", "dapson\\w*"),
        *("bortezomib", "velcade", "alemtuzumab", "campath", "decitabin\\w*", "6-?mp", "mercaptopurin\\w*"),
        *("atra", "tretinoin", "interferon\\w*", "colchicin\\w*", "methotrexat\\w*", "caplacizumab"),
        *("eculizumab",),
    ),
    "haemostatic": (
        *("tranexam\\w*", "txa", "cyklokapron", "exacyl", "lysteda", "anvitoff", "aminocapro\\w*", "amicar"),
        *("eaca", "desmopressin\\w*", "ddavp", "novo-?seven", "rfviia?", "factor vii\\w*", "氨甲环酸"),
    ),
    "procedure": (
        *("plasma ?-?exchange", "plasmapheres\\w*", "plasmaphérèse", "plex", "immunoadsor\\w*", "surgery"),
        *("embolis\\w*", "embolizat\\w*"),
    ),
    "rescue, not named": (
        *("rescues?", "rescued", "rescue (therapy|treatment|medication|drug|med)s?", "salvage( \\w+)?"),
        *("secours", "rescate", "rettung\\w*", "other( \\w+)?", "notfall\\w*", "combination( \\w+)?"),
        *("emergency( \\w+)?",),
    ),
}
"""Treatments given in ITP, with abbreviations, brands and other languages; each a pattern of whole words."""
NAMELESS = (
    *("1", "1.0", "yes", "y", "true", "t", "checked", "given", "ja", "oui", "si", "sim", "tak", "da", "да"),
    *("igen", "evet", "kylla", "ano", "hai", "はい", "是", "有", "あり", "예", "네", "✓", "✔", "☑", "selected"),
    *("administered", "positive", "ναι", "co", "đung", "ya", "نعم", "כן", "так", "jah", "taip", "jā", "ใช่", "हाँ", "हां"),
    *("on", "present", "pos", "+ve", "ticked", "done", "[x]", "(x)"),
    *("wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar", "sant", "sand", "igaz", "prawda", "истина", "真"),
)
"""Words by which a column says that a treatment was given."""
FLAG = ("1", "1.0")
"""The one of these that may stand among names of treatments."""
NO_TREATMENT = (
    *("0", "no", "n", "false", "f", "none", "nil", "nihil", "null", "neg", "negative", "unchecked"),
    *("not checked", "☐", "never", "nope", "nothing", "nothing given", "unselected", "off", "0.0", "zero"),
    *("unticked", "absent", "-ve", "[ ]", "[]", "( )", "()", "observation", "observation only", "watch and wait"),
    *("watch & wait", "w&w", "watchful waiting", "wait and see", "wait & see", "expectant management"),
    *("nein", "kein", "keine", "keiner", "keins", "nicht", "ohne", "entfallt", "trifft nicht zu", "k.a.", "ka"),
    *("non", "aucun", "aucune", "rien", "neant", "pas", "sans", "s/o", "s.o.", "nsp", "nc", "nr", "np", "msk"),
    *("ninguno", "ninguna", "ningun", "nada", "no aplica", "n/p", "nao", "nenhum", "nenhuma", "sem", "nao se aplica"),
    *("nessuno", "nessuna", "niente", "geen", "nee", "niets", "nvt", "n.v.t.", "niet van toepassing"),
    *("nej", "ej", "ingen", "inga", "intet", "ingenting", "nei", "ikke relevant", "ej aktuellt", "ei", "ei ole"),
    *("nie", "brak", "zaden", "zadny", "zadna", "zadne", "nie dotyczy", "neuplatnuje se", "ne", "nem", "nincs"),
    *("nem alkalmazhato", "hayir", "yok", "niciunul", "nu", "nu este cazul", "nema", "nije", "nijedan", "nera"),
    *("нет", "не", "ні", "немає", "нема", "без", "отсутствует", "отсутствуют", "не было", "не проводилась"),
    *("无", "無", "沒有", "没有", "否", "未", "未用", "未使用", "不适用", "不適用", "なし", "無し", "いいえ"),
    *("없음", "아니오", "아니요", "미투여", "해당없음", "khong", "khong co", "khong ap dung", "tidak", "tidak ada"),
    *("falsch", "faux", "falso", "onwaar", "falskt", "falsk", "usant", "hamis", "fałsz", "ложь", "假", "偽"),
    *("nothing to report", "nothing reported", "free", "n/r"),
    *("لا", "لا يوجد", "לא", "אין", "לא ניתן", "ไม่", "ไม่มี", "नहीं", "οχι", "καμια", "δεν δοθηκε"),
)
"""Words for no treatment."""
MISSING_NUMBERS = ("-9", "-99", "-999", "-9999", "-1", "-7", "-8", "-88", "-77")
"""Numbers below 0, which exports write for what is not known."""
NEITHER = re.compile(
    r"[#={]|(?:placebo|ok|okay|same|unchanged|stable|continued?|cont|ongoing|stopped|completed|discontinued|pending"
    r"|tbd|tbc|see notes?|see comments?|comments?|study|concomitant|prior|previous|standard of care|soc|supportive"
    r"|as (?:before|above)|ditto|idem|see\b|screen(?:ing)? fail\w*|maybe|standard care|end of report|unclear)\b"
)
"""What a text begins with that is neither a treatment nor none, if no treatment is named in it."""
YES_AND_NO = re.compile(r"(?:y|yes|ja|oui|si|1)\W+(?:n|no|nein|non|0)|(?:n|no|nein|non|0)\W+(?:y|yes|ja|oui|si|1)")
CODE_AND_YES = re.compile(r"1\W+yes|yes\W+1\W?|1\W+(?:ja|oui|si|checked)")
LETTERS_AND_NUMBER = re.compile(r"[a-z]{1,2}[-_ ]?\d{1,3}")
"""As `A1` and `R02`: a code."""
CHANGE = re.compile(
    r"\b(?:changes?|longer|further|more|effects?|responses?|responding|improv\w*|only|dose|taper\w*|stopp?\w*)\b"
)
"""Words of a sentence about a treatment that goes on."""
MAY_NOT_BE_GIVEN = re.compile(
    r"\?|\b(?:plan(?:ned|ning)?|consider\w*|possibl[ey]|probabl[ey]|maybe|suggest\w*|recommend\w*|propos\w*|offered"
    r"|ordered|await\w*|pending|schedul\w*|on hold|held|postpon\w*|delay\w*|cancel\w*|abort\w*|prior|previous\w*"
    r"|history|stop(?:ped)?|discontinu\w*|ended|ceased|off|study (?:drug|med\w*|treatment)|geplant|erwogen|abgesetzt"
    r"|beendet|abgebrochen|abgesagt|envisag\w*|prevue?|arrete\w*|planificad\w*|previst\w*|suspendid\w*|suspend\w*"
    r"|low platelets?|platelets? (?:counts?|low)|отмен\w*|планир\w*)\b|d/c\b|中止|停用|停药|计划|拟|予定|検討"
)
"""Words by which a text that names a treatment may say that it was planned, or has ended."""
NO_DOSE = re.compile(
    r"(?<![\w.,/-])[(\[]?0(?:[.,]0+)?\s*(?:[mµuμ]?c?g\w*(?:/\w+)*|iu|ml|units?|doses?|x|times)?[)\]]?(?![\w.,%/-])"
)
"""A dose of 0."""
DOSE = re.compile(r"[1-9]")
NEGATION = (
    r"did not (?:receive|get|need|require|have|take)|didn'?t (?:receive|get|need|require|have|take)|free (?:of|from)"
    r"|declin\w*|refus\w*|withheld|abgelehnt|rifiutat\w*|rechazad\w*"
    r"|non|not|no|nil|none|never|without|w/o|ohne|kein\w*|nein|nicht|sans|aucune?|pas de|sin|ningun[oa]?|senza"
    r"|nessun[oa]?|sem|nenhuma?|nao|geen|niet|ingen|inga|inte|ikke|ei|brak|nie|bez|zadn\w|nebyl\w*|nepodan\w|nem|ne|nu|без|нет|не"
)
BEGINS_NEGATED = re.compile(rf"^[\[(]?(?:(?:{NEGATION})\b\s*|[未无無]|没有|沒有|不)(?P<rest>.*)$")
ENDS_NEGATED = re.compile(
    r"^(?P<rest>.*?)[\s:(_-]*(?:"
    r"\b(?:not|never) (?:given|done|used|needed|required|taken|administered|received|indicated|prescribed)"
    r"|\b(?:declined|refused|withheld|not|none|no|free)|\bnicht (?:gegeben|erfolgt)|なし|無し|없음"
    r"|せず|verilmedi|uygulanmadi|nepodano)\W*$"
)
NOT_AS_RESCUE = re.compile(r"\b(?:non|not|no)\b[\s-]*(?:as |a |for )*(?:rescue|salvage)|\bnon-?steroid")
OF_TREATMENT = re.compile(
    r"\b(?:rescues?|rescued|salvage|medications?|meds?|therap\w+|treatments?|drugs?|given|needed|required|used|done"
    r"|taken|administered|received|of|any|for|itp|a|the|medikament\w*|behandlung\w*|gegeben|traitement\w*|secours"
    r"|rescate|tratamient\w*|medicacion|médicament\w*|de)\b"
)
NUMBER = re.compile(r"[-+.,\d]+")


class Meaning(Enum):
    """What a text in a column of rescue treatment means."""

    NAME = "a treatment"
    UNKNOWN_NAME = "a treatment that is not known"
    WITHOUT_A_NAME = "a rescue without a name"
    NONE_BEGINS = "no rescue"
    MISSING = "missing"
    NOT_A_TREATMENT = "neither"
    NEGATED = "a treatment and its negation"
    NOT_SURE = "a treatment that may not have been given"

    @property
    def is_wrong(self) -> bool:
        """It says nothing that can be used."""
        return self in (Meaning.NOT_A_TREATMENT, Meaning.NEGATED, Meaning.NOT_SURE)

    @property
    def is_name(self) -> bool:
        """It is the name of a treatment."""
        return self in NAMES

    @property
    def begins(self) -> bool:
        """A rescue treatment begins."""
        return self.is_name or self is Meaning.WITHOUT_A_NAME


NAMES = (Meaning.NAME, Meaning.UNKNOWN_NAME)


@dataclass(frozen=True)
class RescueWords:
    """What the user says of texts in a column of rescue treatment."""

    names: Collection[str] = ()
    """Names of treatments, as `plain` gives them."""
    none: Collection[str] = ()
    """Words for no treatment, as `plain` gives them."""

    @classmethod
    def told(cls, told: Told) -> "RescueWords":
        """The words that were told."""
        return cls({plain(name) for name in told.rescue_names}, {plain(word) for word in told.no_rescue})

    def meaning(self, text: str) -> Meaning:
        """What a text means.

        >>> RescueWords().meaning("IVIg 1 g/kg"), RescueWords().meaning("Unchecked")
        (<Meaning.NAME: 'a treatment'>, <Meaning.NONE_BEGINS: 'no rescue'>)
        >>> RescueWords.told(Told(no_rescue=("vitamin C",))).meaning("Vitamin C")
        <Meaning.NONE_BEGINS: 'no rescue'>
        """
        word = plain(text)
        if word in self.none:
            return Meaning.NONE_BEGINS
        if word in self.names:
            return Meaning.NAME
        if word in NO_TREATMENT:
            return Meaning.NONE_BEGINS
        if word in NOT_GIVEN or word in MISSING_NUMBERS:
            return Meaning.MISSING
        if word in NAMELESS:
            return Meaning.WITHOUT_A_NAME
        bare = word.strip("[]{}()<>*\"'-–—_:; ")
        if bare != word and bare in NOT_GIVEN:
            return Meaning.MISSING
        if _is_code(word):
            return Meaning.NOT_A_TREATMENT
        if CODE_AND_YES.fullmatch(word):
            return Meaning.WITHOUT_A_NAME
        negated = _negated(word)
        if negated is not None:
            return negated
        if is_known(word):
            return _of_known(word)
        return Meaning.NOT_A_TREATMENT if NEITHER.match(word) else Meaning.UNKNOWN_NAME


def _is_code(word: str) -> bool:
    """Whether a plain text is a fragment, a number or a code, or says yes and no at once."""
    fragment = (len(word.strip(".")) < 2 and word.isascii()) or not any(map(str.isalpha, word))
    code = LETTERS_AND_NUMBER.fullmatch(word) and not is_known(word)
    return bool(fragment or NUMBER.fullmatch(word) or code or YES_AND_NO.fullmatch(word))


def _of_known(word: str) -> Meaning:
    """The meaning of a plain text that has a treatment in it and no negation.

    >>> _of_known("ivig 0 g"), _of_known("ivig planned").name, _of_known("ivig 0.4 g/kg").name
    (<Meaning.NONE_BEGINS: 'no rescue'>, 'NOT_SURE', 'NAME')
    """
    if NO_DOSE.search(word):
        others = DOSE.search(NO_DOSE.sub("", word)) or len(KNOWN.findall(word)) > 1
        return Meaning.NEGATED if others else Meaning.NONE_BEGINS
    return Meaning.NOT_SURE if MAY_NOT_BE_GIVEN.search(word) else Meaning.NAME


def plain(text: str) -> str:
    """A text in small letters, without accents and needless white space.

    >>> plain(" Não  dado")
    'nao dado'
    """
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return " ".join("".join(unicodedata.normalize("NFC", _without_accents(letters))).split())


def _without_accents(letters: str) -> str:
    # Marks of Latin, Greek and Cyrillic letters are accents; those of other scripts are letters.
    return "".join(letter for letter in letters if not "\u0300" <= letter <= "\u036f")


def _pattern() -> re.Pattern[str]:
    words = dict.fromkeys(word for words in TREATMENTS.values() for word in words)
    latin = [word for word in words if word.isascii()]
    others = [word for word in words if not word.isascii()]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(latin)})(?![^\W_])|{'|'.join(map(plain, others))}")


KNOWN = _pattern()


def is_known(word: str) -> bool:
    """Whether a plain text has a treatment of `TREATMENTS` in it."""
    return KNOWN.search(word) is not None


def is_negated(text: str) -> bool:
    """Whether a text says by its first or last word that there was none, as in `NON-RESCUE MEDICATION`."""
    return _negated(plain(text)) is not None


def _negated(word: str) -> Meaning | None:
    """The meaning of a plain text with a negation: none, if all of it is negated; None: there is no negation."""
    if NOT_AS_RESCUE.search(word) and KNOWN.search(OF_TREATMENT.sub("", word)):
        return Meaning.NEGATED
    for pattern in (BEGINS_NEGATED, ENDS_NEGATED):
        match = pattern.match(word)
        if match is None:
            continue
        rest = OF_TREATMENT.sub("", match["rest"])
        if KNOWN.search(rest):
            # A name beside other words, or behind a mark, may be a treatment that was given all the same.
            return Meaning.NEGATED if KNOWN.sub("", rest).strip(" .") else Meaning.NONE_BEGINS
        return Meaning.NOT_A_TREATMENT if CHANGE.search(rest) else Meaning.NONE_BEGINS
    return None


def is_mixable(text: str, meanings: Mapping[str, Meaning]) -> bool:
    """Whether a text says that a treatment was given, but is not 1: beside names of treatments it is ambiguous."""
    return meanings[text] is Meaning.WITHOUT_A_NAME and text not in FLAG


# WORDING


def no_treatment(text: str) -> str:
    """The problem of a text that cannot be a treatment."""
    cure = "give its name, or 1 where it has none"
    return f"{text!r} is not a treatment; {cure}. If it means none, say --no-rescue {in_option(text)}."


def both_ways(text: str) -> str:
    """The problem of a text that names a treatment and denies one."""
    return (
        f"{text!r} names a treatment and has a word for none; write the name alone, or say what it is: "
        f"--no-rescue {in_option(text)} or --rescue-names {in_option(text)}."
    )


def may_not_be_given(text: str) -> str:
    """The problem of a text that names a treatment and may say that it was planned, or has ended."""
    return (
        f"{text!r} names a treatment and may say that it was not begun then; write the name alone if it was, or say "
        f"what it is: --no-rescue {in_option(text)} or --rescue-names {in_option(text)}."
    )


def numbered(numbers: Mapping[str, int]) -> str:
    """The names, most frequent first, each with its number: `'ivig' 3, 'prednisone' 1`."""
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name!r} {number:,}" for name, number in ordered)


def taken_text(name: str, numbers: Mapping[str, int]) -> str:
    """The note on what was taken as the name of a treatment."""
    return f"{name}: counted as rescue treatment: {numbered(numbers)}." if numbers else ""


def unknown_text(name: str, numbers: Mapping[str, int]) -> str:
    """The warning of names that are in no list."""
    if not numbers:
        return ""
    first = min(numbers)
    what = "is not a treatment" if len(numbers) == 1 else "are not treatments"
    cure = f"If one is none, say --no-rescue {in_option(first)}; if it is one, --rescue-names {in_option(first)}"
    return f"{name}: {numbered(numbers)} {what} known here, and counted as rescue treatment. {cure}."


def mixed_text(text: str) -> str:
    """The problem of a word such as `yes` in a column that names treatments."""
    said = "stands among names of treatments, and does not say which was given"
    return f"{text!r} {said}; give its name, or 1 where it has none."


SOME_NAME = ""
"""Among the cells of `mixed_if_named`: the column has names of treatments."""


def mixed_if_named(name: str, number: int, cells: Sequence[str]) -> str:
    """The problem of words such as `yes`, each quoted with its place, if the column has names as well."""
    if not number or SOME_NAME not in cells:
        return ""
    first = next(cell for cell in cells if cell != SOME_NAME)
    more = f" and {number - 1} more" if number > 1 else ""
    say = "say" if more else "says"
    said = f"{say} that a treatment was given, but not which, and other cells have names"
    return f"{name}: {first}{more} {said}; give its name, or 1 where it has none."


def assumed_text(name: str, meaning: Meaning) -> Callable[[int, Sequence[str]], str]:
    """The note on cells that name no treatment, from their number and spellings."""

    def note_text(number: int, texts: Sequence[str]) -> str:
        if not number:
            return ""
        cells = f"{name}: {number} {'cell' if number == 1 else 'cells'} with {' or '.join(sorted(map(repr, texts)))}"
        if meaning is Meaning.MISSING:
            return f"{cells} {'is' if number == 1 else 'are'} missing, and counted as no rescue like an empty cell."
        return f"{cells} counted as {meaning.value}."

    return note_text


def unknown_names(rescues: pl.Series) -> tuple[str, ...]:
    """The texts that look like names of treatments and are none that is known."""
    words = RescueWords()
    texts = rescues.drop_nulls().unique().sort()
    return tuple(text for text in texts if words.meaning(text) is Meaning.UNKNOWN_NAME)
