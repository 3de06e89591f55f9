# The shop's rows as SQL text for SQLite, the same every time. Knows nothing of who runs it.
"""The demo's source database: customers, orders and order lines with decimals, dates, unicode and NULLs."""

CUSTOMERS = 5_000
LINES = 200_000
NEW_CUSTOMERS = 25
NEW_LINES = 1_000
CHANGED_ORDERS = 450

TABLES = (
    """CREATE TABLE customers (
        customer_id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, city TEXT NOT NULL, born DATE,
        credit_limit DECIMAL(12,2), updated_at TIMESTAMP NOT NULL)""",
    """CREATE TABLE orders (
        order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, status TEXT NOT NULL,
        total DECIMAL(12,2) NOT NULL, note TEXT, ordered_on DATE NOT NULL, updated_at TIMESTAMP NOT NULL)""",
    """CREATE TABLE order_lines (
        line_id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, product TEXT NOT NULL, quantity INTEGER NOT NULL,
        price DECIMAL(10,2) NOT NULL, discount DECIMAL(4,3), shipped_on DATE)""",
    "CREATE INDEX order_lines_by_order ON order_lines (order_id)",
)

FIRST_NAMES = ("Ada", "Zoë", "José", "Łukasz", "Søren", "Nguyễn", "Дмитрий", "Ελένη", "美咲", "민준", "Fatima", "Anaïs")
LAST_NAMES = (
    "O'Neill",
    "Müller",
    "Åberg",
    "García",
    "Šimić",
    "Иванова",
    "Παππά",
    "佐藤",
    "김",
    "Smith",
    "Dvořák",
    "Çelik",
    "Ó Sé",
)
CITIES = ("Zürich", "Kraków", "São Paulo", "東京", "Αθήνα", "Malmö", "Tromsø")
PRODUCTS = (
    "Café crème",
    "Teapot 🫖",
    "Mug, 0.3 l",
    'Tray 12"',
    "Filter №4",
    "Sugar",
    "Spoon",
    "Kettle",
    "Grinder",
    "Crêpe pan",
)
NOTES = ("gift 🎁", "deliver after 18:00", 'says "ring twice"; it\'s loud', "fragile\nhandle with care")


def build_create_sql() -> tuple[str, ...]:
    """Statements that make the shop as it is before the first run."""
    return (*TABLES, _build_customers(1, CUSTOMERS), _build_lines(1, LINES), _build_orders(1, LINES))


def build_change_sql() -> tuple[str, ...]:
    """Statements for a day in the shop: customers come, orders move on, new ones arrive."""
    first, last = LINES + 1, LINES + NEW_LINES
    changed = f"""UPDATE orders SET status = 'shipped', updated_at = datetime('2026-06-18', order_id || ' seconds')
        WHERE order_id % 133 = 7 AND order_id <= {133 * CHANGED_ORDERS}"""
    return (
        _build_customers(CUSTOMERS + 1, CUSTOMERS + NEW_CUSTOMERS),
        _build_lines(first, last),
        _build_orders(first, last),
        changed,
    )


def _build_customers(first: int, last: int) -> str:
    return f"""INSERT INTO customers {_numbers(first, last)}
        SELECT i, {_choose(FIRST_NAMES, 1)} || ' ' || {_choose(LAST_NAMES, 2)},
            CASE WHEN i % 9 <> 0 THEN 'customer' || i || '@shop.example' END, {_choose(CITIES, 3)},
            CASE WHEN i % 7 <> 0 THEN date('1940-01-01', {_pick(4, 24_000)} || ' days') END,
            CASE WHEN i % 5 <> 0 THEN {_pick(5, 1_000_000)} / 100.0 END,
            strftime('%Y-%m-%d %H:%M:%S', '2026-01-01', (i * 30) || ' minutes')
        FROM numbers"""


def _build_lines(first: int, last: int) -> str:
    return f"""INSERT INTO order_lines {_numbers(first, last)}
        SELECT i, {_order_of("i")}, {_choose(PRODUCTS, 6)}, 1 + {_pick(7, 9)}, (95 + {_pick(8, 20_000)}) / 100.0,
            CASE WHEN i % 6 = 0 THEN {_pick(9, 400)} / 1000.0 END,
            CASE WHEN i % 11 <> 0 THEN date('2026-01-02', ({_order_of("i")} * 4) || ' minutes') END
        FROM numbers"""


def _build_orders(first: int, last: int) -> str:
    """The orders of a range of lines; their totals are summed in cents, so that they are exact."""
    at = "strftime('%Y-%m-%d %H:%M:%S', '2026-01-01', (i * 4) || ' minutes')"
    return f"""INSERT INTO orders
        WITH per_order (i, cents) AS (
            SELECT order_id, sum(quantity * CAST(round(price * 100) AS INTEGER))
            FROM order_lines WHERE line_id BETWEEN {first} AND {last} GROUP BY order_id)
        SELECT i, 1 + {_pick(10, CUSTOMERS)}, {_choose(("new", "paid", "shipped", "returned"), 11)}, cents / 100.0,
            CASE WHEN i % 13 = 0 THEN {_choose(NOTES, 12)} END, date({at}), {at}
        FROM per_order"""


def _order_of(line: str) -> str:
    """Ten lines make three orders."""
    return f"(({line} - 1) * 3 / 10 + 1)"


def _numbers(first: int, last: int) -> str:
    return f"WITH RECURSIVE numbers (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i < {last})"


def _pick(seed: int, below: int) -> str:
    """A number from 0 to `below` - 1 that looks random and depends on `i` and `seed` alone."""
    return f"((i * 2654435761 + {seed} * 668265263) % 4294967291 * 48271 % 2147483647 % {below})"


def _choose(texts: tuple[str, ...], seed: int) -> str:
    """One of the texts, picked as `_pick` does."""
    cases = " ".join(f"WHEN {number} THEN {_quote(text)}" for number, text in enumerate(texts))
    return f"CASE {_pick(seed, len(texts))} {cases} END"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
