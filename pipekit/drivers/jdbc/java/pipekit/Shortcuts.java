// Which drivers give a cell by a shorter way than others, with the same text in the end. Knows no block and no batch.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** Each way is for a driver whose inside is known; whatever it does not hold for is read in the usual way. */
final class Shortcuts {
    private static final String POSTGRESQL = "org.postgresql.";
    private static final String TOOLBOX = "com.ibm.as400.";

    private Shortcuts() {
    }

    /** A cell of COPY text that gives what `usual` gives of a column (from 1). */
    static Cell find(ResultSet rows, int column, String kind, Cell usual) throws SQLException {
        String driver = rows.getClass().getName();
        if (driver.startsWith(POSTGRESQL) && ServerText.isSame(kind)) {
            return new ServerText(usual);
        }
        if (driver.startsWith(TOOLBOX) && kind.equals(Kind.DECIMAL.name())) {
            // DECFLOAT has values that are no numbers.
            String type = rows.getMetaData().getColumnTypeName(column);
            return type.equals("DECIMAL") || type.equals("NUMERIC") ? PlainDecimal::write : usual;
        }
        if (driver.startsWith(TOOLBOX) && kind.equals(Kind.DATE.name()) && PlainDate.isPossible()) {
            return new PlainDate(usual);
        }
        return usual;
    }
}
