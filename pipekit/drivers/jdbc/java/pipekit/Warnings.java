// What a driver says beside its results. Knows only which warnings mean that data was lost, and what each means.
package pipekit;

import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.Map;
import java.util.Set;

/** Warnings of lost data are errors; which they are, for Db2 for i, stands in docs/db2-for-i.md. */
public final class Warnings {
    /** The state of a warning that a character was replaced. */
    static final String SUBSTITUTED = "01517";
    private static final String TOLD = "The database warns that data was lost";
    private static final Map<String, String> MEANINGS = Map.ofEntries(
        Map.entry("01004", "a value was cut"),
        Map.entry("01515", "a value out of its column's range became NULL"),
        Map.entry(SUBSTITUTED, "a substitute was put for a character that could not be converted"),
        Map.entry("01519", "a number out of range became NULL"),
        Map.entry("01520", "a text whose characters cannot be converted became NULL"),
        Map.entry("01534", "a text that is no date or time was taken for one"),
        Map.entry("01535", "a date was computed that is out of range"),
        Map.entry("01544", "a part of a text that is not there became NULL"),
        Map.entry("01547", "a text of mixed characters is not valid"),
        Map.entry("01564", "a division by zero became NULL"),
        Map.entry("01565", "a value that is not valid became NULL"));
    // The value that these are about is the NULL, or holds the substitute; of the others none can be told.
    private static final Set<String> FINDABLE = Set.of(
        "01515", SUBSTITUTED, "01519", "01520", "01534", "01535", "01544", "01564", "01565");

    private Warnings() {
    }

    /** Throws the first warning that means lost data; of substitutes only where they have not been looked for before. */
    public static void check(SQLWarning first, boolean substitutes) throws SQLException {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            if (isLoss(warning) && (substitutes || !SUBSTITUTED.equals(warning.getSQLState()))) {
                throw build(warning, "");
            }
        }
    }

    static boolean isLoss(SQLWarning warning) {
        String state = warning.getSQLState();
        return state != null && MEANINGS.containsKey(state);
    }

    /** Whether the rows that came with the warning show the value that it is about. */
    static boolean isFindable(SQLWarning warning) {
        return FINDABLE.contains(warning.getSQLState());
    }

    /** A warning as an error; `where` is a phrase such as " in row 7". */
    static SQLException build(SQLWarning warning, String where) {
        return new SQLException(TOLD + where + ": " + describe(warning), warning.getSQLState(), warning.getErrorCode());
    }

    /** What was lost and how it was told; a server may give no text, or no more than the name of an empty one. */
    static String describe(SQLWarning warning) {
        String state = warning.getSQLState();
        String text = warning.getMessage() == null ? "" : warning.getMessage().replaceFirst("^\\[SQL0000\\]", "").strip();
        String meaning = MEANINGS.get(state) + " (SQLSTATE " + state + ")";
        return text.isEmpty() ? meaning : meaning + ": " + text;
    }
}
