// Columns of values of one width: integers, floats, booleans, dates, timestamps, decimals. Knows no connection.
package pipekit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;

/** A value is put into `values` at the place of its row, little-endian. */
final class FixedColumn extends ArrowColumn {
    /** Stores the current row's value at a place; false when it is NULL. */
    interface Value {
        boolean put(ResultSet rows, int column, ByteBuffer values, int at) throws SQLException, Unfit;
    }

    private final int width;
    private final Value value;
    private ByteBuffer values;
    private int rowsHeld;

    FixedColumn(int width, Value value) {
        this.width = width;
        this.value = value;
        this.values = allocate(1024 * width);
    }

    @Override
    protected boolean put(ResultSet rows, int column, int row) throws SQLException, Unfit {
        skip(row);
        return value.put(rows, column, values, row * width);
    }

    @Override
    protected void skip(int row) {
        if ((row + 1) * width > values.capacity()) {
            byte[] larger = Arrays.copyOf(values.array(), 2 * values.capacity());
            values = ByteBuffer.wrap(larger).order(ByteOrder.LITTLE_ENDIAN);
        }
        rowsHeld = row + 1;
    }

    @Override
    protected void drop(int row) {
        Arrays.fill(values.array(), row * width, (row + 1) * width, (byte) 0);
    }

    @Override
    protected int size() {
        return rowsHeld * width;
    }

    @Override
    protected ByteBuffer takeData(int rows) {
        ByteBuffer data = copy(values.array(), rows * width);
        Arrays.fill(values.array(), 0, rows * width, (byte) 0);
        rowsHeld = 0;
        return data;
    }

    private static ByteBuffer allocate(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
