// What a reader hands over: whole rows. Knows not how they were read.
package pipekit;

import java.nio.ByteBuffer;

/** Rows as COPY text, or as the columns of a batch; in direct buffers, which Python reads where they are. */
public final class Block {
    public final int rows;
    public final ByteBuffer text;
    public final ArrowColumn.Part[] parts;

    Block(int rows, ByteBuffer text, ArrowColumn.Part[] parts) {
        this.rows = rows;
        this.text = text;
        this.parts = parts;
    }
}
