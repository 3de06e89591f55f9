# Two people in one form: whether what is saved was made from what is there now. Knows forms and the audit trail.
"""A form carries a digest of the record it was filled from, and brings it back.

`sign_form` and `check_clash` for a form that is shown again, `sign_values` and `refuse_clash` for a button or two.
"""

import hashlib
import json
from collections.abc import Collection

from markupsafe import Markup
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.errors import Conflict
from pipekit.web.kit.forms import CLASH, Form
from pipekit.web.kit.words import describe_age

# The hidden field with the digest. A script that leaves it out overwrites, as it does through the API.
SEEN = "seen"
_LOOKED_AT = 200


def sign_form(form: Form) -> Form:
    """Puts the digest of what stands in the form into it; for a form that holds a record as it is kept."""
    form.values[SEEN] = _digest(form)
    return form


def _digest(form: Form) -> str:
    values = {name: value for name, value in form.values.items() if name != SEEN}
    return sign_values(values, form.rows)


def sign_values(*values: object) -> str:
    """The digest of what a form was filled from."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def refuse_clash(data: FormData, what: str, *values: object) -> None:
    """Raises Conflict for a form that was filled from other values than those there are now."""
    if data.get(SEEN) not in (None, sign_values(*values)):
        raise Conflict(f"{what} was changed after this page was opened.", hint="Look at it again first.")


def check_clash(db: repo.State, form: Form, kept: Form, *, kinds: Collection[str], name: str, address: str) -> None:
    """Notes in a form that was sent that its record was changed since; `kept` is the record as it is kept now.

    `kinds` are what the audit trail calls the record and its parts that stand in the form. The form then has the new
    digest: whoever saves it once more knows that he replaces something.
    """
    seen, now = form.value(SEEN), _digest(kept)
    form.values[SEEN] = now
    if not seen or seen == now:
        return
    text = Markup(
        '{} changed {} after this form was opened. See <a href="{}">what it is now</a>; saving again puts yours in its '
        "place."
    )
    form.note(CLASH, text.format(_tell_who(db, kinds, name), name, address))


def _tell_who(db: repo.State, kinds: Collection[str], name: str) -> str:
    """Who changed the thing or a part of it last, and when, by the audit trail."""
    for entry in repo.list_audit(db, limit=_LOOKED_AT):
        is_of_it = entry.kind in kinds and (entry.name == name or entry.name.startswith(f"{name}: "))
        if is_of_it and entry.action in ("create", "change", "delete"):
            return f"{entry.user}, {describe_age(entry.at)},"
    return "Somebody"
