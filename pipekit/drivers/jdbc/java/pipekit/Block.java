// What a reader hands over: whole rows. Knows not how they were read.
package pipekit;

/** Rows as COPY text, or as the columns of a batch. */
public final class Block {
    public final int rows;
    public final byte[] text;
    public final ArrowColumn.Part[] parts;

    Block(int rows, byte[] text, ArrowColumn.Part[] parts) {
        this.rows = rows;
        this.text = text;
        this.parts = parts;
    }
}
