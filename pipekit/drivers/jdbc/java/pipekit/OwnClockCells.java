// Dates and times as the server itself wrote them, for MySQL and MariaDB. No output here.
package pipekit;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.temporal.Temporal;
import java.util.function.UnaryOperator;

/**
 * Their drivers' texts are made from values: 2020-00-00 becomes 2019-11-30, 1582-10-10 another day. The bytes of a
 * result that travelled as text are what the server wrote. A driver that does not give these must be of one mind with
 * its own java.time, except for texts that no such value has.
 */
final class OwnClockCells {
    private OwnClockCells() {
    }

    static String date(ResultSet rows, int column) throws SQLException, Unfit {
        return read(rows, column, Clock::date, LocalDate.class);
    }

    /** From -838:59:59 to 838:59:59: it is a span as well as a time of day. */
    static String time(ResultSet rows, int column) throws SQLException, Unfit {
        return read(rows, column, Clock::span, LocalTime.class);
    }

    static String timestamp(ResultSet rows, int column) throws SQLException, Unfit {
        return read(rows, column, Clock::timestamp, LocalDateTime.class);
    }

    /** The session's zone is UTC, so that the clock that arrives is that of the instant. */
    static String instant(ResultSet rows, int column) throws SQLException, Unfit {
        String text = timestamp(rows, column);
        return text == null ? null : text + "+00:00";
    }

    private static String read(
        ResultSet rows, int column, UnaryOperator<String> form, Class<? extends Temporal> type)
        throws SQLException, Unfit {
        byte[] bytes;
        try {
            bytes = rows.getBytes(column);
        } catch (SQLException error) {
            return readText(rows, column, form, type);
        }
        if (bytes == null) {
            return null;
        }
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        return checked(form.apply(text), text);
    }

    private static String readText(
        ResultSet rows, int column, UnaryOperator<String> form, Class<? extends Temporal> type)
        throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text == null) {
            return null;
        }
        String known = checked(form.apply(text), text);
        if (Clock.isNoValue(known)) {
            return known;
        }
        Temporal value = ClockCells.find(rows, column, type);
        String found = value == null ? "" : form.apply(ClockCells.withSeconds(value.toString()));
        return checked(known.equals(found) ? known : null, text);
    }

    private static String checked(String found, String text) throws Unfit {
        if (found == null) {
            throw new Unfit(Unfit.show(text) + " is not a date or time that can be read exactly");
        }
        return found;
    }
}
