"""The documentation as a site: built from the tree, complete, and asking for nothing elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?([^\"'\s>]+)")
LINKED = re.compile(r"<a\b[^>]*?\bhref=[\"']([^\"'#]+)")
STYLED = re.compile(r"url\(['\"]?([^'\")]+)['\"]?\)|@import\s+['\"]([^'\"]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Built in strict mode, in which a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def local(site, page, target):
    path = target.partition("?")[0].partition("#")[0]
    return site / path.lstrip("/") if path.startswith("/") else page.parent / path


def test_every_document_is_a_page(site):
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "criteria" / "README.md"]
    pages = [path.relative_to(ROOT).with_suffix(".html").as_posix().replace("README", "index") for path in documents]

    assert [page for page in pages if not (site / page).exists()] == []


def test_pages_load_nothing_from_elsewhere_and_all_that_they_load_is_there(site):
    for page in site.rglob("*.html"):
        targets = LOADED.findall(page.read_text())
        assert targets, page.name
        for target in targets:
            if target.startswith("data:"):
                continue
            assert not target.startswith(("http:", "https:", "//")), (page.name, target)
            assert local(site, page, target).exists(), (page.name, target)
    for sheet in site.rglob("*.css"):
        for targets in STYLED.findall(sheet.read_text()):
            target = next(filter(None, targets))
            assert target.startswith("data:") or local(site, sheet, target).exists(), (sheet.name, target)


def test_links_between_pages_lead_somewhere(site):
    for page in site.rglob("*.html"):
        if page.name != "404.html":
            for target in LINKED.findall(page.read_text()):
                if not re.match(r"[a-z]+:", target):
                    assert local(site, page, target).exists(), (page.name, target)


def test_the_answers_of_the_tutorial_are_closed_and_written_out(site):
    page = (site / "docs" / "tutorial.html").read_text()

    assert page.count("<details>") == page.count("<summary>Answer</summary>") == 10
    assert "```" not in page
    assert page.count('.svg"') == 10
