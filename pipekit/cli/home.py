# Making the home folder and the files in it. Knows what belongs there, not how commands are called.
"""`make_home`: safe to repeat; what is there is kept."""

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.errors import ConfigError

if TYPE_CHECKING:
    from pipekit.config import Config
    from pipekit.repo import State

CONFIG_TEXT = """\
# Pipekit's configuration. Every line that is commented out shows the default.

# base_dir: ..                 # where relative names of embedded database files start
# state_path: pipekit.db       # the state database; relative names start in this folder
# jar_folder: jars             # the only folder that jars of JDBC drivers are taken from; beside the state database
# java_options: []             # properties that Java is started with, for example [-DsocksProxyHost=proxy]
# java_home: ""                # the Java for JDBC drivers; empty: the one of the extra jdbc, else JAVA_HOME
# secrets_path: secrets.env    # the secrets file, readable by its owner only

# connect_timeout_s: 15        # longest time to reach a database, in seconds
# silence_timeout_s: 900       # longest time of a run without progress, in seconds
# run_timeout_s: 86400         # longest time of a whole run, in seconds
# lease_s: 20                  # how long a run that says nothing counts as alive, in seconds
# heartbeat_s: 3               # how often a run says that it is alive, in seconds
# retry_delays_s: [1, 5]       # waits before trying again, in seconds
# max_runs: 4                  # how many runs go on at once; more wait in the queue
# warm_runners: 2              # children that wait for the next run, about 40 MB each; 0: each run starts its own
# drain_s: 60                  # how long a server that is told to end lets its runs go on, in seconds
# preview_kept_s: 3600         # how long what a preview has staged can be merged, in seconds
# keep_runs_days: 365          # how long the record of a run is kept
# keep_logs_days: 30           # how long the live log of a run is kept
# log_level: info              # what a server logs: debug, info, warning or error, and what is worse
# log_format: text             # one line for each record, or one JSON object a line: json
# host: 127.0.0.1              # the address the pages are on; one that others reach needs a user first
# port: 8321                   # the port the pages are on
# allowed_hosts: []            # the names browsers may use for the pages; empty: see docs/serving.md
# trusted_proxies: []          # addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed
# https: false                 # true where browsers reach the pages by HTTPS alone
# jdbc_servers: []             # words behind jdbc: of drivers that Pipekit does not know and that open no file
# secret_variables: []         # environment variables that $NAME may mean beside those named like a password
# runner: native               # native, or jrunner: an installed jrunner reads and moves the rows
# jrunner: jrunner             # the installed jrunner: its path, or its name on PATH
# jrunner_bulk: [postgresql, sqlserver]   # the kinds of dest for which it has its flag -b
"""

SECRETS_TEXT = "# NAME=value, one a line; `pipekit secrets set NAME` writes here.\n"


def make_home(config: "Config", config_path: Path) -> list[tuple[Path, bool]]:
    """Makes what is missing, the configuration at its own path; returns each path and whether it was made.

    Raises ConfigError where that fails.
    """
    from pipekit.repo import open_state

    try:
        made = [(config.home, _make_folder(config.home))]
        made.append((config_path, _make_file(config_path, CONFIG_TEXT)))
        made.append((config.secrets_path, _make_file(config.secrets_path, SECRETS_TEXT)))
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be made: {error.strerror}.") from error
    is_new = not config.state_path.exists()
    with closing(open_state(config.state_path, create=True)) as db:
        register_drivers(db)
    return [*made, (config.state_path, is_new)]


def register_drivers(db: "State", *, dry_run: bool = False) -> list[str]:
    """Registers the kinds that are built in, an upsert; the kinds that were not registered as they are now.

    A kind that needs a jar keeps what a person has registered.
    """
    from pipekit.drivers import DRIVERS, get_driver
    from pipekit.repo import find_driver_registration, register_driver

    changed = []
    for kind in DRIVERS:
        driver = get_driver(kind)
        template = driver.url_example
        found = find_driver_registration(db, kind)
        if found is None or (found.url_template != template and not driver.needs_jar):
            changed.append(kind)
            if not dry_run:
                register_driver(db, kind, url_template=template)
    return changed


def _make_folder(folder: Path) -> bool:
    if folder.is_dir():
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    return True


def _make_file(path: Path, text: str) -> bool:
    """Readable by its owner only, whatever the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    return True
