// Walks a result row by row, in blocks bounded by rows, bytes and time. Knows not what a block is made of.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** The part that all readers share: where the result stands, how much is fetched at once, and what was lost of it. */
public abstract class RowReader {
    private static final int FIRST_FETCH = 64;
    private static final int LARGEST_FETCH = 20_000;
    private static final long FETCH_BYTES = 2 << 20;
    // What a driver's object for a cell takes in memory beside the value.
    private static final long CELL_BYTES = 48;
    private static final long GIVE_EVERY_NS = 300_000_000L;

    protected final ResultSet rows;
    private final int maxRows;
    private final int maxBytes;
    private final BadValues bad;
    private volatile long done;
    private long nextLook = FIRST_FETCH;
    private long bytesDone;
    private long rowsLooked;
    private long bytesLooked;
    private boolean ended;

    protected RowReader(ResultSet rows, BadValues bad, int maxRows, int maxBytes) {
        this.rows = rows;
        this.bad = bad;
        this.maxRows = maxRows;
        this.maxBytes = maxBytes;
    }

    /** The next block, null at the end of the result. Throws Unfit with the column and row it is about. */
    public final Block next() throws SQLException, Unfit {
        int count = 0;
        long began = System.nanoTime();
        while (!ended && count < maxRows && size() < maxBytes) {
            if (!rows.next()) {
                ended = true;
                bad.hear(rows.getWarnings(), done + 1);
                bad.end(done);
                break;
            }
            count++;
            done++;
            readCells();
            if (bad.look(done)) {
                undoRow(count);
                readCells();
                bad.count(done);
            }
            endRow(count);
            if (done == nextLook) {
                adaptFetch(bytesDone + size());
            }
            if ((count & 15) == 0 && System.nanoTime() - began > GIVE_EVERY_NS) {
                break;
            }
        }
        bytesDone += size();
        return count == 0 ? null : take(count);
    }

    /** How many rows the driver has given. */
    public final long done() {
        return done;
    }

    /** Reads the current row's cells; those that are bad are NULL. */
    private void readCells() throws SQLException, Unfit {
        for (int column = 0; column < width(); column++) {
            if (bad.isBad(column)) {
                putNull(column);
                continue;
            }
            try {
                readCell(column);
            } catch (Unfit unfit) {
                unfit.column = column;
                unfit.row = done;
                throw unfit;
            } catch (SQLException | RuntimeException | OutOfMemoryError error) {
                if (!isBad(column, error)) {
                    throw error;
                }
            }
        }
    }

    /** Whether a cell that threw is one that becomes NULL; what the value is at fault for is refused by its place. */
    private boolean isBad(int column, Throwable error) throws Unfit {
        bad.fail(column, done, error);
        if (bad.isBad(column)) {
            return true;
        }
        if (error instanceof OutOfMemoryError) {
            throw place("the value does not fit into Java's memory", error, column);
        }
        String state = error instanceof SQLException ? ((SQLException) error).getSQLState() : null;
        if (state != null && state.startsWith("22")) {
            throw place(error.getMessage(), error, column);
        }
        return false;
    }

    private Unfit place(String reason, Throwable cause, int column) {
        Unfit unfit = new Unfit(reason);
        unfit.initCause(cause);
        unfit.column = column;
        unfit.row = done;
        return unfit;
    }

    /** Asks the driver to fetch about FETCH_BYTES at once, by the size of the rows just seen. */
    private void adaptFetch(long bytes) {
        long average = (bytes - bytesLooked) / Math.max(1, done - rowsLooked) + CELL_BYTES * width();
        long fetch = Math.max(1, Math.min(LARGEST_FETCH, FETCH_BYTES / average));
        try {
            rows.setFetchSize((int) Math.min(fetch, 8 * done));
        } catch (SQLException error) {
            // A hint only: a driver may refuse it.
        }
        rowsLooked = done;
        bytesLooked = bytes;
        nextLook = done + Math.min(4 * done, LARGEST_FETCH);
    }

    protected abstract int width();

    protected abstract int size();

    protected abstract void readCell(int column) throws SQLException, Unfit;

    /** Writes NULL for a cell of the row in hand. */
    protected abstract void putNull(int column) throws Unfit;

    /** Forgets what was read of a row, the `count`th of its block. */
    protected abstract void undoRow(int count);

    protected abstract void endRow(int count) throws Unfit;

    protected abstract Block take(int count) throws Unfit;
}
