"""The page's server: what it answers, and whom."""

import json
import socket
from pathlib import Path

import httpx
import pytest
from patience import PATIENCE
from served import served

from itp_response.definitions.load import load, shipped
from itp_response.explanation.ask import ask
from itp_response.messages.errors import UsageError
from itp_response.readers.visits import read
from itp_response.teaching.api import MOST, PAGE, app
from itp_response.teaching.page_data import PageData
from itp_response.teaching.teach import listening, teach

ROOT = Path(__file__).parents[2]
HERE = "http://127.0.0.1:8017"
"""Where the page believes itself to be; the tests reach it at a free port."""
TIMELINE = "d0 15, d22 40, d28 45, d42 12, d364 12"


@pytest.fixture(scope="module")
def client():
    with served(app(PageData(load("atra_2022")), 8017)) as address, reached(address) as client:
        yield client


@pytest.fixture(scope="module")
def study():
    criteria = load("atra_2022")
    cohort = read(ROOT / "examples" / "visits.csv", ROOT / "examples" / "patients.csv", columns=criteria.file.columns)
    with served(app(PageData(criteria, cohort), 8017)) as address, reached(address) as client:
        yield client


def reached(address):
    return httpx.Client(base_url=address, headers={"Host": "127.0.0.1:8017"}, trust_env=False, timeout=PATIENCE)


def asked(timeline=TIMELINE, criteria="atra_2022", endpoint="OR", interpretations=(), **further):
    return {
        "timeline": timeline,
        "sets": [{"criteria": criteria, "endpoint": endpoint, "interpretations": list(interpretations)}],
        **further,
    }


