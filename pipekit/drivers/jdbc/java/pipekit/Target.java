// A column that is to be filled, as its driver describes it. Knows no value.
package pipekit;

/** `code` is of java.sql.Types; the size is of digits, characters or bytes
 * (0: not known), of an integer its bits; not `exact` means that the database may change values. */
public final class Target {
    final Kind kind;
    final int code;
    final int size;
    final int scale;
    final boolean exact;
    final String source;

    /** `source` is `bool` or `bytes` where the texts are COPY's spelling of these, else empty. */
    public Target(String kind, int code, int size, int scale, boolean exact, String source) {
        this.kind = Kind.valueOf(kind);
        this.code = code;
        this.size = size;
        this.scale = scale;
        this.exact = exact;
        this.source = source;
    }
}
