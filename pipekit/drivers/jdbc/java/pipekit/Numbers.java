// Decimal numbers of a result as plain digits. No output here.
package pipekit;

import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The driver's text where it is plain digits, else its BigDecimal: some drivers write a comma or an exponent. */
final class Numbers {
    private Numbers() {
    }

    static String decimal(ResultSet rows, int column) throws SQLException {
        String text = rows.getString(column);
        if (text == null || isPlain(text)) {
            return text;
        }
        try {
            BigDecimal value = rows.getBigDecimal(column);
            return value == null ? null : value.toPlainString();
        } catch (SQLException | NumberFormatException error) {
            if (isWord(text)) {
                return text;
            }
            throw error;
        }
    }

    /** What numbers can be beside digits, in databases that have it. */
    static boolean isWord(String text) {
        return text.matches("(?i)[+-]?(s?nan|inf(inity)?)");
    }

    static boolean isPlain(String text) {
        int length = text.length();
        int start = length > 0 && text.charAt(0) == '-' ? 1 : 0;
        boolean point = false;
        boolean digits = false;
        for (int i = start; i < length; i++) {
            char c = text.charAt(i);
            if (c >= '0' && c <= '9') {
                digits = true;
            } else if (c == '.' && !point) {
                point = true;
            } else {
                return false;
            }
        }
        return digits;
    }
}
