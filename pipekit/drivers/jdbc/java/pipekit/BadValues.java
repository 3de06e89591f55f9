// Values of a result that were lost on their way out of the database, found row by row. Knows no block and no database.
package pipekit;

import java.sql.DataTruncation;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Three ways to hear of one: the driver throws as the cell is read; it leaves a DataTruncation on the result, which names
 * the column; or the server warns with a block of rows, which names nothing. Each is refused, by row and column where
 * they are known. With `asNull` a value that is lost as a whole becomes NULL and is counted.
 */
public final class BadValues {
    private static final int MOST_SHOWN = 3;
    // A block's end is not to be seen from outside: so far a value is looked for that a warning is about.
    private static final long FAR_ROWS = 65_536;

    private final ResultSet rows;
    private final boolean asNull;
    private final String[] names;
    private final int[] keys;
    private final long[] counts;
    private final String[] shown;
    private final BitSet bad = new BitSet();
    private SQLWarning warned;
    private long warnedRow;

    /** Names of all columns; `keys` are the places, from 0, of those by which errors name a row. */
    public BadValues(ResultSet rows, String[] names, int[] keys, boolean asNull) {
        this.rows = rows;
        this.names = names.clone();
        this.keys = keys.clone();
        this.asNull = asNull;
        counts = new long[names.length];
        shown = new String[names.length];
    }

    /** How many values of each column became NULL. */
    public long[] counts() {
        return counts.clone();
    }

    /** The first rows where that happened, by column; null where there are none. */
    public String[] shown() {
        return shown.clone();
    }

    /** Hears what came with the rows from `row` on; it is said of their statement or of the first of them. */
    public void hear(SQLWarning first, long row) throws SQLException {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            if (findColumn(warning) >= 0 || !Warnings.isLoss(warning)) {
                continue;
            }
            end(row - 1);
            if (!Warnings.isFindable(warning)) {
                throw Warnings.build(warning, " in the block of rows that begins with row " + row);
            }
            warned = warning;
            warnedRow = row;
        }
    }

    /** No row follows the last one: a warning whose value was not found is an error. */
    void end(long last) throws SQLException {
        if (warned != null) {
            String where = last < warnedRow ? "" : " in rows " + warnedRow + " to " + last;
            throw Warnings.build(warned, where);
        }
    }

    /** Whether a column of the current row is to be NULL. */
    boolean isBad(int column) {
        return bad.get(column);
    }

    /** A cell threw: refused here where its bytes are no number, else not. */
    void fail(int column, long row, Throwable error) throws Unfit {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof NumberFormatException) {
                lose(column, row, "its bytes are no number: " + cause.getMessage());
                return;
            }
        }
    }

    /** Looks at what the current row has left behind; true when cells of it must be NULL. */
    boolean look(long row) throws SQLException, Unfit {
        SQLWarning first = rows.getWarnings();
        hear(first, row);
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            int column = findColumn(warning);
            if (column >= 0) {
                lose(column, row, "the database gave NULL for a value that it could not map");
            }
        }
        if (warned != null) {
            findSubstitute(row);
            if (bad.isEmpty() && row - warnedRow >= FAR_ROWS) {
                end(row);
            }
        }
        return !bad.isEmpty();
    }

    /** Counts what became NULL in the current row, whose other cells can be read. */
    void count(long row) throws SQLException {
        warned = null;
        for (int column = bad.nextSetBit(0); column >= 0; column = bad.nextSetBit(column + 1)) {
            if (counts[column]++ < MOST_SHOWN) {
                String key = findKey();
                String place = "row " + row + (key.isEmpty() ? "" : " (" + key + ")");
                shown[column] = shown[column] == null ? place : shown[column] + ", " + place;
            }
        }
        bad.clear();
        rows.clearWarnings();
    }

    /** The column, from 0, of a value that was read and is said to be lost; -1 for what is said of no cell. */
    private static int findColumn(SQLWarning warning) {
        DataTruncation cell = warning instanceof DataTruncation ? (DataTruncation) warning : null;
        return cell != null && cell.getRead() ? cell.getIndex() - 1 : -1;
    }

    private void lose(int column, long row, String reason) throws Unfit {
        if (asNull) {
            bad.set(column);
            return;
        }
        throw refuse(column, row, warned == null ? reason : reason + "; " + Warnings.describe(warned), true);
    }

    private void findSubstitute(long row) throws SQLException, Unfit {
        if (!Warnings.SUBSTITUTED.equals(warned.getSQLState())) {
            return;
        }
        for (int column = 0; column < names.length; column++) {
            Object value = bad.get(column) ? null : rows.getObject(column + 1);
            if (value instanceof String && ((String) value).matches("(?s).*[\\u001A\\uFFFD].*")) {
                throw refuse(column, row, Warnings.describe(warned), false);
            }
        }
    }

    private Unfit refuse(int column, long row, String reason, boolean becomesNull) {
        Unfit unfit = new Unfit(reason);
        unfit.column = column;
        unfit.row = row;
        unfit.key = findKey();
        unfit.lost = true;
        unfit.becomesNull = becomesNull;
        return unfit;
    }

    /** The current row's key, as far as it can be read. */
    private String findKey() {
        List<String> parts = new ArrayList<>();
        for (int key : keys) {
            try {
                String text = rows.getString(key + 1);
                if (text != null) {
                    parts.add(names[key] + " " + (text.length() <= 60 ? text : text.substring(0, 57) + "..."));
                }
            } catch (SQLException | RuntimeException error) {
                // The key itself may be what cannot be read.
            }
        }
        return String.join(", ", parts);
    }
}
