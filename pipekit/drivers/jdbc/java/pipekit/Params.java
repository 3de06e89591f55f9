// Numbers, booleans, texts and bytes as parameters, checked before they are bound. Knows no table.
package pipekit;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Types;
import java.util.Locale;

/** Drivers cut decimals and texts without a word; what does not fit is refused here. */
final class Params {
    private Params() {
    }

    static Param of(Target target) {
        switch (target.kind) {
            case BOOL:
                return (insert, index, text) -> insert.setBoolean(index, parseBool(text));
            case INT:
                return (insert, index, text) -> insert.setLong(index, parseInt(target, text));
            case YEAR:
                return (insert, index, text) -> insert.setLong(index, parseYear(target, text));
            case FLOAT:
                return (insert, index, text) -> insert.setFloat(index, parseFloat(target, text));
            case DOUBLE:
                return (insert, index, text) -> insert.setDouble(index, parseDouble(target, text));
            case DECFLOAT:
                return (insert, index, text) -> bindDecfloat(insert, index, target, text);
            case DECIMAL:
            case BITS:
                return (insert, index, text) -> insert.setBigDecimal(index, parseDecimal(target, text));
            case BYTES:
            case BLOB:
                return (insert, index, text) -> insert.setBytes(index, parseBytes(target, text));
            case TEXT:
            case TRIMMED:
            case CLOB:
                return (insert, index, text) -> bindText(insert, index, spellText(target, text), target.code);
            case OWN_DATE:
            case OWN_TIME:
            case OWN_TIMESTAMP:
            case OWN_INSTANT:
                return (insert, index, text) -> insert.setString(index, OwnClockTexts.spell(target, text));
            default:
                return new ClockParam(target);
        }
    }

    private static boolean parseBool(String text) throws Unfit {
        Boolean value = Bits.parse(text);
        if (value == null) {
            throw new Unfit(Unfit.show(text) + " is neither true nor false");
        }
        return value;
    }

    private static long parseInt(Target target, String text) throws Unfit {
        long value;
        try {
            value = Long.parseLong(text);
        } catch (NumberFormatException error) {
            value = parseOddInt(target, text);
        }
        if (value > target.most() || value < target.least()) {
            throw new Unfit(Unfit.show(text) + " is out of the range of a column of " + target.size + " bits");
        }
        return value;
    }

    /** 70 would become 1970. */
    private static long parseYear(Target target, String text) throws Unfit {
        long value = parseInt(target, text);
        if (value != 0 && (value < 1901 || value > 2155)) {
            throw new Unfit(Unfit.show(text) + " is not a year that the column can hold");
        }
        return value;
    }

    private static long parseOddInt(Target target, String text) throws Unfit {
        Boolean word = Bits.parse(text);
        if (word != null) {
            return word ? 1 : 0;
        }
        try {
            BigDecimal number = new BigDecimal(text);
            return target.exact ? number.longValueExact() : number.setScale(0, RoundingMode.HALF_UP).longValueExact();
        } catch (NumberFormatException error) {
            throw new Unfit(Unfit.show(text) + " is not a number");
        } catch (ArithmeticException error) {
            throw new Unfit(Unfit.show(text) + " is not a whole number of 64 bits");
        }
    }

    private static double parseDouble(Target target, String text) throws Unfit {
        double value = (double) parseFloating(text, Double::valueOf);
        checkDigits(target, text, value, Double.isFinite(value) ? new BigDecimal(value) : null);
        return value;
    }

    private static float parseFloat(Target target, String text) throws Unfit {
        float value = (float) parseFloating(text, Float::valueOf);
        checkDigits(target, text, value, Float.isFinite(value) ? new BigDecimal(value) : null);
        return value;
    }

    private static Object parseFloating(String text, java.util.function.Function<String, Object> parse) throws Unfit {
        String word = text.toLowerCase(Locale.ROOT);
        if (Numbers.isWord(word)) {
            String sign = word.startsWith("-") ? "-" : "";
            return parse.apply(word.contains("nan") ? "NaN" : sign + "Infinity");
        }
        try {
            return parse.apply(text);
        } catch (NumberFormatException error) {
            Boolean bool = Bits.parse(text);
            if (bool == null) {
                throw new Unfit(Unfit.show(text) + " is not a number");
            }
            return parse.apply(bool ? "1" : "0");
        }
    }

    /** A number survives in a float when the float, written with as many digits, is that number again. */
    private static void checkDigits(Target target, String text, double value, BigDecimal kept) throws Unfit {
        if (!target.exact || Numbers.isWord(text) || Bits.parse(text) != null) {
            return;
        }
        BigDecimal number = new BigDecimal(text);
        if (target.scale > 0 && number.stripTrailingZeros().scale() > target.scale) {
            throw new Unfit(Unfit.show(text) + " has more than " + target.scale + " decimal places");
        }
        boolean same = kept != null
            && kept.round(new MathContext(number.precision(), RoundingMode.HALF_EVEN)).compareTo(number) == 0;
        if (!same) {
            String reason = " has more digits than a floating point number keeps, it would become ";
            throw new Unfit(Unfit.show(text) + reason + value);
        }
    }

