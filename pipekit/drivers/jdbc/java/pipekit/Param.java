// One parameter of an INSERT, fed from text. Knows no table.
package pipekit;

import java.sql.PreparedStatement;
import java.sql.SQLException;

/** How a column's texts become values of the statement. */
interface Param {
    /** Sets a parameter (from 1) to what the text means; never called for NULL. */
    void bind(PreparedStatement insert, int index, String text) throws SQLException, Unfit;
}
