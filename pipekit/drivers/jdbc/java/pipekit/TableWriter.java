// Fills a table from COPY text by batches of a prepared INSERT. Commits nothing; knows not where the rows come from.
package pipekit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.Arrays;

/** A batch is bounded by rows, parameters and bytes: large ones have hung drivers for good. */
public final class TableWriter implements AutoCloseable {
    private static final int MAX_ROWS = 1000;
    private static final int MAX_PARAMETERS = 32_000;
    private static final int MAX_BYTES = 512 * 1024;

    private final Connection connection;
    private final PreparedStatement insert;
    private final Target[] targets;
    private final Param[] params;
    private final boolean batches;
    private final boolean undoes;
    private final int batchRows;
    private long done;

    public TableWriter(Connection connection, String sql, Target[] targets, boolean batches) throws SQLException {
        this.connection = connection;
        this.targets = targets;
        this.batches = batches;
        params = Arrays.stream(targets).map(Params::of).toArray(Param[]::new);
        undoes = connection.getTransactionIsolation() != Connection.TRANSACTION_NONE;
        batchRows = Math.max(1, Math.min(MAX_ROWS, MAX_PARAMETERS / targets.length));
        insert = connection.prepareStatement(sql);
    }

    /** Writes a block of whole rows; the rows written so far. */
    public long write(byte[] block) throws SQLException, Unfit, RowFailed {
        CopyCells cells = new CopyCells(block);
        int start = 0;
        int count = 0;
        while (cells.hasMore()) {
            bindRow(cells, done + count + 1);
            count++;
            if (batches) {
                insert.addBatch();
            }
            if (!batches || count == batchRows || cells.position() - start >= MAX_BYTES || !cells.hasMore()) {
                send(cells, start, count);
                done += count;
                start = cells.position();
                count = 0;
            }
        }
        return done;
    }

    @Override
    public void close() throws SQLException {
        insert.close();
    }

    private void bindRow(CopyCells cells, long row) throws SQLException, Unfit {
        int column = 0;
        try {
            for (column = 0; column < params.length; column++) {
                String text = cells.next();
                if (text == null) {
                    insert.setNull(column + 1, targets[column].code);
                } else {
                    params[column].bind(insert, column + 1, text);
                }
            }
        } catch (Unfit unfit) {
            unfit.column = column;
            unfit.row = row;
            throw unfit;
        } catch (SQLException error) {
            throw refuse(error, column, row);
        }
    }

    /** What a driver refuses while it is bound was not sent yet: the column is known. */
    private static Unfit refuse(SQLException error, int column, long row) throws SQLException {
        if (error.getSQLState() == null || !error.getSQLState().startsWith("22")) {
            throw error;
        }
        Unfit unfit = new Unfit(error.getMessage());
        unfit.initCause(error);
        unfit.column = column;
        unfit.row = row;
        return unfit;
    }

    private void send(CopyCells cells, int start, int count) throws SQLException, Unfit, RowFailed {
        try {
            if (batches) {
                insert.executeBatch();
            } else {
                insert.executeUpdate();
            }
            checkWarnings();
        } catch (SQLException error) {
            throw batches ? findRow(cells, start, count, error) : new RowFailed(done + 1, error);
        }
    }

    private void checkWarnings() throws SQLException {
        SQLWarning first = insert.getWarnings();
        if (first != null) {
            insert.clearWarnings();
            Warnings.check(first, true);
        }
    }

    /**
     * The row of a refused batch that is at fault: the load is undone and the batch's rows are tried one by one. No row
     * where nothing can be undone, or where all of them are taken now.
     */
    private RowFailed findRow(CopyCells cells, int start, int count, SQLException error) throws Unfit {
        try {
            if (!undoes) {
                return new RowFailed(0, error);
            }
            connection.rollback();
            insert.clearBatch();
            cells.moveTo(start);
            for (int i = 1; i <= count; i++) {
                bindRow(cells, done + i);
                try {
                    insert.executeUpdate();
                    checkWarnings();
                } catch (SQLException refused) {
                    return new RowFailed(done + i, refused);
                }
            }
        } catch (SQLException lost) {
            error.addSuppressed(lost);
        }
        return new RowFailed(0, error);
    }
}