def result_of(verdicts, endpoint):
    return next(verdict["result"] for verdict in verdicts if verdict["endpoint"] == endpoint)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("timeline", "further", "endpoint", "interpretations", "said"),
        [
            (TIMELINE, {}, "OR", [], "N"),
            ("d0 15, d22 40, d29 45, d364 12", {}, "OR", [], "Y on day 22"),
            ("d0 15, d22 40, d28 45, d364 12", {}, "OR", ["seven-days-with-one-to-spare"], "Y on day 22"),
            ("d22 40, d29 45, d364 12", {"baseline": "25"}, "OR", [], "N"),
            ("d22 40, d29 45, d364 12", {"baseline": "<20"}, "OR", [], "Y on day 22"),
            ("d0 15, d22 40, d29 45, d364 12", {"discontinued": 30}, "OR", [], "N"),
            ("d0 15, d14..d364 60", {"day_0": "2018-08-30"}, "SR", ["six-calendar-months"], "Y on day 196"),
        ],
    )
    def test_are_those_of_the_engine(self, client, timeline, further, endpoint, interpretations, said):
        answer = client.post(
            "/api/decide", json=asked(timeline, endpoint=endpoint, interpretations=interpretations, **further)
        )

        (verdicts,) = (answered["verdicts"] for answered in answer.json()["sets"])
        assert result_of(verdicts, endpoint) == said

    def test_come_with_the_explanation_of_ask(self, client):
        shown = client.post("/api/decide", json=asked()).json()["sets"][0]["shown"]
        (expected,) = ask(TIMELINE, endpoint="OR")

        assert shown["needs"] == expected.needs
        assert shown["explained"]["lines"] == [
            [0, "day 0", "15", "before day 1"],
            [22, "day 22", "40", "qualifies"],
            [28, "day 28", "45", "does not count: only 6 days after day 22"],
            [42, "day 42", "12", "fails: a count below 30"],
            [364, "day 364", "12", "fails: a count below 30"],
        ]
        played = ["before", "qualifies", "too_soon", "fails", "fails"]
        assert shown["explained"]["parts"] == [list(pair) for pair in zip((0, 22, 28, 42, 364), played, strict=True)]

    def test_come_with_the_numbers_counts_are_compared_with(self, client):
        shown = client.post("/api/decide", json=asked("d0 18, d22 40, d29 45")).json()["sets"][0]["shown"]

        assert [(one["value"], one["words"]) for one in shown["thresholds"]] == [
            (100, "a count of at least 100"),
            (36, "a count of at least twice the baseline"),
            (30, "a count of at least 30"),
        ]

    def test_come_with_the_truth_of_each_clause_as_it_stands_in_the_rule(self, client):
        line = "d0 15, d22 40, d28 120 bleed 1, d35 bleed ?"
        rules = {
            one["key"]: one for one in client.post("/api/decide", json=asked(line)).json()["sets"][0]["shown"]["rules"]
        }

        assert rules["when"]["at"] == [False, True, False, None]
        assert [(one["words"], one["at"]) for one in rules["when"]["clauses"]] == [
            ("a count of at least 30", [False, True, True, None]),
            ("a count of at least twice the baseline", [False, True, True, None]),
            ("a count of at least 100", [False, False, True, None]),
            ("no bleeding of grade 1 or more", [True, True, False, None]),
        ]

    def test_come_with_counterfactuals_when_those_are_asked(self, client):
        sets = [{"criteria": "atra_2022", "endpoint": "OR"}, {"criteria": "iwg_2009", "endpoint": "R"}]
        asked_for = asked("d0 15, d22 40, d25 28, d29 45, d364 12") | {"sets": sets}

        assert client.post("/api/counterfactuals", json=asked_for).json() == {
            "counterfactuals": [
                [
                    "the result would be Y with a count of 30 instead of 28 on day 25: a count of at least 30 (timeline entry 3)"
                ],
                [
                    "the result would be Y with a count of 30 instead of 28 on day 25: a count of at least 30 (timeline entry 3)"
                ],
            ]
        }

    def test_come_with_the_entries_of_the_line(self, client):
        line = "d0 15, d7 <10 bleed ?, d9 rescue IVIg to d11, d14..d28 60"

        assert [
            (one["day"], one["count"], one["bleed"], one["rescue"], one["rescue_to"], one["rescue_name"])
            for one in client.post("/api/decide", json=asked(line)).json()["entries"]
        ] == [
            (0, "15", "0", False, 0, ""),
            (7, "<10", "?", False, 7, ""),
            (9, "", "0", True, 11, "ivig"),
            (14, "60", "0", False, 14, ""),
            (21, "60", "0", False, 21, ""),
            (28, "60", "0", False, 28, ""),
        ]

    def test_of_one_set_do_not_hinder_the_other(self, client):
        sets = [{"criteria": "atra_2022", "interpretations": ["six-calendar-months"]}, {"criteria": "iwg_2009"}]
        needs_dates, decided = client.post("/api/decide", json=asked("d0 15, d22 40, d29 45") | {"sets": sets}).json()[
            "sets"
        ]

        assert needs_dates["error"].startswith("6 months are calendar months, which need dates;")
        assert decided["shown"]["endpoint"] == "CR"

    @pytest.mark.parametrize("name", shipped())
    def test_every_shipped_set_can_be_played_with(self, client, name):
        """Its first worked example, sent as the page sends it, has the verdicts that the gallery shows."""
        opened = client.get("/api/set", params={"name": name}).json()
        example = opened["examples"][0]
        given = {key: example[key] for key in ("timeline", "baseline", "discontinued", "day_0", "patient")}
        for endpoint in opened["endpoints"]:
            answer = client.post("/api/decide", json=asked(**given, criteria=name, endpoint=endpoint["name"]))
            (one,) = answer.json()["sets"]
            assert one["shown"]["endpoint"] == endpoint["name"]
            assert {one["endpoint"]: one["value"] for one in one["verdicts"]} == example["values"]


