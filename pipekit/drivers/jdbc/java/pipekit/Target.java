// A column that is to be filled, as its driver describes it. Knows no value.
package pipekit;

import java.nio.charset.StandardCharsets;

/** `code` is of java.sql.Types; the size is of digits, characters or bytes
 * (0: not known), of an integer its bits; not `exact` means that the database may change values. */
public final class Target {
    final Kind kind;
    final int code;
    final int size;
    final int scale;
    final boolean exact;
    final String source;
    private String[] choices = {};
    private boolean isSet;
    private boolean isUnsigned;
    private OwnCharacters own;
    private int mostBytes;

    /** `source` is `bool` or `bytes` where the texts are COPY's spelling of these, else empty. */
    public Target(String kind, int code, int size, int scale, boolean exact, String source) {
        this.kind = Kind.valueOf(kind);
        this.code = code;
        this.size = size;
        this.scale = scale;
        this.exact = exact;
        this.source = source;
    }

    /** The same for an integer without a sign. */
    public Target unsigned() {
        isUnsigned = true;
        return this;
    }

    /** The same for a column that takes one of some texts only, or (a set) some of them between commas. */
    public Target choosing(String[] texts, boolean many) {
        choices = texts.clone();
        isSet = many;
        return this;
    }

    /** The same for texts of one code page that the driver would not keep whole. */
    public Target within(OwnCharacters characters) {
        own = characters;
        return this;
    }

    /** The same where a text's length counts in bytes of UTF-8. */
    public Target inBytes(int most) {
        mostBytes = most;
        return this;
    }

    /** Refuses what the driver would not send as it is. */
    void check(String text) throws Unfit {
        if (own != null) {
            own.check(text);
        }
        int bytes = mostBytes > 0 ? text.getBytes(StandardCharsets.UTF_8).length : 0;
        if (bytes > mostBytes) {
            throw new Unfit(Unfit.show(text) + " has " + bytes + " bytes, more than the " + mostBytes + " of the column");
        }
    }

    /** The smallest integer; a byte has a sign in most databases and none in some, which refuse the other half. */
    long least() {
        return isUnsigned ? 0 : size < 64 ? -(1L << size - 1) : Long.MIN_VALUE;
    }

    long most() {
        if (isUnsigned && size < 63) {
            return (1L << size) - 1;
        }
        return size == 8 ? 255 : size < 64 ? (1L << size - 1) - 1 : Long.MAX_VALUE;
    }

    /** Whether a text is among those that the column takes, in the order of its definition where it is a set. */
    boolean allows(String text) {
        if (choices.length == 0 || (isSet && text.isEmpty())) {
            return true;
        }
        int from = 0;
        for (String part : isSet ? text.split(",", -1) : new String[] {text}) {
            while (from < choices.length && !choices[from].equals(part)) {
                from++;
            }
            if (from++ == choices.length) {
                return false;
            }
        }
        return true;
    }
}
