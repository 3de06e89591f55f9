// Reads PostgreSQL's COPY text cell by cell. Knows no table.
package pipekit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Whole rows: one line a row, cells between tabs, `\N` for NULL, backslash escapes. */
final class CopyCells {
    private final byte[] data;
    private int at;

    CopyCells(byte[] data) {
        this.data = data;
    }

    boolean hasMore() {
        return at < data.length;
    }

    int position() {
        return at;
    }

    void moveTo(int position) {
        at = position;
    }

    /** The next cell, null for NULL; the end of the cell is the start of the next one. */
    String next() throws Unfit {
        int start = at;
        boolean escaped = false;
        boolean ascii = true;
        int end = start;
        for (; end < data.length && data[end] != '\t' && data[end] != '\n'; end++) {
            escaped |= data[end] == '\\';
            ascii &= data[end] >= 0;
        }
        at = end + 1;
        if (!escaped) {
            return ascii ? new String(data, start, end - start, StandardCharsets.US_ASCII) : decode(data, start, end);
        }
        if (end - start == 2 && data[start + 1] == 'N') {
            return null;
        }
        byte[] plain = unescape(start, end);
        return decode(plain, 0, plain.length);
    }

    private byte[] unescape(int start, int end) {
        ByteArrayOutputStream plain = new ByteArrayOutputStream(end - start);
        for (int i = start; i < end; i++) {
            if (data[i] == '\\' && i + 1 < end) {
                int place = "bfnrtv".indexOf(data[++i]);
                plain.write(place < 0 ? data[i] : "\b\f\n\r\t\u000b".charAt(place));
            } else {
                plain.write(data[i]);
            }
        }
        return plain.toByteArray();
    }

    private static String decode(byte[] bytes, int start, int end) throws Unfit {
        try {
            ByteBuffer part = ByteBuffer.wrap(bytes, start, end - start);
            return StandardCharsets.UTF_8.newDecoder().decode(part).toString();
        } catch (CharacterCodingException error) {
            throw new Unfit("the text is not valid in UTF-8");
        }
    }
}
