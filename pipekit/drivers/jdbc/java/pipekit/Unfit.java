// A value that cannot be carried exactly, and where it stood. Knows no database.
package pipekit;

/** Thrown for a cell; the column counts from 0, the row from 1, both are filled in by whoever knows them. */
public final class Unfit extends Exception {
    private static final long serialVersionUID = 1L;

    public int column = -1;
    public long row;
    /** The row's key, `ORDNO 42`, empty where none is known. */
    public String key = "";
    /** The value was lost before it came here; `becomesNull` says that NULL could be taken for it. */
    public boolean lost;
    public boolean becomesNull;

    public Unfit(String reason) {
        super(reason);
    }

    /** A value as errors show it: short, in quotes. */
    static String show(String text) {
        return "'" + (text.length() <= 60 ? text : text.substring(0, 57) + "...") + "'";
    }
}
