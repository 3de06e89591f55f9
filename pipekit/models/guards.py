# The switches of a module's checks. Knows nothing of how they are checked.
"""`Guards`."""

import json
from dataclasses import dataclass, field, fields
from typing import Literal, Self

from pipekit.fields import told

Usual = Literal["off", "rows", "warn", "stop"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """A module's switches for the checks of a run; every check is on unless it is switched off here.

    `shrink` is the share (0 to 1) of the dest's rows a `full` run must leave; None switches that check off.
    `null_keys` True says that NULLs in the merge key match each other. `atomic` False accepts a dest whose changes
    cannot be rolled back. `children` True lets foreign keys take rows of other tables along. `row_security` True means
    only the rows that the login may see. `dest_truth` False accepts what triggers, rules and views make of the rows.
    `sequences` None moves the sequences behind fed columns on where the strategy is full. `truncate` False empties a
    dest by DELETE. `usual` compares a run with the module's good ones: its rows, with warn and stop its NULLs too.
    """

    empty_source: bool = field(
        default=True,
        metadata=told(
            "Refuse to empty a dest that has rows.",
            label="Refuse to empty a dest that has rows",
            help="When a full load brings none.",
            unusual="an empty source empties the dest",
        ),
    )
    shrink: float | None = field(
        default=None,
        metadata=told(
            "The share of the dest's rows a full run must leave.",
            low=0,
            high=1,
            label="Least share that a full load must leave",
            help="0.5: refuse to leave less than half of the rows there were. Empty: not checked.",
            unusual="at least {:.0%} of the old rows must be left",
        ),
    )
    count_truth: bool = field(
        default=True,
        metadata=told(
            "Rows read = staged = inserted, or nothing is merged.",
            label="Rows read, staged and inserted must be the same number",
            unusual="counts may differ",
        ),
    )
    column_truth: bool = field(
        default=True,
        metadata=told(
            "Source and dest columns must meet by name.",
            label="Every source column must have a dest column",
            unusual="columns may be left out",
        ),
    )
    exactness: bool = field(
        default=True,
        metadata=told(
            "Refuse a value the dest cannot hold exactly.",
            label="Refuse a value the dest cannot hold exactly",
            unusual="the dest may convert values",
        ),
    )
    null_keys: bool = field(
        default=False,
        metadata=told(
            "NULLs in the merge key match each other.",
            label="NULLs in the merge key match each other",
            help="Otherwise a NULL in the key is refused.",
            unusual="NULLs match in the key",
        ),
    )
    atomic: bool = field(
        default=True,
        metadata=told(
            "Refuse a dest whose changes cannot be rolled back.",
            label="Refuse a dest whose changes cannot be rolled back",
            help="A table without a journal on an IBM i.",
            unusual="a merge may be left half done",
        ),
    )
    children: bool = field(
        default=False,
        metadata=told(
            "Rows of other tables may go or change through their foreign keys, when rows of the dest go.",
            label="Rows of other tables may go or change through their foreign keys",
            help="Otherwise a run that would take rows of other tables along is refused.",
            unusual="rows of other tables may go along",
        ),
    )
    row_security: bool = field(
        default=False,
        metadata=told(
            "Under row security only the rows the login may see are meant.",
            label="Under row security only the rows the login may see are meant",
            help="Otherwise such a dest is refused by all strategies but append.",
            unusual="only the rows the login may see are meant",
        ),
    )
    dest_truth: bool = field(
        default=True,
        metadata=told(
            "Refuse when the dest does not hold what was staged, because of a trigger, a rule or a view.",
            label="After a merge the dest must hold what was staged",
            help="Looked at where a trigger, a rule or a view stands between.",
            unusual="triggers, rules and views may change what is loaded",
        ),
    )
    sequences: bool | None = field(
        default=None,
        metadata=told(
            "Move a sequence behind a fed column on after the merge; without it only where the strategy is full.",
            label="Move on the sequences behind fed columns",
            help="So that the next number an application takes is free. They are never set back.",
            unusual="sequences are moved on: {}",
        ),
    )

    truncate: bool = field(
        default=True,
        metadata=told(
            "A full load may empty the dest by TRUNCATE; else it deletes, and no reader waits or sees an empty table.",
            label="A full load may empty the dest by TRUNCATE",
            help="Otherwise it deletes row by row, which takes longer: no reader waits, and none sees an empty table.",
            unusual="the dest is emptied by DELETE",
        ),
    )

    usual: Usual = field(
        default="rows",
        metadata=told(
            "What a run meets that is not like the good ones before it: a warning (rows; warn: NULLs too), or a stop.",
            label="Runs that are not like the good ones before",
            help="rows: a warning for an unusual number of rows. warn and stop look at the NULLs of each column too.",
            unusual="not like the runs before: {}",
        ),
    )

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Reads `guards_json`; unknown names are ignored so that a newer file opens in an older program."""
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in json.loads(text or "{}").items() if k in known})
