// A result as blocks of PostgreSQL's COPY text. Knows no connection.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** One line a row, cells between tabs, NULL as `\N`. */
public final class TextReader extends RowReader {
    private final Cell[] cells;
    private final Bytes out;
    private int start;

    /** Kinds by name; see `Cells` for what `copy` does. */
    public TextReader(ResultSet rows, BadValues bad, String[] kinds, boolean copy, int maxRows, int maxBytes)
        throws SQLException {
        super(rows, bad, maxRows, maxBytes);
        out = new Bytes(maxBytes + maxBytes / 8, true);
        cells = new Cell[kinds.length];
        for (int i = 0; i < kinds.length; i++) {
            Cell usual = Cells.named(kinds[i], copy);
            cells[i] = copy ? Shortcuts.find(rows, i + 1, kinds[i], usual) : usual;
        }
    }

    @Override
    protected int width() {
        return cells.length;
    }

    @Override
    protected int size() {
        return out.size();
    }

    @Override
    protected void readCell(int column) throws SQLException, Unfit {
        if (column > 0) {
            out.put('\t');
        }
        if (!cells[column].write(rows, column + 1, out)) {
            out.putAscii("\\N");
        }
    }

    @Override
    protected void putNull(int column) throws Unfit {
        out.putAscii(column > 0 ? "\t\\N" : "\\N");
    }

    @Override
    protected void undoRow(int count) {
        out.cut(start);
    }

    @Override
    protected void endRow(int count) throws Unfit {
        out.put('\n');
        start = out.size();
    }

    @Override
    protected Block take(int count) {
        Block block = new Block(count, ArrowColumn.copy(out.data(), out.size()), null);
        out.clear();
        start = 0;
        return block;
    }
}
