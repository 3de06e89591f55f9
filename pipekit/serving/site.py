# The application on a socket: uvicorn in a thread of its own. Knows no signal and no route.
"""`bind`, `open_site`, and what `pipekit serve --reload` runs."""

import ipaddress
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn

from pipekit import repo
from pipekit.config import Config, load_config
from pipekit.errors import ConfigError
from pipekit.logs import get_logger, set_up_logging
from pipekit.secrets import Secrets
from pipekit.server.service import Service, check_no_server
from pipekit.serving.app import create_app
from pipekit.serving.door import TELL_EVERY_S, build_protocol, find_most_connections
from pipekit.serving.request_log import is_new

LOG_LEVEL_VARIABLE = "PIPEKIT_LOG_LEVEL"
# How long an answer that is under way may take when the server ends.
LEAVE_WITHIN_S = 5

_LOG = get_logger("http")


def bind(config: Config, host: str, port: int) -> socket.socket:
    """A socket that listens on an address and port (0: any free one); who comes early waits.

    Raises ConfigError for an address that is not this machine's, a port in use, and an address that others reach
    while nobody has a password; Conflict when the port is in use because a server works here already.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"There is no address {host!r} here: {error}.", hint="Set `host`, or --host.") from error
    check_exposure(config, str(address[0]))
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(2048)
    except OSError as error:
        bound.close()
        check_no_server(config)
        message = f"The pages cannot be on {host} port {port}: {error.strerror}."
        raise ConfigError(message, hint="Another --port, or `port` in config.yaml.") from error
    return bound


def check_exposure(config: Config, address: str) -> None:
    """Raises ConfigError for an address that others reach while there is no user."""
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return
    with closing(repo.open_to_read(config.state_path)) as db:
        if not repo.list_users(db):
            message = f"{address} can be reached from elsewhere, and there is no user yet."
            raise ConfigError(message, hint="Make one first: pipekit set-password NAME")


@contextmanager
def open_site(
    config: Config, secrets: Secrets, service: Service, bound: socket.socket, handler: logging.Handler
) -> Iterator[Callable[[], bool]]:
    """Answers requests on a bound socket until the block ends; gives whether it still does."""
    server = uvicorn.Server(_settings(config, create_app(config, secrets, service=service)))
    hand_logs_to(handler)
    thread = threading.Thread(target=server.run, args=([bound],), name="site", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        if server.started:
            host, port = bound.getsockname()[:2]
            _LOG.info("pages on http://%s:%d", f"[{host}]" if ":" in host else host, port)
        yield thread.is_alive
    finally:
        server.should_exit = True
        thread.join(LEAVE_WITHIN_S + 5)
        bound.close()


def _settings(config: Config, app: object) -> uvicorn.Config:
    most = find_most_connections()
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=build_protocol(most),
        # So many are taken from the queue before one of them is looked at.
        backlog=min(most, 256),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        timeout_graceful_shutdown=LEAVE_WITHIN_S,
    )


def hand_logs_to(handler: logging.Handler) -> None:
    """Lets uvicorn's warnings be masked and written like our own, and once."""
    logger = logging.getLogger("uvicorn")
    logger.handlers[:] = [handler]
    logger.propagate = False
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").filters[:] = [is_new]
    # Where descriptors run out, asyncio writes a traceback for each connection that it could not take.
    accepting = logging.getLogger("asyncio")
    accepting.handlers[:] = [handler]
    accepting.propagate = False
    accepting.filters[:] = [OncePerMinute()]


class OncePerMinute(logging.Filter):
    """Lets a message through that was not there within the last minute."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        self._told = {text: at for text, at in self._told.items() if now - at < TELL_EVERY_S}
        begin = str(record.msg)[:60]
        is_due = begin not in self._told
        self._told.setdefault(begin, now)
        return is_due


def serve_reloading(config: Config, host: str, port: int, environ: dict[str, str]) -> None:
    """For work on Pipekit itself: a process that starts anew when its files change, until a signal."""
    bind(config, host, port).close()
    os.environ.update(environ)
    folder = str(Path(__file__).parents[1])
    uvicorn.run(
        "pipekit.serving.site:make_app",
        factory=True,
        host=host,
        port=port,
        reload=True,
        reload_dirs=[folder],
        ws="none",
        proxy_headers=False,
    )


def make_app() -> object:
    """The application as `--reload` starts it, with a service of its own."""
    config = load_config()
    secrets = Secrets(config.secrets_path, declared=config.secret_variables)
    level = os.environ.get(LOG_LEVEL_VARIABLE, config.log_level)
    hand_logs_to(set_up_logging(level, "json" if config.log_format == "json" else "text", secrets.masker))
    return create_app(config, secrets)
