# `getopts`, as a script's loop over its options calls it. Runs nothing.
"""`take_option`."""

from pipekit.scripts.shell import FALSE, OPEN, TRUE, Shell


def take_option(shell: Shell, line: int, words: list[str]) -> None:
    """The next of the options that are known; where nobody gives any, each is one that might be given."""
    form, name = (words + ["", ""])[:2]
    if shell.arguments is None:
        shell.variables["OPTARG"] = shell.mark(line, "$OPTARG", "argument")
        shell.assign(name, shell.mark(line, f"getopts {form}", "argument"), line)
        shell.status = OPEN
        return
    given = shell.arguments
    if not given or not given[0].startswith("-") or given[0] in ("-", "--"):
        shell.status = FALSE
        return
    letter, rest = given[0][1:2], given[0][2:]
    takes_value = f"{letter}:" in form
    value = rest or (given[1] if len(given) > 1 else "")
    shell.assign(name, letter, line)
    shell.assign("OPTARG", value if takes_value else "", line)
    used = 1 + (takes_value and not rest)
    shell.arguments = given[used:] if takes_value or not rest else (f"-{rest}", *given[1:])
    shell.variables["OPTIND"] = "1"
    shell.status = TRUE
