"""Optional imports: the libraries that only some commands need, imported when they are used."""

from importlib import import_module
from typing import Any

from itp_response.messages.codes import Code
from itp_response.messages.errors import Problem, UsageError


def needed(module: str, extra: str) -> Any:
    """The module of that name, which an extra of the package installs.

    Raises `UsageError` with the command that installs it, if it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != library:
            raise
        cure = f"pip install 'itp-response[{extra}]'"
        sentence = f"this needs {library}, which is not installed: {cure}."
        raise UsageError(Problem(sentence, code=Code.LIBRARY_MISSING, value=library)) from None
