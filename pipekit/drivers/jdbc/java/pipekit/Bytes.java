// Bytes that grow: the text of a block, or the data of a column. Knows COPY's escapes and UTF-8.
package pipekit;

import java.util.Arrays;

/** A growing byte array; `escaping` writes text as a cell of PostgreSQL's COPY text. */
final class Bytes {
    // A piece of text is encoded at once; no character takes more than three bytes, an escaped one takes two.
    private static final int PIECE = 4096;
    private static final int LIMIT = Integer.MAX_VALUE - 64;
    private static final byte[] HEX = "0123456789ABCDEF".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final String ESCAPED = "\\\t\n\r";

    private final boolean[] plain = new boolean[128];
    private final char[] piece = new char[PIECE + 1];
    private final byte[] digits = new byte[24];
    private final int usual;
    private byte[] data;
    private int size;

    Bytes(int usual, boolean escaping) {
        this.usual = usual;
        this.data = new byte[usual];
        Arrays.fill(plain, true);
        for (int i = 0; escaping && i < ESCAPED.length(); i++) {
            plain[ESCAPED.charAt(i)] = false;
        }
    }

    byte[] data() {
        return data;
    }

    int size() {
        return size;
    }

    /** Forgets the content, and the room that an unusually large one needed. */
    void clear() {
        size = 0;
        if (data.length > 4L * usual) {
            data = new byte[usual];
        }
    }

    /** Forgets what was put behind a place. */
    void cut(int at) {
        size = at;
    }

    void put(int value) throws Unfit {
        ensure(1);
        data[size++] = (byte) value;
    }

    void putRaw(byte[] source, int length) throws Unfit {
        ensure(length);
        System.arraycopy(source, 0, data, size, length);
        size += length;
    }

    /** Text that needs no escape and is ASCII, as numbers are. */
    @SuppressWarnings("deprecation") // it copies the low bytes, which is all there is in ASCII
    void putAscii(String text) throws Unfit {
        int length = text.length();
        ensure(length);
        text.getBytes(0, length, data, size);
        size += length;
    }

    /** Text of one byte a character, escaped; false, and nothing put, for one that has others. */
    boolean putServerAscii(byte[] text) throws Unfit {
        ensure(2L * text.length);
        int at = size;
        for (byte c : text) {
            if (c < 0) {
                return false;
            }
            if (plain[c]) {
                data[at++] = c;
            } else {
                at = putOther((char) c, at);
            }
        }
        size = at;
        return true;
    }

    void putLong(long value) throws Unfit {
        int at = digits.length;
        // Below zero all the way: the smallest number has no positive of its own.
        long large = value < 0 ? value : -value;
        for (; large < Integer.MIN_VALUE; large /= 10) {
            digits[--at] = (byte) ('0' - large % 10);
        }
        int rest = (int) large;
        do {
            digits[--at] = (byte) ('0' - rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (value < 0) {
            digits[--at] = '-';
        }
        putDigits(at);
    }

    /** A number as plain digits, the last `scale` of them behind a point; both have at most 18. */
    void putDecimal(long unscaled, int scale) throws Unfit {
        int at = digits.length;
        long rest = Math.abs(unscaled);
        int behind = scale;
        do {
            digits[--at] = (byte) ('0' + rest % 10);
            rest /= 10;
            if (--behind == 0) {
                digits[--at] = '.';
            }
        } while (rest != 0 || behind >= 0);
        if (unscaled < 0) {
            digits[--at] = '-';
        }
        putDigits(at);
    }

    /** `2024-02-29`; a year has at most four digits. */
    void putDate(int year, int month, int day) throws Unfit {
        ensure(10);
        putPair(year / 100);
        putPair(year % 100);
        data[size++] = '-';
        putPair(month);
        data[size++] = '-';
        putPair(day);
    }

    private void putPair(int number) {
        data[size++] = (byte) ('0' + number / 10);
        data[size++] = (byte) ('0' + number % 10);
    }

    private void putDigits(int at) throws Unfit {
        int length = digits.length - at;
        ensure(length);
        System.arraycopy(digits, at, data, size, length);
        size += length;
    }

    void putText(String text) throws Unfit {
        int length = text.length();
        for (int start = 0; start < length;) {
            int end = Math.min(start + PIECE, length);
            if (end < length && Character.isHighSurrogate(text.charAt(end - 1))) {
                end++;
            }
            putPiece(text, start, end);
            start = end;
        }
    }

    private void putPiece(String text, int start, int end) throws Unfit {
        int length = end - start;
        ensure(3 * length);
        // Characters are looked at in an array: to ask the string for each was what took longest.
        text.getChars(start, end, piece, 0);
        int at = size;
        for (int i = 0; i < length; i++) {
            char c = piece[i];
            if (c < 128 && plain[c]) {
                data[at++] = (byte) c;
            } else if (Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(piece[i + 1])) {
                at = putSurrogates(Character.toCodePoint(c, piece[++i]), at);
            } else {
                at = putOther(c, at);
            }
        }
        size = at;
    }

    /** A character that is escaped or takes more than a byte; returns where the next one goes. */
    private int putOther(char c, int start) throws Unfit {
        int at = start;
        if (c < 128) {
            data[at++] = '\\';
            data[at++] = (byte) (c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
        } else if (c < 0x800) {
            data[at++] = (byte) (0xC0 | c >> 6);
            data[at++] = (byte) (0x80 | c & 0x3F);
        } else if (!Character.isSurrogate(c)) {
            data[at++] = (byte) (0xE0 | c >> 12);
            data[at++] = (byte) (0x80 | c >> 6 & 0x3F);
            data[at++] = (byte) (0x80 | c & 0x3F);
        } else {
            throw new Unfit("the text holds half a character, which UTF-8 cannot hold");
        }
        return at;
    }

    private int putSurrogates(int point, int start) {
        data[start] = (byte) (0xF0 | point >> 18);
        data[start + 1] = (byte) (0x80 | point >> 12 & 0x3F);
        data[start + 2] = (byte) (0x80 | point >> 6 & 0x3F);
        data[start + 3] = (byte) (0x80 | point & 0x3F);
        return start + 4;
    }

    void putHex(byte[] source, int length) throws Unfit {
        ensure(2L * length);
        for (int i = 0; i < length; i++) {
            data[size++] = HEX[source[i] >> 4 & 15];
            data[size++] = HEX[source[i] & 15];
        }
    }

    private void ensure(long more) throws Unfit {
        if (size + more <= data.length) {
            return;
        }
        if (size + more > LIMIT) {
            throw new Unfit("the value is larger than 2 GB, which is more than can be moved at once");
        }
        data = Arrays.copyOf(data, (int) Math.min(LIMIT, Math.max(size + more, 2L * data.length)));
    }
}
