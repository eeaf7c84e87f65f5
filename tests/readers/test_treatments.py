"""What a text in the column of rescue treatment means, and what the summary says of it."""

import re
import shlex

import pytest
from click.testing import CliRunner

from itp_response.classification.classification import classify
from itp_response.cli import main
from itp_response.messages.errors import CohortError
from itp_response.readers.mapping.mapping import mapped
from itp_response.readers.options import ReadOptions
from itp_response.readers.told import Told
from itp_response.readers.treatments import Meaning, RescueWords
from itp_response.readers.visits import read

MEANINGS = {
    Meaning.NONE_BEGINS: """
        0 | no | None | Unchecked | no rescue | NOT GIVEN | nein | nil | ninguno | aucun | Aucune | 无 | keine | non | não
        нет | なし | geen | nessuno | NON-RESCUE MEDICATION | without rescue | no IVIg | IVIg not given | ohne | nicht gegeben
        Kein Notfallmedikament | declined | never | brak | 未用药 | None given | none required | n.v.t. | entfällt | hayır
        FALSCH | FAUX | Falso | IVIg 0 g | IVIg=0 | 0 mg prednisone | steroid-free | free of rescue | did not receive IVIg
        declined IVIg | DID NOT RECEIVE RESCUE | nie dotyczy | niet gegeven | не назначалось | 不适用 | 該当せず | [ ] | unticked | watch and wait | IVIg (not given)
        """,
    Meaning.MISSING: "unbekannt | inconnu | okänd | 不明 | (blank) | NaT | NI | UNK | NASK | nk | ND | NA | n/a | . | - | ? | -99 | -9 | not done | unknown | Missing | [Not Done] | *UNK*",
    Meaning.WITHOUT_A_NAME: "WAHR | VRAI | Verdadero | 1 | yes | ja | oui | sí | 是 | Checked | TRUE | 1=Yes | Yes (1) | [x]",
    Meaning.NAME: """
        IVIg | ivig 1 g/kg | Privigen | OCTAGAM 10% | WinRho SDF | rhophylac | anti-D | Prednisone 1mg/kg | prednisolon
        Dexaméthasone | dexametasona | Medrol | Solu-Medrol | methylprednisolone | steroids | corticoides | Kortison
        platelet transfusion | Thrombozytenkonzentrat | Nplate | romiplostim | Promacta | Revolade | Doptelet | hetrombopag
        rhTPO | TPIAO | 地塞米松 | rituximab | danazol | vincristine | Fostamatinib | splenectomy | Splenektomie
        azathioprine | mycophenolate mofetil | tranexamic acid | IVIg+prednisone | steroids, no IVIg | rescue
        """,
    Meaning.UNKNOWN_NAME: "aspirin | Vitamin C | physiotherapy | Sokolin",
    Meaning.NOT_A_TREATMENT: """
        2 | 99 | 3.5 | B | j | X | B. | 12/3 | 2,5 | +++ | A1 | R 02 | Y/N | no/yes | ongoing | Placebo | no change | #NAME? | ok
        study drug | concomitant medication | see comment | unchanged
        """,
    Meaning.NEGATED: """
        not IVIg but prednisone | no change of IVIg dose | IVIg, none | No (IVIg given) | no IVIg, steroids | none/IVIg
        IVIg=0; steroids=1 | prednisone 10 mg to 0 mg
        prednisone, not as rescue | IVIg (non-rescue) | non-steroid drug
        """,
    Meaning.NOT_SURE: """
        planned IVIg | IVIg? | IVIg considered | cancelled IVIg | prior rituximab | IVIg stopped | prednisone discontinued
        eltrombopag (study drug) | off steroids | low platelets | IVIg on hold | d/c prednisone
        """,
}


def texts(listed):
    return [text.strip() for line in listed.strip().splitlines() for text in line.split("|")]


@pytest.mark.parametrize(
    ("text", "meaning"), [(text, meaning) for meaning, listed in MEANINGS.items() for text in texts(listed)]
)
def test_meaning(text, meaning):
    assert RescueWords().meaning(text) is meaning


def test_what_the_user_says_goes_before_the_lists():
    words = RescueWords.told(Told(rescue_names=("Nein-Pharm", "no"), no_rescue=("IVIg (home)",)))
    assert [words.meaning(text) for text in ("NEIN-PHARM", "No", "ivig (home)", "ivig")] == [
        *(Meaning.NAME, Meaning.NAME, Meaning.NONE_BEGINS, Meaning.NAME),
    ]