    private static BigDecimal readDecimal(String text) throws Unfit {
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException error) {
            Boolean bool = Bits.parse(text);
            if (bool == null) {
                throw new Unfit(Unfit.show(text) + " is not a decimal number");
            }
            return bool ? BigDecimal.ONE : BigDecimal.ZERO;
        }
    }

    private static BigDecimal parseDecimal(Target target, String text) throws Unfit {
        BigDecimal value = readDecimal(text);
        if (target.size <= 0 || target.scale < 0) {
            return value;
        }
        try {
            value = value.setScale(target.scale, target.exact ? RoundingMode.UNNECESSARY : RoundingMode.HALF_UP);
        } catch (ArithmeticException error) {
            throw new Unfit(Unfit.show(text) + " has more than " + target.scale + " decimal places");
        }
        if (value.precision() > target.size && value.signum() != 0) {
            String reason = " does not fit " + target.size + " digits, " + target.scale + " of them decimal places";
            throw new Unfit(Unfit.show(text) + reason);
        }
        return value;
    }

    /** Not a number and the infinities are texts to a driver; a number keeps all of its digits or is refused. */
    private static void bindDecfloat(PreparedStatement insert, int index, Target target, String text)
        throws SQLException, Unfit {
        if (Numbers.isWord(text)) {
            String word = text.toLowerCase(Locale.ROOT);
            String sign = word.startsWith("-") ? "-" : "";
            insert.setString(index, sign + (word.contains("snan") ? "SNaN" : word.contains("nan") ? "NaN" : "Infinity"));
            return;
        }
        insert.setBigDecimal(index, fitDecfloat(target, text));
    }

    /** As IEEE 754 has them in 16 or 34 digits; drivers round what has more, or fail in ways of their own. */
    private static BigDecimal fitDecfloat(Target target, String text) throws Unfit {
        BigDecimal value = readDecimal(text);
        if (target.size != 16 && target.size != 34) {
            return value;
        }
        value = value.precision() > target.size ? value.stripTrailingZeros() : value;
        if (value.precision() > target.size) {
            if (target.exact) {
                throw new Unfit(Unfit.show(text) + " has more than " + target.size + " digits");
            }
            value = value.round(new MathContext(target.size, RoundingMode.HALF_EVEN));
        }
        int largest = target.size == 16 ? 384 : 6144;
        long exponent = (long) value.precision() - value.scale() - 1;
        if (value.signum() != 0 && (exponent > largest || value.scale() > largest - 1)) {
            throw new Unfit(Unfit.show(text) + " is out of the range of a DECFLOAT(" + target.size + ")");
        }
        if (value.signum() == 0 && Math.abs((long) value.scale()) > target.size) {
            return BigDecimal.ZERO;
        }
        // Zeros behind the digits where the exponent alone has no room.
        int most = largest - target.size + 1;
        return -value.scale() > most ? value.setScale(-most) : value;
    }

    private static byte[] parseBytes(Target target, String text) throws Unfit {
        boolean isText = !target.source.equals("bytes") && !text.startsWith("\\x");
        byte[] value = isText ? text.getBytes(StandardCharsets.UTF_8) : parseHex(text);
        boolean isFixed = target.code == Types.BINARY && target.size < Integer.MAX_VALUE;
        if (target.exact && target.kind == Kind.BYTES && target.size > 0
            && (value.length > target.size || (isFixed && value.length < target.size))) {
            throw new Unfit("a value of " + value.length + " bytes would be changed to fit a column of " + target.size);
        }
        return value;
    }

    private static byte[] parseHex(String text) throws Unfit {
        if (!text.startsWith("\\x") || text.length() % 2 != 0) {
            throw new Unfit(Unfit.show(text) + " is not a value of bytes");
        }
        byte[] value = new byte[text.length() / 2 - 1];
        for (int i = 0; i < value.length; i++) {
            int high = Character.digit(text.charAt(2 * i + 2), 16);
            int low = Character.digit(text.charAt(2 * i + 3), 16);
            if (high < 0 || low < 0) {
                throw new Unfit(Unfit.show(text) + " is not a value of bytes");
            }
            value[i] = (byte) (high << 4 | low);
        }
        return value;
    }

    private static String spellText(Target target, String text) throws Unfit {
        if (target.source.equals("bytes")) {
            throw new Unfit("bytes cannot be stored in a column of text");
        }
        String spelled = target.source.equals("bool") ? Boolean.toString(parseBool(text)) : text;
        if (!target.allows(spelled)) {
            throw new Unfit(Unfit.show(spelled) + " is not among the values that the column takes");
        }
        target.check(spelled);
        boolean isLimited = target.exact && target.kind != Kind.CLOB && target.size > 0;
        if (isLimited && spelled.length() > target.size && spelled.codePointCount(0, spelled.length()) > target.size) {
            throw new Unfit(Unfit.show(spelled) + " is longer than the " + target.size + " characters of the column");
        }
        return spelled;
    }

    private static void bindText(PreparedStatement insert, int index, String text, int code) throws SQLException {
        if (code == Types.SQLXML) {
            SQLXML xml = insert.getConnection().createSQLXML();
            xml.setString(text);
            insert.setSQLXML(index, xml);
        } else if (code == Types.OTHER) {
            insert.setObject(index, text, Types.OTHER);
        } else {
            insert.setString(index, text);
        }
    }
}
