# The least a staged run can be: one process, one library, no checks. Measured beside Pipekit; imports nothing of it.
"""`python bare_mover.py SOURCE_PORT DEST_PORT DATABASE TABLE`: stages a table and swaps it in."""

import sys

import psycopg


def move(source_port: str, dest_port: str, database: str, table: str) -> None:
    """Copies source to dest through a staging table; the swap is one transaction."""
    login = f"host=127.0.0.1 user=postgres dbname={database}"
    with psycopg.connect(f"{login} port={source_port}") as source, psycopg.connect(f"{login} port={dest_port}") as dest:
        dest.execute("DROP TABLE IF EXISTS bare_staging")
        dest.execute(f"CREATE UNLOGGED TABLE bare_staging (LIKE {table})".encode())
        with source.cursor() as reader, dest.cursor() as writer:
            out = f"COPY {table} TO STDOUT".encode()
            with reader.copy(out) as blocks, writer.copy(b"COPY bare_staging FROM STDIN") as sink:
                for block in blocks:
                    sink.write(block)
        dest.commit()
        dest.execute(f"TRUNCATE {table}".encode())
        dest.execute(f"INSERT INTO {table} SELECT * FROM bare_staging".encode())
        dest.execute("DROP TABLE bare_staging")


if __name__ == "__main__":
    move(*sys.argv[1:5])
