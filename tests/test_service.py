"""In a service: the example of one over HTTP, errors as data, and one criteria set for several threads."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import polars as pl
import pytest
from served import served

import itp_response
from itp_response.messages.codes import Code

ROOT = Path(__file__).parent.parent
VISITS = [
    {"day": 0, "platelets": 15, "bleeding_grade": 0},
    {"day": 21, "platelets": 45, "bleeding_grade": 0},
    {"day": 28, "platelets": 60, "bleeding_grade": 0},
]


@pytest.fixture(scope="module")
def client():
    spec = importlib.util.spec_from_file_location("example_service", ROOT / "examples" / "service.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with served(module.app) as address, httpx.Client(base_url=address) as client:
        yield client


def posted(client, visits, **more):
    answer = client.post("/classify", json={"patient_id": "P1", "visits": visits, **more})
    return answer.status_code, answer.json()


class TestExample:
    def test_a_patient_is_answered_with_results_and_their_evidence(self, client):
        status, answer = posted(client, VISITS)
        response = answer["results"][0]

        assert status == 200
        assert (answer["patient_id"], answer["response_definition"]) == (
            "P1",
            "Response definition: Wu 2022 (ATRA trial)",
        )
        assert (response["endpoint"], response["label"], response["value"], response["day"]) == (
            *("OR", "Overall response"),
            *("Y", 21),
        )
        assert [(one["role"], one["day"], one["line"]) for one in response["evidence"]] == [
            ("onset", 21, 2),
            ("confirming", 28, 3),
        ]

    def test_another_set_may_be_asked(self, client):
        status, answer = posted(client, VISITS, criteria="iwg_2009")

        assert (status, answer["response_definition"]) == (200, "Response definition: IWG 2009 (Vicenza consensus)")

    def test_a_count_that_cannot_be_is_answered_as_data(self, client):
        status, answer = posted(client, [*VISITS[:2], {"day": 28, "platelets": "6o", "bleeding_grade": 0}])

        assert status == 422
        assert (answer["error"], answer["code"], answer["value"]) == ("CohortError", "number_unreadable", "6o")
        assert answer["place"] == {"file": "visits", "line": 3, "column": "platelets"}
        assert answer["cure"].startswith("Write a number")

    @pytest.mark.parametrize(
        ("visits", "more", "field", "code"),
        [
            ([{"day": "x"}], {}, "visits.0.day", "int_parsing"),
            ([{"day": 0, "count": 3}], {}, "visits.0.count", "extra_forbidden"),
            ([], {}, "visits", "too_short"),
            (VISITS, {"criteria": "/etc/passwd"}, "criteria", "literal_error"),
        ],
    )
    def test_a_request_of_another_form_is_answered_in_the_same_form(self, client, visits, more, field, code):
        status, answer = posted(client, visits, **more)

        assert status == 422
        assert (answer["error"], answer["code"], answer["place"]) == ("RequestError", code, {"field": field})

    def test_no_json_is_answered_so_too(self, client):
        answer = client.post("/classify", content=b"{")

        assert (answer.status_code, answer.json()["code"]) == (422, "json_invalid")

    def test_the_codes_are_listed(self, client):
        assert list(client.get("/codes").json()) == list(Code)


class TestThreads:
    def test_threads_that_share_a_set_agree_with_one_call(self):
        """Each patient of the example study by itself, eight at a time."""
        visits, patients = (
            pl.read_csv(ROOT / "examples" / f"{name}.csv", infer_schema=False) for name in ("visits", "patients")
        )
        criteria, options = itp_response.criteria("atra_2022"), itp_response.ReadOptions(bleeding="scored")
        whole = itp_response.classify(visits, patients, criteria, options=options)
        ids = whole.cohort.id.to_list()[:48]

        def alone(patient):
            own = [table.filter(pl.col("patient_id") == patient) for table in (visits, patients)]
            return itp_response.classify(*own, criteria, options=options, threads=1).frame()

        with ThreadPoolExecutor(8) as pool:
            together = pl.concat(pool.map(alone, ids))

        assert together.equals(whole.frame().head(48))

    def test_threads_ask_one_classification(self):
        study = itp_response.classify(ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv")

        def explained(patient):
            return str(itp_response.explain(study, patient=patient, endpoint="OR", counterfactuals=False)[0])

        ids = study.cohort.id.to_list()[:24]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(explained, ids)) == list(map(explained, ids))
