// The text of every kind of column. Knows no block and no batch.
package pipekit;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Blob;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Cells by kind; `copy` spells booleans and bytes as PostgreSQL's COPY does, else `true` and `0xDEAD`. */
final class Cells {
    private static final int PIECE = 16 * 1024;

    /** A column's value as ASCII text. */
    interface Ascii {
        String read(ResultSet rows, int column) throws SQLException, Unfit;
    }

    private Cells() {
    }

    /** By the kind's name; behind `TEXT` or `TRIMMED` may stand the table of a code page for a column of bytes. */
    static Cell named(String kind, boolean copy) {
        int end = kind.length() - CodePage.SIZE;
        return end > 0 ? new CodePage(kind.substring(end), kind.startsWith("TRIMMED")) : of(Kind.valueOf(kind), copy);
    }

    static Cell of(Kind kind, boolean copy) {
        switch (kind) {
            case BOOL:
                return (rows, column, out) -> writeBool(rows, column, out, copy);
            case INT:
                return Cells::writeInt;
            case FLOAT:
                return Cells::writeFloat;
            case DOUBLE:
                return Cells::writeDouble;
            case BYTES:
                return (rows, column, out) -> writeBytes(rows, column, out, copy);
            case BLOB:
                return (rows, column, out) -> writeBlob(rows, column, out, copy);
            case TEXT:
            case CLOB:
                // A stream of a CLOB asks the server for every piece; its whole is in memory in either way.
                return Cells::writeText;
            case TRIMMED:
                return Cells::writeTrimmed;
            default:
                return ascii(kind);
        }
    }

    private static Cell ascii(Kind kind) {
        Ascii cell = chooseAscii(kind);
        return (rows, column, out) -> {
            String text = cell.read(rows, column);
            if (text != null) {
                out.putAscii(text);
            }
            return text != null;
        };
    }

    /** How values of a kind become digits, signs and letters; for those that are nothing else. */
    static Ascii chooseAscii(Kind kind) {
        switch (kind) {
            case DECIMAL:
                return Numbers::decimal;
            case BITS:
                return Bits::number;
            case DATE:
                return ClockCells::date;
            case TIME:
                return ClockCells::time;
            case TIMESTAMP:
                return ClockCells::timestamp;
            case TIMETZ:
                return ClockCells::zonedTime;
            case TIMESTAMPTZ:
                return ClockCells::zonedTimestamp;
            case OWN_DATE:
                return OwnClockCells::date;
            case OWN_TIME:
                return OwnClockCells::time;
            case OWN_TIMESTAMP:
                return OwnClockCells::timestamp;
            case OWN_INSTANT:
                return OwnClockCells::instant;
            default:
                throw new IllegalArgumentException(kind.name());
        }
    }

    private static boolean writeBool(ResultSet rows, int column, Bytes out, boolean copy) throws SQLException, Unfit {
        Boolean value = Bits.bool(rows, column);
        if (value == null) {
            return false;
        }
        out.putAscii(copy ? value ? "t" : "f" : Boolean.toString(value));
        return true;
    }

    private static boolean writeInt(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        long value = rows.getLong(column);
        if (value == 0 && rows.wasNull()) {
            return false;
        }
        out.putLong(value);
        return true;
    }

    private static boolean writeFloat(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        float value = rows.getFloat(column);
        if (value == 0 && rows.wasNull()) {
            return false;
        }
        out.putAscii(Float.toString(value));
        return true;
    }

    private static boolean writeDouble(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        double value = rows.getDouble(column);
        if (value == 0 && rows.wasNull()) {
            return false;
        }
        out.putAscii(Double.toString(value));
        return true;
    }

    private static boolean writeText(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text != null) {
            out.putText(text);
        }
        return text != null;
    }

    private static boolean writeTrimmed(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text == null) {
            return false;
        }
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == ' ') {
            end--;
        }
        out.putText(text.substring(0, end));
        return true;
    }

    private static boolean writeBytes(ResultSet rows, int column, Bytes out, boolean copy) throws SQLException, Unfit {
        byte[] value = rows.getBytes(column);
        if (value == null) {
            return false;
        }
        out.putAscii(copy ? "\\\\x" : "0x");
        out.putHex(value, value.length);
        return true;
    }

    private static boolean writeBlob(ResultSet rows, int column, Bytes out, boolean copy) throws SQLException, Unfit {
        Blob blob = rows.getBlob(column);
        if (blob == null) {
            return false;
        }
        out.putAscii(copy ? "\\\\x" : "0x");
        eachPiece(blob, out::putHex);
        return true;
    }

    /** Takes a piece of a large value. */
    interface Pieces {
        void take(byte[] piece, int length) throws Unfit;
    }

    static void eachPiece(Blob blob, Pieces pieces) throws SQLException, Unfit {
        try (InputStream stream = blob.getBinaryStream()) {
            byte[] piece = new byte[PIECE];
            int got;
            while ((got = stream.read(piece)) >= 0) {
                pieces.take(piece, got);
            }
        } catch (IOException error) {
            throw new SQLException(error.getMessage(), error);
        }
        blob.free();
    }
}
