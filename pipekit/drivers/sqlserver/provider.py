# Which native library mssql-python works with. Loaded in the runner child and the doctor's; opens no connection.
"""`choose_provider()`: the default one where it loads, else the other that the same wheel brings.

mssql-python would only find out when it connects, and it keeps the reason to itself. So the library is loaded here
first, as it would do it; a second load of the same file costs nothing.
"""

import ctypes
import functools
import os
from dataclasses import dataclass
from typing import Any

import mssql_python

from pipekit.errors import ConnectFailed

# Its types do not tell that the module has this property.
_LIBRARY: Any = mssql_python
VARIABLE = "MSSQL_PYTHON_NATIVE_PROVIDER"
# In the order in which they are tried. The default needs libltdl and Kerberos of the system, the other neither.
PROVIDERS = ("msodbcsql18", "mssql-odbc")


@dataclass(frozen=True, slots=True)
class Choice:
    """The provider in use; `reason` says why it is not the default one, `""` where it is."""

    provider: str
    reason: str = ""


@functools.cache
def choose_provider() -> Choice:
    """Chooses for this process, before its first connection. Raises ConnectFailed where none loads.

    What the environment variable names is taken, and nothing else is tried.
    """
    if named := os.environ.get(VARIABLE, "").strip().lower():
        if problem := _find_problem():
            message = f"The environment variable {VARIABLE} names '{named}', which cannot be loaded: {problem}."
            raise ConnectFailed(message, hint=f"Take {VARIABLE} away, and Pipekit takes the one that loads.")
        return Choice(named, f"{VARIABLE} names it")
    problems: list[str] = []
    for provider in PROVIDERS:
        _LIBRARY.native_provider = provider
        problem = _find_problem()
        if not problem:
            return Choice(provider, "; ".join(problems))
        problems.append(f"{provider} does not load: {problem}")
    raise ConnectFailed(
        f"No native library of mssql-python can be loaded. {'; '.join(problems)}.",
        hint=f"Install what {PROVIDERS[-1]} lacks; the other one is only the first choice.",
    )


def _find_problem() -> str:
    """Why the native library of the provider that is set cannot be loaded, `""` where it can."""
    found = mssql_python.get_native_provider_info()
    if "error" in found:
        return str(found["error"]).rstrip(".")
    path = found["driver_path"]
    if not isinstance(path, str):
        return "its package is not installed, or has no library for this system"
    try:
        ctypes.CDLL(path)
    except OSError as error:
        return str(error)
    return ""


def _say() -> None:
    """What the doctor asks of a child: the choice on stdout; or what is wrong on stderr, and on stdout the mend."""
    try:
        choice = choose_provider()
    except ConnectFailed as error:
        print(error.hint)
        raise SystemExit(error.message) from None
    print(f"{choice.provider} ({choice.reason})" if choice.reason else choice.provider)


if __name__ == "__main__":
    _say()
