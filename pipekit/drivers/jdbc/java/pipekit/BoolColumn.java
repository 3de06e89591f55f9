// A column of booleans, one bit each. Knows no connection.
package pipekit;

import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;

final class BoolColumn extends ArrowColumn {
    private byte[] bits = new byte[256];
    private int rowsHeld;

    @Override
    protected boolean put(ResultSet rows, int column, int row) throws SQLException, Unfit {
        skip(row);
        Boolean value = Bits.bool(rows, column);
        if (value != null && value) {
            bits[row >> 3] |= (byte) (1 << (row & 7));
        }
        return value != null;
    }

    @Override
    protected void skip(int row) {
        if (row >> 3 >= bits.length) {
            bits = Arrays.copyOf(bits, 2 * bits.length);
        }
        rowsHeld = row + 1;
    }

    @Override
    protected void drop(int row) {
        bits[row >> 3] &= (byte) ~(1 << (row & 7));
    }

    @Override
    protected int size() {
        return rowsHeld / 8;
    }

    @Override
    protected ByteBuffer takeData(int rows) {
        ByteBuffer data = copy(bits, (rows + 7) / 8);
        Arrays.fill(bits, (byte) 0);
        rowsHeld = 0;
        return data;
    }
}
