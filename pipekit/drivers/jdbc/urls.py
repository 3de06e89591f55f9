# Addresses of databases that are reached over JDBC: which may be used, which parameters they may set. Opens nothing.
"""`parse_url` and `check_template`.

A JDBC driver does what its URL tells it, and many can be told to load a class, run a script or write a file. So a URL
must begin as its kind's do, and sets only parameters that are known to be harmless; of a database that is not known,
any parameter whose name does not look like one of those.
"""

import re
from urllib.parse import unquote

from pipekit.drivers.base import Address
from pipekit.drivers.jdbc.products import Product, find_owner
from pipekit.errors import Invalid

_SCHEME = re.compile(r"jdbc:[a-z][a-z0-9_+.-]*:(?=[^\s])", re.IGNORECASE)
_FIXED = re.compile(r"jdbc:(?:[A-Za-z0-9_+.-]+:(?!\d))+@?(?://)?")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/;?\[\]]*)(?::(?P<port>\d{1,5}))?(?=[:/;?]|\Z)")
_DB2_PROPERTIES = re.compile(r"(//[^/]+/[^:;?]+):")
_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_. ]*?)\s*=")

LOGIN = frozenset({"user", "username", "userid", "uid", "password", "pwd", "passwd", "passphrase", "accesstoken"})
# Full names, lower case; they load a class, run code, read or write a file of this machine, or reach a third one.
_DANGEROUS_NAMES = """
    access_mode_data allowloadlocalinfile allowloadlocalinfileinpath allowmultiqueries allowurlinlocalinfile auto_server
    autodeserialize bootpassword clientinfoprovider connectionattributes createfrom dataencryption debug drop
    encryptionalgorithm failedlogin gsslib init initfile jaaslogin krbjaas localsocket log logdevice logdir logger
    loggerfile sqlh_file sqlh_type
    loggerlevel logwriter passfile profilesql properties_file propertiestransform proxy restorefrom
    rollforwardrecoveryfrom runscript service shutdown startmaster startslave stopmaster stopslave tns_admin
    trustanchorstore url wallet_location keystore keystorelocation truststore sslpassword init_sql initsql
    connectioninitsql sessionvariables
"""
DANGEROUS = frozenset(_DANGEROUS_NAMES.split())
_DANGEROUS_PART = re.compile(
    r"class|factory|interceptor|plugin|callback|verifier|jaas|jndi|ldap|\brmi|deserial|trace|script|provider|transform|"
    r"infile|outfile|logfile|handler|listener|javax\.|java\.|codebase|library|path",
)
# What stands behind `@` is a host and what runs there, never a name to be looked up in a file, a directory or the web.
_ORACLE = re.compile(
    r"@(?:(?:tcps?:)?//(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{1,5})?/[\w.$#-]+(?::(?:dedicated|shared|pooled))?"
    r"|(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}[:/][\w.$#-]+)",
    re.ASCII,
)
_PRODUCTS = re.compile(
    r":(?:sqlite|as400|h2|hsqldb|derby|oracle|postgresql|mysql|mariadb|db2|sqlserver)(?=:)", re.IGNORECASE
)
# Of MySQL's and MariaDB's: values would be others, or fewer, without a word.
_CHANGE_VALUES = {
    "zerodatetimebehavior": "dates of zeros arrive as they stand, or are refused. Write nullif(column, '0000-00-00').",
    "jdbccomplianttruncation": "a value that does not fit is refused. Cut it in the query.",
    "sendfractionalseconds": "a fraction that does not fit is refused. Cut it in the query.",
    "maxrows": "it cuts the rows of every query. Write LIMIT in the query.",
    "padcharswithspace": "it adds blanks that were never stored. Write rpad(...) in the query.",
}
_MEMORY = "A database in memory ends with the process that made it, and each run is its own process."


def parse_url(product: Product, jdbc_url: str) -> Address:
    """Checks an address of a product; raises Invalid (field `jdbc_url`) that repeats no login."""
    scheme = _find_scheme(product, jdbc_url)
    rest = jdbc_url[len(scheme) :]
    if product.name == "db2":
        rest = _DB2_PROPERTIES.sub(r"\1;", rest, count=1)
    head, tail = _split_parameters(rest)
    is_local = _check_head(product, head)
    options = dict(_parse_parameter(product, item, is_local) for item in re.split("[;&]", tail) if item.strip())
    if product.parameters is None:
        for name in _NAMED.findall(unquote(head)):
            _check_name(product, name, is_local)
    if is_local:
        return Address(database=head, options=options)
    start = next((prefix for prefix in product.remote if head.startswith(prefix)), "")
    found = _HOST.match(head, len(start))
    host, port = (found["host"], found["port"]) if found else ("", None)
    database = head[found.end() :].lstrip("/:") if found else head
    return Address(host=host or "", port=int(port or 0), database=database, options=options)


def check_template(url_template: str, jdbc_url: str) -> None:
    """Raises Invalid when an address does not begin as its kind was registered."""
    fixed = get_fixed_part(url_template)
    if not jdbc_url.lower().startswith(fixed.lower()):
        raise bad_url(f"The address must start with {fixed} as its kind is registered.", f"For example {url_template}")


