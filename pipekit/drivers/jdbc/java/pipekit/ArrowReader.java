// A result as batches in the layout of Apache Arrow. Knows no connection.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** Batches of columns; see `ArrowColumns`. */
public final class ArrowReader extends RowReader {
    private final ArrowColumn[] columns;
    private int row;
    private int size;

    /** Kinds and layouts by name; precisions and scales count where the layout is a decimal. */
    public ArrowReader(
        ResultSet rows, BadValues bad, String[] kinds, String[] layouts, int[] precisions, int[] scales, int maxRows,
        int maxBytes) {
        super(rows, bad, maxRows, maxBytes);
        columns = new ArrowColumn[kinds.length];
        for (int i = 0; i < kinds.length; i++) {
            columns[i] = ArrowColumns.named(kinds[i], layouts[i], precisions[i], scales[i]);
        }
    }

    @Override
    protected int width() {
        return columns.length;
    }

    @Override
    protected int size() {
        return size;
    }

    @Override
    protected void readCell(int column) throws SQLException, Unfit {
        columns[column].read(rows, column + 1, row);
    }

    @Override
    protected void putNull(int column) {
        columns[column].putNull(row);
    }

    @Override
    protected void undoRow(int count) {
        for (ArrowColumn column : columns) {
            column.undo(row);
        }
    }

    @Override
    protected void endRow(int count) {
        row = count;
        long held = 0;
        for (ArrowColumn column : columns) {
            held += column.size();
        }
        size = (int) Math.min(Integer.MAX_VALUE, held);
    }

    @Override
    protected Block take(int count) throws Unfit {
        ArrowColumn.Part[] parts = new ArrowColumn.Part[columns.length];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = columns[i].take(count);
        }
        row = 0;
        size = 0;
        return new Block(count, null, parts);
    }
}
