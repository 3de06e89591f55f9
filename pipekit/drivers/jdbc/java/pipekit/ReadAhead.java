// Reads a result in a thread of its own, a block or two ahead of whoever takes them. Knows not what a block holds.
package pipekit;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A reader and its thread. `close` ends the statement when it is still under way. */
public final class ReadAhead {
    private static final int AHEAD = 2;
    private static final long PATIENCE_MS = 2_000;
    private static final Object END = new Object();

    private final RowReader reader;
    private final Statement statement;
    private final ArrayBlockingQueue<Object> ready = new ArrayBlockingQueue<>(AHEAD);
    private final Thread thread = new Thread(this::read, "pipekit-reader");
    private volatile boolean closing;
    private boolean ended;

    public ReadAhead(RowReader reader, Statement statement) {
        this.reader = reader;
        this.statement = statement;
        thread.setDaemon(true);
        thread.start();
    }

    /** The next block, null at the end; throws what the reader threw. */
    public Block take() throws SQLException, Unfit, InterruptedException {
        if (ended) {
            return null;
        }
        Object item = ready.take();
        if (item instanceof Block) {
            return (Block) item;
        }
        ended = true;
        if (item instanceof SQLException) {
            throw (SQLException) item;
        }
        if (item instanceof Unfit) {
            throw (Unfit) item;
        }
        if (item instanceof Throwable) {
            throw new SQLException(item.toString(), (Throwable) item);
        }
        return null;
    }

    /**
     * Ends the reading: a statement that is still running is cancelled, and where that does not help its connection is
     * closed. False when neither helped: then nothing more must be asked of that connection, it would wait as well.
     */
    public boolean close() throws InterruptedException {
        closing = true;
        if (thread.isAlive() && !ended) {
            stop(statement::cancel);
        }
        if (!hasEnded()) {
            // Not every driver can cancel between two fetches, and `abort` asks for permissions that later Javas lack.
            stop(() -> statement.getConnection().abort(Runnable::run));
            Thread closer = new Thread(() -> stop(() -> statement.getConnection().close()), "pipekit-closer");
            closer.setDaemon(true);
            closer.start();
        }
        ended = true;
        return hasEnded();
    }

    /** A step that may fail. */
    private interface Step {
        void run() throws SQLException;
    }

    private static void stop(Step step) {
        try {
            step.run();
        } catch (SQLException | RuntimeException | AbstractMethodError error) {
            // The next, harder step follows.
        }
    }

    /** Waits for the thread, but not for long. */
    private boolean hasEnded() throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
        while (thread.isAlive() && System.nanoTime() < until) {
            ready.clear();
            thread.join(20);
        }
        return !thread.isAlive();
    }

    private void read() {
        try {
            Object last = readAll();
            while (!closing && !ready.offer(last, 100, TimeUnit.MILLISECONDS)) {
                continue;
            }
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private Object readAll() throws InterruptedException {
        try {
            Block block = reader.next();
            while (block != null && !closing) {
                while (!closing && !ready.offer(block, 100, TimeUnit.MILLISECONDS)) {
                    continue;
                }
                block = reader.next();
            }
            return END;
        } catch (SQLException | Unfit | RuntimeException | Error error) {
            return error;
        }
    }
}
