// Columns of texts or bytes: one after the other, and where each ends. Knows no connection.
package pipekit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.Blob;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;

/** Offsets are 32 bits wide: a batch ends long before 2 GB, and `Bytes` refuses a value that alone is larger. */
final class VariableColumn extends ArrowColumn {
    private static final int USUAL_BYTES = 64 * 1024;

    private final Cell cell;
    private final Bytes out = new Bytes(USUAL_BYTES, false);
    private int[] ends = new int[1024];

    VariableColumn(Cell cell) {
        this.cell = cell;
    }

    /** Bytes as they are. */
    static Cell bytes() {
        return (rows, column, out) -> {
            byte[] value = rows.getBytes(column);
            if (value != null) {
                out.putRaw(value, value.length);
            }
            return value != null;
        };
    }

    /** Bytes of a large object, piece by piece. */
    static Cell blob() {
        return (rows, column, out) -> {
            Blob value = rows.getBlob(column);
            if (value != null) {
                Cells.eachPiece(value, out::putRaw);
            }
            return value != null;
        };
    }

    @Override
    protected boolean put(ResultSet rows, int column, int row) throws SQLException, Unfit {
        boolean present = cell.write(rows, column, out);
        skip(row);
        return present;
    }

    @Override
    protected void skip(int row) {
        if (row >= ends.length) {
            ends = Arrays.copyOf(ends, 2 * ends.length);
        }
        ends[row] = out.size();
    }

    @Override
    protected void drop(int row) {
        out.cut(row == 0 ? 0 : ends[row - 1]);
    }

    @Override
    protected int size() {
        return out.size();
    }

    @Override
    protected ByteBuffer takeOffsets(int rows) {
        ByteBuffer offsets = ByteBuffer.allocateDirect(4 * (rows + 1)).order(ByteOrder.LITTLE_ENDIAN);
        offsets.position(4);
        offsets.asIntBuffer().put(ends, 0, rows);
        offsets.rewind();
        return offsets;
    }

    @Override
    protected ByteBuffer takeData(int rows) {
        ByteBuffer data = copy(out.data(), out.size());
        out.clear();
        return data;
    }
}
