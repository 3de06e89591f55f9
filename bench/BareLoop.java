// What the driver alone can give: every cell as text, kept nowhere. Knows nothing of Pipekit.
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

/** `BareLoop DRIVER URL USER QUERY FETCH`: prints rows, characters, and the seconds from the query to the last row. */
public final class BareLoop {
    public static void main(String[] argv) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", argv[2]);
        login.setProperty("password", "bench");
        java.sql.Driver driver = (java.sql.Driver) Class.forName(argv[0]).getDeclaredConstructor().newInstance();
        try (Connection connection = driver.connect(argv[1], login)) {
            connection.setAutoCommit(false);
            Statement statement = connection.createStatement();
            statement.setFetchSize(Integer.parseInt(argv[4]));
            long began = System.nanoTime();
            ResultSet rows = statement.executeQuery(argv[3]);
            int columns = rows.getMetaData().getColumnCount();
            long read = 0;
            long characters = 0;
            while (rows.next()) {
                read++;
                for (int column = 1; column <= columns; column++) {
                    String text = rows.getString(column);
                    characters += text == null ? 0 : text.length();
                }
            }
            System.out.println(read + " " + characters + " " + (System.nanoTime() - began) / 1e9);
        }
        System.exit(0);
    }
}
