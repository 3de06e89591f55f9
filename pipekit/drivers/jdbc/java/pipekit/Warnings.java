// What a driver says beside its results. Knows only which warnings mean that data was lost.
package pipekit;

import java.sql.SQLException;
import java.sql.SQLWarning;

/** Warnings of lost data are errors: a value was cut (01004) or became NULL (01534). */
public final class Warnings {
    private Warnings() {
    }

    /** Throws the first warning that means lost data. */
    public static void check(SQLWarning first) throws SQLException {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            String state = warning.getSQLState();
            if ("01004".equals(state) || "01534".equals(state)) {
                throw new SQLException("The database warns that data was lost: " + warning.getMessage(), state);
            }
        }
    }
}
