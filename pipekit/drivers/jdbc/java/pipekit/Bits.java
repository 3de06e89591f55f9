// Booleans and fields of bits of a result, each value looked at. No output here.
package pipekit;

import java.math.BigInteger;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;

/** A driver's `getBoolean` takes 2 and -1 for true; here they are refused. */
final class Bits {
    private Bits() {
    }

    /** The value, null when it is NULL. */
    static Boolean bool(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text == null) {
            return null;
        }
        Boolean known = parse(text);
        if (known == null && !text.matches("-?[0-9]+") && rows.getObject(column) instanceof Boolean) {
            known = (Boolean) rows.getObject(column);
        }
        if (known == null) {
            throw new Unfit(Unfit.show(text) + " is neither true nor false");
        }
        return known;
    }

    /** What a text means; a byte of 0 or 1 is what some drivers make of a bit. */
    static Boolean parse(String text) {
        switch (text.toLowerCase(Locale.ROOT)) {
            case "t":
            case "true":
            case "1":
            case "\u0001":
                return Boolean.TRUE;
            case "f":
            case "false":
            case "0":
            case "\u0000":
                return Boolean.FALSE;
            default:
                return null;
        }
    }

    /** A field of bits as the number that it is; its bytes come most significant first. */
    static String number(ResultSet rows, int column) throws SQLException {
        byte[] bytes = rows.getBytes(column);
        return bytes == null ? null : new BigInteger(1, bytes).toString();
    }
}
