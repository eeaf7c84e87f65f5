"""Builds the documents as a site: `make site`, or `python docs/site_tree.py [FOLDER]`; the pages are in FOLDER/site.

The documents are gathered where they lie in the tree, so that their links lead there too.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = (
    *("*.md", "LICENSE", "docs/*.md", "docs/*/*.md", "tests/README.md", "docs/site/*.*"),
    *(f"docs/tutorial/*{kind}" for kind in (".svg", ".toml", ".ipynb")),
    *("docs/plots/*.png", "criteria/*.*", "examples/*.md", "examples/*.toml", "examples/*.py"),
    *("examples/ways_in/*.toml", "docs/tutorial.md"),
)
"""What is a page, and the files that pages link to."""


def gathered(folder: Path) -> None:
    """The documents, the settings and the package, whose docstrings are read, in a folder of their own."""
    for path in sorted({path for part in PARTS for path in ROOT.glob(part)}):
        copy = folder / "tree" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    shutil.copyfile(ROOT / "zensical.toml", folder / "zensical.toml")
    (folder / "itp_response").symlink_to(ROOT / "itp_response")


def build(folder: Path) -> int:
    """Build in the folder, which is emptied; a warning is an error. Gives the exit status."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    gathered(folder)
    return subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "documents"))
