// Text that the driver takes for bytes, in a code page of one byte a character. Knows no connection.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** `NONE` stands in the table where a byte has no character: such a value is refused. */
final class CodePage implements Cell {
    static final int SIZE = 256;
    private static final char NONE = '\uffff';

    private final String table;
    private final boolean trims;

    CodePage(String table, boolean trims) {
        this.table = table;
        this.trims = trims;
    }

    @Override
    public boolean write(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        byte[] value = rows.getBytes(column);
        if (value == null) {
            return false;
        }
        StringBuilder text = new StringBuilder(value.length);
        for (int at = 0; at < value.length; at++) {
            char character = table.charAt(value[at] & 0xff);
            if (character == NONE) {
                String shown = String.format("X'%02X'", value[at] & 0xff);
                throw new Unfit("byte " + (at + 1) + ", " + shown + ", has no character in the code page of `translate`");
            }
            text.append(character);
        }
        int end = text.length();
        while (trims && end > 0 && text.charAt(end - 1) == ' ') {
            end--;
        }
        out.putText(text.substring(0, end));
        return true;
    }
}
