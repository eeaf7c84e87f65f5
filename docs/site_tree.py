"""The pages of the site: the documents where they lie in the tree, so that their links lead there too."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PARTS = (
    *("*.md", "LICENSE", "docs/*.md", "docs/site.css", "tests/README.md"),
    *(f"docs/tutorial/*{kind}" for kind in (".svg", ".toml", ".ipynb")),
    *("docs/plots/*.png", "criteria/*.*", "examples/*.toml", "examples/*.py"),
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The site's files: those of the theme, and the documents in place of what mkdocs finds in one folder."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = sorted(path for part in PARTS for path in ROOT.glob(part))
    ours = [File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)) for path in paths]
    return Files([*theme, *ours])
