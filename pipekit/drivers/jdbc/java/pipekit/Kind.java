// How a column is read. Chosen in Python from what the driver says of the column.
package pipekit;

/** The names are those of `columntypes.Kind`. */
public enum Kind {
    BOOL, INT, FLOAT, DOUBLE, DECIMAL, TEXT, TRIMMED, CLOB, BYTES, BLOB, DATE, TIME, TIMESTAMP, TIMETZ, TIMESTAMPTZ
}
