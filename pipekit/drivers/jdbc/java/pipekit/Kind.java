// How a column is read or written. Chosen in Python from what the driver says of the column.
package pipekit;

/**
 * The names are those of `columntypes.Kind`. The `OWN` ones are read from the very bytes that the server sent, for
 * drivers that make other values of them; `BITS` is a number in a field of bits, `YEAR` and `DECFLOAT` are only
 * written.
 */
public enum Kind {
    BOOL, INT, FLOAT, DOUBLE, DECIMAL, BITS, TEXT, TRIMMED, CLOB, BYTES, BLOB,
    DATE, TIME, TIMESTAMP, TIMETZ, TIMESTAMPTZ, OWN_DATE, OWN_TIME, OWN_TIMESTAMP, OWN_INSTANT, YEAR, DECFLOAT
}
