"""Optional imports: the libraries that only some commands need, imported when they are used."""

import json
import sys
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from itp_response.messages.codes import Code
from itp_response.messages.errors import ItpResponseError, Problem, UsageError

NAME = "itp-response"


def needed(module: str, extra: str, asked_by: str = "", error: type[ItpResponseError] = UsageError) -> Any:
    """The module of that name, which an extra of the package installs.

    Raises `error` with the command that installs it, if it is not installed; `asked_by` begins its sentence.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as failure:
        library = module.partition(".")[0]
        if (failure.name or "").partition(".")[0] != library:
            raise
        problem = f"{asked_by}this needs {library}, which is not installed; install it by"
        sentence = f"{problem}\n    {cure(extra)}"
        raise error(Problem(sentence, code=Code.LIBRARY_MISSING, value=library)) from None


def cure(extra: str) -> str:
    """The command that adds an extra to the program, as the program was installed.

    Its quotation marks are those that cmd, PowerShell, bash and zsh all understand.
    """
    prefix, editable, origin = Path(sys.prefix), _editable(), _origin()
    if (prefix / "uv-receipt.toml").is_file():
        # uv installs a tool anew, so that the extras it has are named again.
        extras = ",".join(dict.fromkeys([*_extras_of_tool(prefix / "uv-receipt.toml"), extra]))
        return f"uv tool install {_requirement(extras, editable, origin)}"
    requirement = _requirement(extra, editable, origin)
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx runpip {prefix.name} install {requirement}"
    if find_spec("pip") is None:
        return f'uv pip install --python "{sys.executable}" {requirement}'
    # PowerShell takes a command in quotation marks for a text.
    python = "python" if " " in sys.executable else sys.executable
    return f"{python} -m pip install {requirement}"


def _requirement(extras: str, editable: str, origin: str) -> str:
    if editable:
        return f'--editable "{editable}[{extras}]"'
    return f'"{NAME}[{extras}]{origin and f" @ {origin}"}"'


def _installed() -> Distribution | None:
    """None: the program runs from a checkout that is not installed."""
    try:
        return distribution(NAME)
    except PackageNotFoundError:
        return None


def _direct_url() -> dict[str, Any]:
    """What the installer wrote of a package that it was not given by its name; empty: it was."""
    installed = _installed()
    text = installed.read_text("direct_url.json") if installed else None
    content: dict[str, Any] = json.loads(text) if text else {}
    return content


def _editable() -> str:
    """The folder of a checkout that is used in place; empty: it is not."""
    if _installed() is None:
        return str(Path(__file__).parents[2])
    told = _direct_url()
    if not told.get("dir_info", {}).get("editable", False):
        return ""
    # Imported where they are needed: they bring the libraries of HTTP with them.
    from urllib.parse import urlparse
    from urllib.request import url2pathname

    return url2pathname(urlparse(told["url"]).path)


def _origin() -> str:
    """The address of the folder, file or repository that was installed; empty: it was installed by its name."""
    told = _direct_url()
    repository = told.get("vcs_info", {})
    revision = f"@{repository['commit_id']}" if "commit_id" in repository else ""
    return f"{repository['vcs']}+{told['url']}{revision}" if repository else str(told.get("url", ""))


def _extras_of_tool(receipt: Path) -> list[str]:
    """The extras with which uv installed the tool."""
    import tomllib

    requirements = tomllib.loads(receipt.read_text(encoding="utf-8")).get("tool", {}).get("requirements", [])
    return [extra for one in requirements if one.get("name") == NAME for extra in one.get("extras", [])]
