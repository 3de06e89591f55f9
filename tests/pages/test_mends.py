# What the pages advise for the faults that people meet, in the words of the databases.
"""`find_mend`, and the advice on a run's page."""

import pytest

from pipekit.mends import find_mend
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor

# What real databases and drivers said, and a word of the advice.
SAID = [
    (
        'connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running?',
        "Nobody answers",
    ),
    (
        'connection to server at "10.0.0.9" failed: FATAL:  password authentication failed for user "etl"',
        "refuses the login",
    ),
    ('could not translate host name "dw" to address: Name or service not known', "Nobody answers"),
    ("Login failed for user 'etl'.", "refuses the login"),
    ('Cannot open database "dw" requested by the login. The login failed.', "no such database"),
    ("SSL Provider: [error:0A000086:SSL routines::certificate verify failed:self-signed certificate]", "certificate"),
    ("Row 4000, column amount: numeric field overflow", "widen that column"),
    ("value too long for type character varying(2)", "widen that column"),
    ("smallint out of range", "widen that column"),
    ('null value in column "id" of relation "orders" violates not-null constraint', "takes no NULL"),
    ("Cannot insert the value NULL into column 'id', table 'dw.dbo.orders'", "takes no NULL"),
    ('duplicate key value violates unique constraint "orders_pkey"', "The same key comes twice"),
    ('insert or update on table "o" violates foreign key constraint "o_c"', "loads those first"),
    ('column "no_such_column" does not exist', "none of the source's columns"),
    ("no such column: amonut", "none of the source's columns"),
    ("Invalid column name 'amonut'.", "none of the source's columns"),
    ('relation "public.nothing" does not exist', "no such table"),
    ("no such table: nothing", "no such table"),
    ("permission denied for table orders", "may not do this"),
    ("The secret DW_PASSWORD has no value: neither secrets.env nor the environment has it.", "page Secrets"),
    ('syntax error at or near "form"', "cannot read the query"),
    ("dw did not answer within 30 s.", "too long"),
    ("shop.db cannot be opened: unable to open database file.", "that it and its folder are there"),
    ('connection to server at "::1" failed: FATAL:  database "dv" does not exist', "no such database"),
    ('connection to server at "::1" failed: FATAL:  sorry, too many clients already', "no more connections"),
    (
        'duplicate key value ... "k" DETAIL:  Key (note)=(permission denied for x) exists.',
        "same key comes twice",
    ),
    ("String or binary data would be truncated in table 'dw.dbo.t', column 'c'.", "widen that column"),
    ("The SELECT permission was denied on the object 'orders'", "may not do this"),
]


@pytest.mark.parametrize(("text", "words"), SAID)
def test_what_databases_say_is_met_with_what_mends_it(text: str, words: str) -> None:
    assert words in find_mend(text)


def test_words_that_nobody_knows_are_met_with_nothing() -> None:
    assert find_mend("It broke.") == ""
    assert find_mend("identifier is too long") == ""
    assert find_mend('could not open file "/srv/x.csv" for reading: Permission denied') == ""


def test_a_failed_run_leads_to_its_module_and_both_connections(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    run = make_run(site, module, "error", error_stage="plan", error=SAID[0][0])
    page = vera.get(f"/runs/{run.id}")
    assert "Nobody answers" in page.texts(".mends li")[0]
    links = {link.text(): link.attributes["href"] for link in page.all(".places a")}
    connections = {"shop": f"/connections/{module.source_id}", "dw": f"/connections/{module.dest_id}"}
    assert links == {"orders": f"/modules/{module.id}", **connections}
    assert not vera.get(f"/runs/{make_run(site, module).id}").has(".places")