def test_the_cure_works_as_it_is_typed(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text('patient_id,day,platelets,rescue\nP1,0,20,"IVIg, none"\n')
    refused = CliRunner().invoke(main, ["classify", str(path)])
    cure = re.search(r"(--no-rescue '.*?') or", refused.output)[1]
    told = CliRunner().invoke(main, ["classify", str(path), *shlex.split(cure)])
    assert "rescue: 1 cell with 'ivig, none' counted as no rescue." in told.output


def rows(*rescues):
    return [{"patient_id": "P1", "day": day, "platelets": 20, "rescue": text} for day, text in enumerate(rescues)]


def notes(*rescues, **options):
    return [(note.warning, note.text) for note in read(rows(*rescues), options=ReadOptions(**options)).notes]


class TestSummary:
    def test_names_with_their_numbers(self):
        assert (False, "rescue: counted as rescue treatment: 'ivig' 2, 'prednisone' 1.") in notes(
            "IVIg", "prednisone", "ivig", ""
        )

    def test_a_name_that_is_not_known(self):
        said = (
            "rescue: 'vitamin c' 2 is not a treatment known here, and counted as rescue treatment. "
            "If one is none, say --no-rescue 'vitamin c'; if it is one, --rescue-names 'vitamin c'."
        )
        assert (True, said) in notes("Vitamin C", "IVIg", "vitamin c")
        assert not any(
            warning and "vitamin" in text for warning, text in notes("Vitamin C", rescue_names=["vitamin C"])
        )
        assert (False, "rescue: 1 cell with 'vitamin c' counted as no rescue.") in notes(
            "Vitamin C", no_rescue=["vitamin C"]
        )

    def test_what_is_missing(self):
        said = "rescue: 2 cells with 'nk' or 'unk' are missing, and counted as no rescue like an empty cell."
        assert (True, said) in notes("UNK", "NK", "none")

    def test_a_treatment_of_the_criteria_set_is_known(self):
        study = classify(rows("eltrombopag"), criteria="ritp").cohort
        assert not any("no treatment known" in note.text for note in study.notes)
        assert any("'leeches'" in text for warning, text in notes("leeches") if warning)
        assert not any(
            note.warning and "leeches" in note.text for note in read(rows("leeches"), rescue_names=["leeches"]).notes
        )

    def test_a_mapping_tells_it(self, tmp_path):
        mapping = tmp_path / "mapping.toml"
        mapping.write_text(
            """
            confirmed = true
            missing = [-99, "bleeding_grade=9"]
            no_rescue = ["diet"]
            [patients]
            patient_id = "patient_id"
            [[visits]]
            day = "day"
            platelets = "plt"
            bleeding_grade = "grade"
            rescue = "drug"
            """
        )
        table = [
            {"patient_id": "P1", "day": "0", "plt": "9", "grade": "0", "drug": "diet"},
            {"patient_id": "P1", "day": "7", "plt": "-99", "grade": "9", "drug": "IVIg"},
        ]
        cohort = read(*mapped(table, mapping))
        assert cohort.platelets.low.tolist()[0] == 9
        assert cohort.platelets.exact
        assert [str(value) for value in cohort.platelets.low] == ["9.0", "nan"]
        assert cohort.rescue.tolist() == [False, True]
        said = [note.text for note in cohort.notes]
        assert "bleeding_grade: 1 cell with '9' counts as missing, as specified." in said
        assert "platelets: 1 cell with '-99' counts as missing, as specified." in said


class TestRefused:
    @pytest.mark.parametrize("text", ["B", "2", "not IVIg but prednisone"])
    def test_with_the_cure(self, text):
        with pytest.raises(CohortError, match=r"row 1: rescue: .*--no-rescue"):
            read(rows(text))

    def test_a_word_for_yes_among_names(self):
        cure = "say that a treatment was given, but not which, and other cells have names; give its name, or 1 where"
        with pytest.raises(CohortError, match=rf"rescue: 'ja' \(row 1\) and 1 more {cure} it has none"):
            read(rows("ja", "IVIg", "yes"))
        assert read(rows("ja", "yes", "nein")).rescue.tolist() == [True, True, False]
        assert read(rows("1", "IVIg")).rescue.tolist() == [True, True]
