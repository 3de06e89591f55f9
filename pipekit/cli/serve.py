# Commands of the server: serve, and purge, which does one of its chores by hand.
"""`pipekit serve` and `pipekit purge`."""

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session


@click.command(short_help="The pages, the API, schedules and queued runs, until it is stopped.")
@click.option("--host", metavar="ADDRESS", help="The address the pages are on, instead of config.yaml's.")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port the pages are on; 0 is any free one.")
@click.option("--reload", is_flag=True, help="Start anew when Pipekit's own files change, for work on it.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="What is logged, and worse."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), help="A line of text or of JSON for each record.")
@click.pass_obj
def serve(
    session: Session, host: str | None, port: int | None, reload: bool, log_level: str | None, log_format: str | None
) -> int:
    """Serve the pages and the API, run schedules and queued runs, recover what was cut short, remove what is old.

    The pages are on the `host` and `port` of config.yaml, http://127.0.0.1:8321 unless set; an address that others
    reach is refused while there is no user. One server works on a state database; a second one is refused. SIGTERM or
    Ctrl-C lets running runs end for the `drain_s` of config.yaml, then cancels them; a second signal cancels at once.
    It logs to standard error, by the `log_level` and `log_format` of config.yaml unless they are given here.
    """
    from dataclasses import replace

    from pipekit.logs import set_up_logging
    from pipekit.server.service import serve
    from pipekit.serving.site import LOG_LEVEL_VARIABLE, bind, open_site, serve_reloading

    session.only_tell()
    config, secrets = session.config(), session.secrets()
    place = host or config.host, config.port if port is None else port
    config = replace(config, host=place[0], port=place[1])
    if reload:
        serve_reloading(config, *place, session.environ() | ({LOG_LEVEL_VARIABLE: log_level} if log_level else {}))
        return 0
    bound = bind(config, *place)
    is_json = (log_format or config.log_format) == "json"
    handler = set_up_logging(log_level or config.log_level, "json" if is_json else "text", secrets.masker)
    return serve(config, secrets, site=lambda service: open_site(config, secrets, service, bound, handler))


@click.command(short_help="Remove old logs and run records.")
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@json_option
@click.pass_obj
def purge(session: Session, dry_run: bool, as_json: bool) -> None:
    """Remove live logs older than `keep_logs_days`, and runs, group runs, fires and logins older than `keep_runs_days`.

    A server does this by itself every hour. Runs that are alive or whose merge is not settled stay, and so does the
    newest run of each module. It goes in small steps, so that nobody waits for it. What dests keep of runs that nobody
    can take back any more goes too.
    """
    from dataclasses import asdict, replace

    from pipekit.server.retention import purge, purge_undo

    if not dry_run:
        session.only_tell()
    undo = purge_undo(session.installation(), dry_run=dry_run)
    purged = replace(purge(session.db(), session.config(), dry_run=dry_run), undo=undo)
    if as_json:
        session.say_json({"dry_run": dry_run, **asdict(purged)})
        return
    session.say(f"{'would remove' if dry_run else 'removed'}: {purged}")
