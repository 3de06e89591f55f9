// A result as blocks of PostgreSQL's COPY text. Knows no connection.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;

/** One line a row, cells between tabs, NULL as `\N`. */
public final class TextReader extends RowReader {
    private final Cell[] cells;
    private final Bytes out;
    private int start;

    /** Kinds by name; see `Cells` for what `copy` does. */
    public TextReader(ResultSet rows, BadValues bad, String[] kinds, boolean copy, int maxRows, int maxBytes) {
        super(rows, bad, maxRows, maxBytes);
        out = new Bytes(maxBytes + maxBytes / 8, true);
        cells = Arrays.stream(kinds).map(kind -> Cells.named(kind, copy)).toArray(Cell[]::new);
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
