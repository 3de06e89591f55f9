// Which column of a batch a kind of value needs. Knows no connection.
package pipekit;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalTime;

/** Layouts are those of `columntypes.Layout`; a value that its layout cannot hold is refused. */
final class ArrowColumns {
    private static final int SHORT_DIGITS = 18;
    private static final int DATE_LENGTH = "2024-02-29".length();
    private static final long MICROS_OF_DAY = 86_400_000_000L;

    private ArrowColumns() {
    }

    /** See `Cells.named`. */
    static ArrowColumn named(String kind, String layout, int precision, int scale) {
        if (kind.length() > CodePage.SIZE) {
            return new VariableColumn(Cells.named(kind, false));
        }
        return of(Kind.valueOf(kind), layout, precision, scale);
    }

    private static ArrowColumn of(Kind kind, String layout, int precision, int scale) {
        switch (layout) {
            case "bool":
                return new BoolColumn();
            case "int16":
                return new FixedColumn(2, ArrowColumns::putShort);
            case "int32":
                return new FixedColumn(4, ArrowColumns::putInt);
            case "int64":
                return new FixedColumn(8, kind == Kind.BITS ? ArrowColumns::putBits : ArrowColumns::putLong);
            case "float":
                return new FixedColumn(4, ArrowColumns::putFloat);
            case "double":
                return new FixedColumn(8, ArrowColumns::putDouble);
            case "decimal":
                return ascii(16, kind, (text, to, at) -> putDecimal(text, to, at, precision, scale));
            case "date":
                return ascii(4, kind, ArrowColumns::putDate);
            case "timestamp":
                return ascii(8, kind, ArrowColumns::putTimestamp);
            case "bytes":
                return new VariableColumn(kind == Kind.BLOB ? VariableColumn.blob() : VariableColumn.bytes());
            default:
                return new VariableColumn(Cells.of(kind, false));
        }
    }

    /** Stores what a text says; false when it is null. */
    private interface Parsed {
        boolean put(String text, ByteBuffer to, int at) throws Unfit;
    }

    private static FixedColumn ascii(int width, Kind kind, Parsed parsed) {
        Cells.Ascii cell = Cells.chooseAscii(kind);
        return new FixedColumn(width, (rows, column, to, at) -> parsed.put(cell.read(rows, column), to, at));
    }

    private static boolean putShort(ResultSet rows, int column, ByteBuffer to, int at) throws SQLException, Unfit {
        long value = rows.getLong(column);
        check(value == (short) value, value, "16-bit integer");
        to.putShort(at, (short) value);
        return value != 0 || !rows.wasNull();
    }

    private static boolean putInt(ResultSet rows, int column, ByteBuffer to, int at) throws SQLException, Unfit {
        long value = rows.getLong(column);
        check(value == (int) value, value, "32-bit integer");
        to.putInt(at, (int) value);
        return value != 0 || !rows.wasNull();
    }

    private static boolean putLong(ResultSet rows, int column, ByteBuffer to, int at) throws SQLException {
        long value = rows.getLong(column);
        to.putLong(at, value);
        return value != 0 || !rows.wasNull();
    }

    private static boolean putFloat(ResultSet rows, int column, ByteBuffer to, int at) throws SQLException {
        float value = rows.getFloat(column);
        to.putFloat(at, value);
        return value != 0 || !rows.wasNull();
    }

    private static boolean putDouble(ResultSet rows, int column, ByteBuffer to, int at) throws SQLException {
        double value = rows.getDouble(column);
        to.putDouble(at, value);
        return value != 0 || !rows.wasNull();
    }

    private static boolean putBits(ResultSet rows, int column, ByteBuffer to, int at) throws SQLException, Unfit {
        String text = Bits.number(rows, column);
        if (text == null) {
            return false;
        }
        try {
            to.putLong(at, Long.parseLong(text));
        } catch (NumberFormatException error) {
            throw new Unfit(text + " does not fit a 64-bit integer");
        }
        return true;
    }

    private static boolean putDecimal(String text, ByteBuffer to, int at, int precision, int scale) throws Unfit {
        if (text == null) {
            return false;
        }
        if (!Numbers.isPlain(text)) {
            throw new Unfit(Unfit.show(text) + " is not a decimal number");
        }
        if (text.length() <= SHORT_DIGITS && scale <= SHORT_DIGITS) {
            long value = 0;
            int places = -1;
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c == '.') {
                    places = 0;
                } else if (c != '-') {
                    value = 10 * value + (c - '0');
                    places += places >= 0 ? 1 : 0;
                }
            }
            if (Math.max(places, 0) == scale && text.length() <= precision) {
                value = text.charAt(0) == '-' ? -value : value;
                to.putLong(at, value).putLong(at + 8, value >> 63);
                return true;
            }
        }
        putLarge(text, to, at, precision, scale);
        return true;
    }

    private static void putLarge(String text, ByteBuffer to, int at, int precision, int scale) throws Unfit {
        BigDecimal value = new BigDecimal(text);
        String type = "DECIMAL(" + precision + "," + scale + "), which the driver says the column is";
        check(value.stripTrailingZeros().scale() <= scale, text, type);
        value = value.setScale(scale);
        check(value.precision() <= precision, text, type);
        BigInteger digits = value.unscaledValue();
        to.putLong(at, digits.longValue()).putLong(at + 8, digits.shiftRight(64).longValue());
    }

    private static boolean putDate(String text, ByteBuffer to, int at) throws Unfit {
        if (text == null) {
            return false;
        }
        try {
            check(text.length() == DATE_LENGTH, text, "date of the calendar");
            to.putInt(at, Math.toIntExact(parseDate(text).toEpochDay()));
        } catch (DateTimeException error) {
            throw new Unfit(Unfit.show(text) + " is not a date of the calendar");
        }
        return true;
    }

    private static boolean putTimestamp(String text, ByteBuffer to, int at) throws Unfit {
        if (text == null) {
            return false;
        }
        try {
            long nanos = LocalTime.parse(text.substring(11)).toNanoOfDay();
            check(nanos % 1000 == 0, text, "timestamp of microseconds");
            to.putLong(at, parseDate(text).toEpochDay() * MICROS_OF_DAY + nanos / 1000);
        } catch (DateTimeException error) {
            throw new Unfit(Unfit.show(text) + " is not a timestamp of the calendar");
        }
        return true;
    }

    /** The date at the start of a canonical text; `LocalDate.parse` takes several times as long. */
    private static LocalDate parseDate(String text) {
        if (text.charAt(4) != '-') {
            throw new DateTimeException(text);
        }
        return LocalDate.of(parseDigits(text, 0, 4), parseDigits(text, 5, 7), parseDigits(text, 8, 10));
    }

    private static int parseDigits(String text, int start, int end) {
        int value = 0;
        for (int i = start; i < end; i++) {
            value = 10 * value + (text.charAt(i) - '0');
        }
        return value;
    }

    private static void check(boolean fits, Object value, String what) throws Unfit {
        if (!fits) {
            throw new Unfit(value + " does not fit a " + what);
        }
    }
}
