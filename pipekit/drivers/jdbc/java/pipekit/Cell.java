// One cell of a result written as text. Knows no block and no batch.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;

/** How the cells of a column become text. */
interface Cell {
    /** Writes the text of a column (from 1) of the current row; false when it is NULL. */
    boolean write(ResultSet rows, int column, Bytes out) throws SQLException, Unfit;
}