def get_fixed_part(url_template: str) -> str:
    """What every address of a kind begins with: all before the first `{`, or scheme and slashes where there is none."""
    before, brace, _ = url_template.partition("{")
    if brace:
        return before
    found = _FIXED.match(url_template)
    return found.group() if found else url_template


def bad_url(message: str, hint: str = "") -> Invalid:
    """The refusal of an address."""
    return Invalid(message, field="jdbc_url", hint=hint)


def _find_scheme(product: Product, jdbc_url: str) -> str:
    example = f"For example {product.url_example}"
    if not jdbc_url.isprintable() or jdbc_url != jdbc_url.strip():
        raise bad_url("The address holds blanks at its ends or characters that cannot be seen.", example)
    for scheme in product.schemes:
        if jdbc_url.startswith(scheme):
            return scheme
    if product.schemes:
        raise bad_url(f"The address must start with {' or '.join(product.schemes)} .", example)
    found = _SCHEME.match(jdbc_url)
    if found is None:
        raise bad_url("The address must start with jdbc: and the name of a driver.", example)
    owner = find_owner(jdbc_url)
    if owner:
        hint = f"Register the driver as the kind '{owner.name}', or as one whose name starts with '{owner.name}_'."
        raise bad_url(f"This is an address of {owner.label}, which is the kind '{owner.name}'.", hint)
    if found.group().lower() in ("jdbc:as400:", "jdbc:sqlite:"):
        kind = "db2i" if "as400" in found.group().lower() else "sqlite"
        raise bad_url(f"An address of this form belongs to the kind '{kind}'.", f"Choose the driver {kind}.")
    if wrapped := _find_wrapped(jdbc_url):
        message = f"This address wraps one of {wrapped}, whose own rules would not be kept."
        raise bad_url(message, f"Give the address of {wrapped} itself, with its own driver.")
    return found.group()


def _find_wrapped(jdbc_url: str) -> str:
    """The product that an address leads to through another driver, `""` for none."""
    found = _PRODUCTS.search(jdbc_url, len("jdbc:"))
    return found.group()[1:] if found else ""


def _split_parameters(rest: str) -> tuple[str, str]:
    at = min((place for place in (rest.find(";"), rest.find("?")) if place >= 0), default=-1)
    return (rest, "") if at < 0 else (rest[:at], rest[at + 1 :])


def _check_head(product: Product, head: str) -> bool:
    """Whether the address names a file of this machine; raises for one that names nothing that can be used."""
    example = f"For example {product.url_example}"
    if not head:
        raise bad_url("The address names no database.", example)
    login = head.rpartition("@")[0]
    if login.strip("@/") if product.name == "oracle" else login:
        raise bad_url("The address must not hold a login; use the connection's username and password.")
    if not product.schemes:
        return False
    if head.startswith(("mem:", "memory:")):
        raise bad_url(_MEMORY, example)
    if product.name == "oracle" and not _ORACLE.fullmatch(head) and "(" not in head:
        hint = f"{example}, or jdbc:oracle:thin:@localhost:1521:sid"
        raise bad_url("The address must name host, port and service or SID, nothing that is looked up.", hint)
    if "(" in head:
        raise bad_url("A descriptor in brackets is not allowed: it may name further files and servers.", example)
    if head.startswith(product.remote):
        return False
    if head.startswith(product.local):
        return True
    kinds = ", ".join(f"{product.schemes[0]}{prefix}" for prefix in (*product.remote, *product.local))
    hint = "A database in a file is named with its whole path." if product.local else ""
    raise bad_url(f"The address must start with one of: {kinds} .", hint or example)


def _parse_parameter(product: Product, item: str, is_local: bool) -> tuple[str, str]:
    raw_name, _, raw_value = item.partition("=")
    name = unquote(raw_name).strip()
    _check_name(product, name, is_local)
    return name, unquote(raw_value)


def _check_name(product: Product, name: str, is_local: bool) -> None:
    folded = name.lower()
    if folded in LOGIN:
        raise bad_url("The address must not hold a login; use the connection's username and password.")
    if product.parameters is None:
        if is_dangerous(folded):
            raise _dangerous(name)
        return
    if folded not in product.parameters:
        if is_dangerous(folded):
            raise _dangerous(name)
        allowed = f"Allowed: {', '.join(sorted(product.parameters))}."
        why = _CHANGE_VALUES.get(folded, "") if product.name in ("mysql", "mariadb") else ""
        raise bad_url(f"The parameter '{name}' is not allowed{why and ': '}{why or '.'}", "" if why else allowed)
    if folded in ("create", "shutdown") and not is_local:
        raise bad_url(f"The parameter '{name}' is allowed only where the database is a file of this machine.")


def is_dangerous(name: str) -> bool:
    """Whether a parameter of this name, in lower case, could load code, run statements, or reach files or servers."""
    return name in DANGEROUS or name.rpartition(".")[2] in DANGEROUS or bool(_DANGEROUS_PART.search(name))


def _dangerous(name: str) -> Invalid:
    return bad_url(
        f"The parameter '{name}' is not allowed: it could load code, run statements, or reach files and other servers.",
        "Leave it out of the address.",
    )
