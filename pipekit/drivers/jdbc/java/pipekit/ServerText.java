// Text as PostgreSQL's server wrote it, from the bytes that its driver keeps. Knows no block and no batch.
package pipekit;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * A result that travelled as text is in the form that is wanted: what the driver would make of it, and we of that, would
 * be the same again. One that travelled in binary is told by its first value; it is then read in the usual way.
 */
final class ServerText implements Cell {
    // Of these the server's text is the canonical one; of floats, bytes and what has a zone it is not.
    private static final Set<Kind> SAME =
        EnumSet.of(Kind.BOOL, Kind.INT, Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TEXT);

    private final Cell usual;
    private boolean known;
    private boolean isText;

    /** A cell that gives what `usual` gives. */
    ServerText(Cell usual) {
        this.usual = usual;
    }

    /** Whether the server's text of a kind is the one that is wanted. */
    static boolean isSame(String kind) {
        return SAME.stream().anyMatch(each -> each.name().equals(kind));
    }

    @Override
    public boolean write(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        if (known && !isText) {
            return usual.write(rows, column, out);
        }
        byte[] value = rows.getBytes(column);
        if (value == null) {
            return false;
        }
        if (!known) {
            isText = Arrays.equals(value, rows.getString(column).getBytes(StandardCharsets.UTF_8));
            known = true;
        }
        // What is not ASCII is decoded by the driver, which looks at it.
        return isText && out.putServerAscii(value) || usual.write(rows, column, out);
    }
}
