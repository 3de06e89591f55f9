// Walks a result row by row, in blocks bounded by rows, bytes and time. Knows not what a block is made of.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** The part that all readers share: where the result stands, how much the driver fetches at once, and its warnings. */
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
    private long done;
    private long nextLook = FIRST_FETCH;
    private long bytesDone;
    private long rowsLooked;
    private long bytesLooked;
    private boolean ended;

    protected RowReader(ResultSet rows, int maxRows, int maxBytes) {
        this.rows = rows;
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
                Warnings.check(rows.getWarnings());
                break;
            }
            count++;
            done++;
            readRow(count);
            Warnings.check(rows.getWarnings());
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

    private void readRow(int count) throws SQLException, Unfit {
        int column = -1;
        try {
            for (column = 0; column < width(); column++) {
                readCell(column);
            }
        } catch (Unfit unfit) {
            unfit.column = column;
            unfit.row = done;
            throw unfit;
        } catch (SQLException error) {
            String state = error.getSQLState();
            if (state == null || !state.startsWith("22")) {
                throw error;
            }
            throw place(error.getMessage(), error, column);
        } catch (OutOfMemoryError error) {
            throw place("the value does not fit into Java's memory", error, column);
        }
        endRow(count);
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

    protected abstract void endRow(int count) throws Unfit;

    protected abstract Block take(int count) throws Unfit;
}