class TestQuiz:
    @pytest.mark.parametrize(("hard", "number"), [(False, range(5, 6)), (True, range(2, 6))])
    def test_questions_have_the_engine_s_answers_and_are_the_same_for_the_same_seed(self, client, hard, number):
        wanted = {"criteria": "fit", "seed": 7, "hard": hard}
        questions = client.post("/api/quiz", json=wanted).json()["questions"]

        assert len(questions) in number
        for question in questions:
            answer = client.post("/api/decide", json=asked(question["timeline"], "fit", question["endpoint"])).json()
            assert answer["sets"][0]["shown"]["value"] == question["answer"]
            assert question["sketch"]["counts"]
        assert client.post("/api/quiz", json=wanted).json()["questions"] == questions

    def test_a_seed_that_is_none_is_refused(self, client):
        answer = client.post("/api/quiz", json={"criteria": "atra_2022", "seed": -1})

        assert (answer.status_code, answer.json()["error"]) == (
            422,
            "seed: input should be greater than or equal to 0.",
        )

    def test_about_a_set_of_one_s_own_can_be_decided(self):
        own = load(ROOT / "examples" / "own_definition.toml")
        with served(app(PageData(own), 8017)) as address, reached(address) as client:
            (question, *_) = client.post("/api/quiz", json={"criteria": own.name, "seed": 1}).json()["questions"]
            told = asked(question["timeline"], question["criteria"], question["endpoint"])
            (decided,) = client.post("/api/decide", json=told).json()["sets"]

        assert decided["shown"]["value"] == question["answer"]


class TestSets:
    def test_are_listed_with_what_they_are_searched_by(self, client):
        listed = {one["name"]: one for one in client.get("/api/sets").json()["sets"]}

        assert list(listed) == ["atra_2022", *(name for name in shipped() if name != "atra_2022")]
        assert listed["fit"]["short"] == "Bussel 2018 (FIT-1 and FIT-2)"
        assert listed["fit"]["registry"] == "NCT02076399 (FIT-1), NCT02076412 (FIT-2)"
        assert {name for name, one in listed.items() if not one["verified"]} == {
            name for name in shipped() if load(name).file.checked == "unverified"
        }
        for one in listed.values():
            assert [one[key] for key in ("name", "short", "title", "registry") if one[key] not in one["searched"]] == []
        assert "VAYHIT2" in listed["vayhit2"]["searched"]
        assert "ianalumab eltrombopag" in listed["vayhit2"]["searched"]


class TestInterpretations:
    def test_say_which_worked_examples_are_reclassified(self, client):
        answer = client.post(
            "/api/reclassified", json={"criteria": "atra_2022", "interpretations": ["seven-days-with-one-to-spare"]}
        ).json()

        assert answer["of"] == 99
        assert {
            (change["example"], change["endpoint"], change["from"], change["to"]) for change in answer["reclassified"]
        } >= {
            ("T07", "OR", "N", "Y on day 22"),
            ("T07", "best_response", "NR", "R"),
        }

    def test_without_any_no_example_is_reclassified(self, client):
        assert client.post("/api/reclassified", json={"criteria": "atra_2022"}).json() == {"of": 99, "reclassified": []}


class TestPatientsOfAFile:
    def test_are_found_by_a_part_of_their_id(self, study):
        assert study.get("/api/patients", params={"part": "016"}).json() == {
            "ids": ["ITP-0016", *(f"ITP-016{digit}" for digit in range(9))],
            "matching": 10,
            "of": 168,
        }

    @pytest.mark.parametrize(
        ("patient", "endpoint", "said"), [("ITP-0001", "OR", "Y on day 28"), ("ITP-0003", "relapse", "Y on day 154")]
    )
    def test_come_out_as_in_the_file(self, study, patient, endpoint, said):
        one = study.get("/api/patient", params={"id": patient}).json()
        given = {key: one[key] for key in ("timeline", "baseline", "discontinued", "day_0", "patient")}
        verdicts = study.post("/api/decide", json=asked(**given)).json()["sets"][0]["verdicts"]

        assert result_of(verdicts, endpoint) == said
        assert one["notes"] == []

    def test_who_are_not_there_are_named_with_the_nearest(self, study):
        answer = study.get("/api/patient", params={"id": "ITP-169"})

        assert answer.status_code == 422
        assert answer.json()["error"].startswith("there is no patient 'ITP-169' among the 168 of visits.csv")

    def test_are_not_there_without_a_file(self, client):
        assert client.get("/api/patients", params={"part": ""}).json()["error"] == (
            "there are no patients: no file was given; start with itp-response teach FILE."
        )


