// Loads drivers from their jars and lets them connect. Knows no URL and no kind of database.
package pipekit;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** One class loader for each jar, whoever asks: an embedded database may be loaded only once. */
public final class Drivers {
    private static final Map<String, ClassLoader> LOADERS = new HashMap<>();

    private Drivers() {
    }

    /** The driver class of a jar, named by the hash of its content; `file` is read when the jar is new. */
    public static synchronized Driver load(String hash, String file, String className)
        throws ReflectiveOperationException, MalformedURLException {
        ClassLoader loader = LOADERS.get(hash);
        if (loader == null) {
            URL[] jars = {new File(file).toURI().toURL()};
            loader = new URLClassLoader(jars, ClassLoader.getPlatformClassLoader());
            LOADERS.put(hash, loader);
        }
        return (Driver) Class.forName(className, true, loader).getDeclaredConstructor().newInstance();
    }

    /** Whether `load` needs no file for this jar any more. */
    public static synchronized boolean isLoaded(String hash) {
        return LOADERS.containsKey(hash);
    }

    /**
     * Connects in a thread of its own, as few drivers keep a limit of time themselves. Null when the driver does not
     * take the URL; TimeoutException when it takes too long, and what it still brings is closed.
     */
    public static Connection connect(Driver driver, String url, Properties login, long timeoutMs)
        throws SQLException, InterruptedException, TimeoutException {
        AtomicBoolean isLate = new AtomicBoolean();
        FutureTask<Connection> task = new FutureTask<>(() -> closeLate(driver.connect(url, login), isLate));
        Thread thread = new Thread(task, "pipekit-connect");
        thread.setDaemon(true);
        thread.setContextClassLoader(driver.getClass().getClassLoader());
        thread.start();
        try {
            return task.get(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (TimeoutException error) {
            isLate.set(true);
            throw error;
        } catch (ExecutionException error) {
            if (error.getCause() instanceof SQLException) {
                throw (SQLException) error.getCause();
            }
            throw new SQLException(error.getCause().toString(), error.getCause());
        }
    }

    private static Connection closeLate(Connection connection, AtomicBoolean isLate) throws SQLException {
        if (isLate.get() && connection != null) {
            connection.close();
        }
        return connection;
    }
}
