// A decimal from the driver's own number, for a driver that makes its text of it slowly. Knows no block and no batch.
package pipekit;

import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;

/** jt400 keeps a BigDecimal of the column's own scale; its text is the same digits, found by reflection in old jars. */
final class PlainDecimal {
    private static final int LONG_DIGITS = 18;

    private PlainDecimal() {
    }

    static boolean write(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        BigDecimal value = rows.getBigDecimal(column);
        if (value == null) {
            return false;
        }
        int scale = value.scale();
        if (scale >= 0 && scale <= LONG_DIGITS && value.precision() <= LONG_DIGITS) {
            out.putDecimal(value.unscaledValue().longValue(), scale);
        } else {
            out.putAscii(value.toPlainString());
        }
        return true;
    }
}
