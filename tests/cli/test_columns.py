# Columns of a dest that are listed and changed from the shell.
"""`pipekit columns`."""

from tests.cli.conftest import Home


def test_a_column_is_listed_looked_at_and_changed_and_the_next_run_follows(shop: Home) -> None:
    assert shop.run("run", "all_orders", "-q").code == 0
    listed = shop.ok_json("columns", "list", "all_orders")
    assert [(line["id"], line["name"]) for line in listed][:1] == [("", "order_id")]
    name = listed[1]["name"]
    looked = shop.run("columns", "rename", "all_orders", name, "other", "--preview")
    assert (looked.code, f"rename {name} to other" in looked.stdout) == (0, True)
    asked = shop.run("columns", "rename", "all_orders", name, "other")
    assert (asked.code, "--preview" in asked.stderr) == (2, True)
    run = shop.ok_json("columns", "rename", "all_orders", name, "other", "--yes")
    assert (run["status"], run["merge_state"], run["alteration"]["to"]) == ("success", "merged", "other")
    listed = shop.ok_json("columns", "list", "all_orders")
    assert [(line["id"], line["name"], line["source_name"]) for line in listed][1] == ("c1", "other", name)
    assert shop.run("run", "all_orders", "-q").code == 0
    refused = shop.run("columns", "drop", "all_orders", "c1", "--yes")
    assert (refused.code, "still in the query" in refused.stderr) == (1, True)
    assert shop.run("columns", "retype", "all_orders", "nowhere", "TEXT", "--yes").code == 1
