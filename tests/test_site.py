"""The documentation as a site: built from the tree, complete, searchable from a file, asking for nothing elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import opened
from patience import until

ROOT = Path(__file__).parent.parent
LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?([^\"'\s>]+)")
LINKED = re.compile(r"<a\b[^>]*?\bhref=[\"']?([^\"'#\s>]+)")
STYLED = re.compile(r"url\(['\"]?([^'\")]+)['\"]?\)|@import\s+['\"]([^'\"]+)")
ELSEWHERE = ("http:", "https:", "//")

pytestmark = pytest.mark.xdist_group("site")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built in strict mode, in which a warning, as of a link to a page or heading that is not there, is an error."""
    folder = tmp_path_factory.mktemp("documents")
    command = [sys.executable, ROOT / "docs" / "site_tree.py", folder]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def local(site, page, target):
    path = target.partition("?")[0].partition("#")[0]
    return site / path.lstrip("/") if path.startswith("/") else page.parent / path


def pages(site):
    return [page for page in site.rglob("*.html") if page.name != "404.html"]


def test_every_document_is_a_page(site):
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "criteria").glob("*.md")]
    made = [path.relative_to(ROOT).with_suffix(".html").as_posix().replace("README", "index") for path in documents]

    assert [page for page in made if not (site / page).exists()] == []


def test_every_document_is_in_the_navigation():
    settings = (ROOT / "zensical.toml").read_text()
    documents = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]

    assert [path.name for path in documents if f'"{path.relative_to(ROOT).as_posix()}"' not in settings] == []


def test_pages_load_nothing_from_elsewhere_and_all_that_they_load_is_there(site):
    for page in pages(site):
        targets = LOADED.findall(page.read_text())
        assert targets, page.name
        for target in targets:
            assert not target.startswith(ELSEWHERE), (page.name, target)
            assert target.startswith("data:") or local(site, page, target).exists(), (page.name, target)
    for sheet in site.rglob("*.css"):
        for targets in STYLED.findall(sheet.read_text()):
            target = next(filter(None, targets))
            assert not target.startswith(ELSEWHERE), (sheet.name, target)
            assert target.startswith("data:") or local(site, sheet, target).exists(), (sheet.name, target)


def test_links_between_pages_lead_somewhere(site):
    for page in pages(site):
        for target in LINKED.findall(page.read_text()):
            if not re.match(r"[a-z]+:", target):
                assert local(site, page, target).exists(), (page.name, target)


def test_the_answers_of_the_tutorial_are_closed_and_written_out(site):
    page = (site / "docs" / "tutorial.html").read_text()

    assert page.count("<details>") == page.count("<summary>Answer</summary>") == 10
    assert "```" not in page
    assert page.count('.svg"') == 10


def test_the_functions_are_shown_with_their_parameters_and_examples(site):
    page = re.sub(r"<[^>]+>", "", (site / "docs" / "reference" / "python.html").read_text())

    assert "counterfactuals" in page
    assert "&gt;&gt;&gt;" in page
    assert "```" not in page


@pytest.mark.parametrize("size", [(1280, 800), (390, 800)], ids=["desktop", "phone"])
def test_the_search_finds_a_word_from_a_file_without_a_network(site, browser, size):
    width, height = size
    with opened(browser, site / "index.html", viewport=(width, height), offline=True) as shown:
        shown.page.locator(".md-search__button:visible, label[for=__search]:visible").first.click()
        # The field and the list of results are closed to us. Their element has the focus once one can type, and Enter
        # goes to the first result once there is one.
        shown.page.wait_for_function("() => document.activeElement.matches('div')")
        shown.page.keyboard.insert_text("wash-out")

        def result_is_open():
            shown.page.keyboard.press("Enter")
            shown.page.wait_for_timeout(50)
            return "h=wash" in shown.page.url

        until(result_is_open)

        assert shown.page.url.startswith(site.as_uri())
        assert shown.page.url.partition("?")[0] != (site / "index.html").as_uri()
        assert re.search("wash-?out", shown.page.locator("article").inner_text())
        assert [address for address in shown.requests if not address.startswith(("file:", "data:", "blob:"))] == []


def test_no_page_is_wider_than_a_phone(site, browser):
    for name in ("index.html", "docs/reference/table.html", "docs/how-to/excel.html", "docs/reference/python.html"):
        with opened(browser, site / name, viewport=(390, 800)) as shown:
            assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390, name
