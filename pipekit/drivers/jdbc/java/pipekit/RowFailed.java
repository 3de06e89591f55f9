// A row the database refused, and what it said. Knows no table.
package pipekit;

import java.sql.SQLException;

/** The row counts from 1; 0 when it could not be found out. */
public final class RowFailed extends Exception {
    private static final long serialVersionUID = 1L;

    public final long row;
    public final SQLException error;

    RowFailed(long row, SQLException error) {
        super(error.getMessage(), error);
        this.row = row;
        this.error = error;
    }
}
