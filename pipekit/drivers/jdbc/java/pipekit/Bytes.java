// Bytes that grow: the text of a block, or the data of a column. Knows COPY's escapes and UTF-8.
package pipekit;

import java.util.Arrays;

/** A growing byte array; `escaping` writes text as a cell of PostgreSQL's COPY text. */
final class Bytes {
    // A piece of text is encoded at once; no character takes more than three bytes, an escaped one takes two.
    private static final int PIECE = 4096;
    private static final int LIMIT = Integer.MAX_VALUE - 64;
    private static final byte[] HEX = "0123456789ABCDEF".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final boolean[] PLAIN = new boolean[128];

    static {
        Arrays.fill(PLAIN, true);
        for (char special : "\\\t\n\r".toCharArray()) {
            PLAIN[special] = false;
        }
    }

    private final boolean escaping;
    private final int usual;
    private byte[] data;
    private int size;

    Bytes(int usual, boolean escaping) {
        this.usual = usual;
        this.escaping = escaping;
        this.data = new byte[usual];
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

    void putLong(long value) throws Unfit {
        if (value == Long.MIN_VALUE) {
            putAscii("-9223372036854775808");
            return;
        }
        ensure(20);
        long rest = value;
        if (rest < 0) {
            data[size++] = '-';
            rest = -rest;
        }
        int end = size + countDigits(rest);
        size = end;
        do {
            data[--end] = (byte) ('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
    }

    private static int countDigits(long value) {
        int digits = 1;
        for (long rest = value / 10; rest != 0; rest /= 10) {
            digits++;
        }
        return digits;
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
        ensure(3 * (end - start));
        byte[] to = data;
        int at = size;
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            if (c < 128) {
                if (escaping && !PLAIN[c]) {
                    to[at++] = '\\';
                    to[at++] = (byte) (c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
                } else {
                    to[at++] = (byte) c;
                }
            } else if (c < 0x800) {
                to[at++] = (byte) (0xC0 | c >> 6);
                to[at++] = (byte) (0x80 | c & 0x3F);
            } else if (!Character.isSurrogate(c)) {
                to[at++] = (byte) (0xE0 | c >> 12);
                to[at++] = (byte) (0x80 | c >> 6 & 0x3F);
                to[at++] = (byte) (0x80 | c & 0x3F);
            } else {
                if (!Character.isHighSurrogate(c) || i + 1 == end || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw new Unfit("the text holds half a character, which UTF-8 cannot hold");
                }
                int point = Character.toCodePoint(c, text.charAt(++i));
                to[at++] = (byte) (0xF0 | point >> 18);
                to[at++] = (byte) (0x80 | point >> 12 & 0x3F);
                to[at++] = (byte) (0x80 | point >> 6 & 0x3F);
                to[at++] = (byte) (0x80 | point & 0x3F);
            }
        }
        size = at;
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