CARET = (
    "timeline: '4o' is not understood; an entry can have a count, bleed GRADE, rescue [NAME] [to dDAY], COLUMN=VALUE."
)
FROM_THE_PAGE = {"Content-Type": "application/json", "Origin": HERE}


class TestRefusals:
    """What is wrong is said in a sentence, and the next request is answered."""

    @pytest.mark.parametrize(
        ("body", "status", "error"),
        [
            (b"{", 400, "the request is not JSON: Expecting property name enclosed in double quotes, line 1 column 2."),
            (b"", 400, "the request is not JSON: Expecting value, line 1 column 1."),
            (b'"\xff"', 400, "the request is not JSON: it is not UTF-8."),
            (b"[" * 60_000, 400, "the request is not JSON that can be read: it is nested too deep."),
            (b" " * (MOST + 1), 413, "a request has at most 65,536 bytes."),
            (b"[]", 422, "the request: input should be a JSON object."),
            (json.dumps(asked() | {"sets": ["atra_2022"]}).encode(), 422, "sets.0: input should be a JSON object."),
            (b"{}", 422, "timeline: field required."),
            (json.dumps(asked() | {"sets": []}).encode(), 422, "sets: tuple should have at least 1 item after validation, not 0."),
            (json.dumps(asked() | {"bseline": 3}).encode(), 422, "bseline: extra inputs are not permitted."),
            (json.dumps(asked("d0 15, d22 4o")).encode(), 422, f"{CARET}\n    d0 15, d22 4o\n           ^^^^^^"),
            (json.dumps(asked(criteria="../atra_2022")).encode(), 422, "unknown criteria '../atra_2022'; known: atra_2022, advance, "),
            (json.dumps(asked(criteria="/etc/passwd")).encode(), 422, "unknown criteria '/etc/passwd'; known: atra_2022, advance, "),
            (json.dumps(asked(interpretations=["six"])).encode(), 422, "atra_2022.toml: unknown interpretation 'six'; known: "),
            (json.dumps(asked(baseline="many")).encode(), 422, "baseline: 'many' is no count; write 15 or '<10'."),
            (json.dumps(asked(discontinued=10**30)).encode(), 422, "discontinued: input should be less than or equal to 36525."),
            (json.dumps(asked(day_0="30.8.2018")).encode(), 422, "day_0: input should be a valid date or datetime, "),
        ],
        ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else None,
    )  # fmt: skip
    def test_of_a_malformed_request(self, client, body, status, error):
        answer = client.post("/api/decide", content=body, headers=FROM_THE_PAGE)

        assert answer.status_code == status
        assert answer.json()["error"].startswith(error)
        assert client.post("/api/decide", json=asked()).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "status", "error"),
        [
            ({"Host": "evil.example:8017"}, 403, "this page answers as 127.0.0.1:8017 and localhost:8017, not as 'evil.example:8017'."),
            ({"Host": "127.0.0.1:80"}, 403, "this page answers as 127.0.0.1:8017 and localhost:8017, not as '127.0.0.1:80'."),
            ({"Origin": "http://evil.example"}, 403, "only the page itself may post, not 'http://evil.example'."),
            ({"Origin": "http://127.0.0.1:8018"}, 403, "only the page itself may post, not 'http://127.0.0.1:8018'."),
            ({"Origin": "http://127.0.0.1:8017.evil.example"}, 403, "only the page itself may post, not 'http://127.0.0.1:8017.evil.example'."),
            ({"Origin": "https://127.0.0.1:8017"}, 403, "only the page itself may post, not 'https://127.0.0.1:8017'."),
            ({"Origin": "null"}, 403, "only the page itself may post, not 'null'."),
            ({"Sec-Fetch-Site": "cross-site"}, 403, "only the page itself may post, not 'cross-site'."),
            ({"Content-Type": "text/plain"}, 415, "what is posted is application/json, not 'text/plain'."),
            ({"Content-Type": ""}, 415, "what is posted is application/json, not ''."),
        ],
    )  # fmt: skip
    def test_of_one_who_is_not_the_page(self, client, headers, status, error):
        given = {"Content-Type": "application/json", **headers}
        answer = client.post("/api/decide", content=json.dumps(asked()), headers=given)

        assert (answer.status_code, answer.json()) == (status, {"error": error})

    def test_a_page_is_not_shown_under_another_name(self, client):
        assert client.get("/", headers={"Host": "rebound.example"}).status_code == 403
        assert client.get("/", headers={"Host": "localhost:8017"}).status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "status", "error"),
        [
            ("GET", "/nothing", 404, "there is nothing at '/nothing'."),
            ("GET", "/page/api.py", 404, "there is nothing at '/page/api.py'."),
            ("GET", "/page/..%2fapi.py", 404, "there is nothing at '/page/../api.py'."),
            ("GET", "/api/decide", 405, "/api/decide is not asked by GET."),
            ("DELETE", "/", 405, "/ is not asked by DELETE."),
            ("GET", "/api/set", 400, "what is asked for is missing: name."),
        ],
    )
    def test_of_what_is_not_there(self, client, method, path, status, error):
        answer = client.request(method, path)

        assert (answer.status_code, answer.json()) == (status, {"error": error})

    @pytest.mark.parametrize("faulty", ["path", "method", "host", "origin"])
    def test_a_message_is_short_enough_to_be_read(self, client, faulty):
        """However long what it names is."""
        long = "a" * 5_000
        path = f"/{long}" if faulty == "path" else "/api/decide"
        method = long.upper() if faulty == "method" else "POST"
        headers = {} if faulty in ("path", "method") else {faulty: long}
        answer = client.request(method, path, headers={"Content-Type": "application/json", **headers}, content="{}")

        assert answer.status_code in (403, 404, 405)
        assert len(answer.json()["error"]) < 1_000

    def test_every_answer_carries_the_policy(self, client):
        for path in ("/", "/page/page.js", "/api/sets", "/nothing"):
            headers = client.get(path).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
            assert (headers["x-content-type-options"], headers["cross-origin-resource-policy"]) == (
                "nosniff",
                "same-origin",
            )
            assert "access-control-allow-origin" not in headers


class TestPage:
    def test_is_small_and_asks_for_nothing_elsewhere(self):
        files = {path.name: path.read_text() for path in PAGE.iterdir()}

        assert sum(len(text.encode()) for text in files.values()) < 300_000
        for name, text in files.items():
            elsewhere = [
                word for word in ("http://", "https://", "//cdn") if word in text.replace("http://www.w3.org", "")
            ]
            assert elsewhere == (["https://"] if name == "panels.js" else []), name  # a source is linked if it is https

    def test_has_the_policy_kept_by_its_markup(self):
        """Neither styles nor scripts stand in the page itself, which the policy would refuse."""
        html = (PAGE / "index.html").read_text()

        assert "style=" not in html
        assert "<style" not in html
        assert "onclick=" not in html
        assert html.count("<script") == html.count('<script type="module" src="/page/')


class TestServing:
    def test_a_port_that_is_taken_is_said(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(
                UsageError, match=f"port {port}: cannot be used: Address already in use. Leave out --port"
            ):
                listening(port)

    def test_without_its_libraries_it_says_how_to_get_them(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)

        with pytest.raises(UsageError, match=r"install it by\n    .*\[teach\]"):
            teach()
