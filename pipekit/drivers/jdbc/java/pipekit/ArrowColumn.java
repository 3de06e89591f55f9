// A column of a batch being filled, in the layout of Apache Arrow. Knows no connection.
package pipekit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;

/** Values are gathered in arrays that are used again, and handed over as direct buffers, which Python sees as is. */
public abstract class ArrowColumn {
    private byte[] validity = new byte[256];
    private int valid;

    /** The finished buffers of a column; `validity` is null when nothing is NULL, `offsets` where widths are fixed. */
    public static final class Part {
        public final int nulls;
        public final ByteBuffer validity;
        public final ByteBuffer offsets;
        public final ByteBuffer data;

        Part(int nulls, ByteBuffer validity, ByteBuffer offsets, ByteBuffer data) {
            this.nulls = nulls;
            this.validity = validity;
            this.offsets = offsets;
            this.data = data;
        }
    }

    /** Reads a cell of the current row into a row of the batch (from 0). */
    final void read(ResultSet rows, int column, int row) throws SQLException, Unfit {
        ensure(row);
        if (put(rows, column, row)) {
            validity[row >> 3] |= (byte) (1 << (row & 7));
            valid++;
        }
    }

    /** Forgets the cell of the last row, which is to be read again. */
    final void undo(int row) {
        int bit = 1 << (row & 7);
        if ((validity[row >> 3] & bit) != 0) {
            validity[row >> 3] &= (byte) ~bit;
            valid--;
        }
        drop(row);
    }

    /** Takes NULL for a row of the batch (from 0). */
    final void putNull(int row) {
        ensure(row);
        skip(row);
    }

    private void ensure(int row) {
        if (row >> 3 >= validity.length) {
            validity = Arrays.copyOf(validity, 2 * validity.length);
        }
    }

    /** Hands over what was gathered and starts anew. */
    final Part take(int rows) throws Unfit {
        int nulls = rows - valid;
        ByteBuffer bits = nulls == 0 ? null : copy(validity, (rows + 7) / 8);
        Part part = new Part(nulls, bits, takeOffsets(rows), takeData(rows));
        Arrays.fill(validity, (byte) 0);
        valid = 0;
        return part;
    }

    /** Stores the value; false when it is NULL. */
    protected abstract boolean put(ResultSet rows, int column, int row) throws SQLException, Unfit;

    /** Leaves the place of a row without a value. */
    protected abstract void skip(int row);

    /** Forgets the last row's value. */
    protected abstract void drop(int row);

    /** The bytes gathered so far. */
    protected abstract int size();

    protected abstract ByteBuffer takeData(int rows) throws Unfit;

    protected ByteBuffer takeOffsets(int rows) {
        return null;
    }

    static ByteBuffer copy(byte[] data, int length) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(data, 0, length).rewind();
        return buffer;
    }
}
