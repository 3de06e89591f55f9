# The style sheets: small, self-contained, readable. Reads the files, draws nothing.
"""Rules for `static/css`."""

import re

import pytest

from pipekit.web.kit.assets import STATIC

CSS = STATIC / "css"
TOKENS = (CSS / "tokens.css").read_text("utf-8")
GROUNDS = ("ground", "raised", "accent-soft", "bad-soft", "warn-soft", "good-soft")


def read_themes() -> list[dict[str, str]]:
    """The colours of each block that has some: light, dark by the system, dark by choice."""
    blocks = re.findall(r"\{([^{}]*--ground:[^{}]*)\}", TOKENS)
    return [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_ways_into_the_dark_have_the_same_colours() -> None:
    light, by_system, by_choice = read_themes()
    assert by_system == by_choice
    assert light.keys() == by_system.keys()


@pytest.mark.parametrize("theme", [0, 1])
def test_text_is_readable_on_every_ground_it_stands_on(theme: int) -> None:
    colours = read_themes()[theme]
    pairs = [(text, ground) for text in ("text", "muted", "accent") for ground in ("ground", "raised")]
    pairs += [("text", ground) for ground in GROUNDS]
    pairs += [("accent", "accent-soft"), ("bad", "bad-soft"), ("bad", "ground"), ("good", "ground"), ("warn", "ground")]
    pairs += [("bad", "raised"), ("good", "raised"), ("warn", "raised"), ("on-accent", "accent-ground")]
    poor = {pair: ratio for pair in pairs if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < 4.5}
    assert poor == {}


def test_the_sheets_are_small_and_come_from_here() -> None:
    sheets = sorted(CSS.glob("*.css"))
    lines = sum(len(sheet.read_text("utf-8").splitlines()) for sheet in sheets)
    assert lines < 800
    assert not any("//" in re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL) for sheet in sheets)


def test_every_sheet_is_imported_into_a_layer() -> None:
    main = (CSS / "main.css").read_text("utf-8")
    imported = set(re.findall(r'@import url\("([a-z]+\.css)"\) layer\([a-z]+\);', main))
    assert imported == {sheet.name for sheet in CSS.glob("*.css")} - {"main.css"}


def test_motion_stops_where_people_ask_for_it() -> None:
    assert "prefers-reduced-motion" in (CSS / "base.css").read_text("utf-8")
