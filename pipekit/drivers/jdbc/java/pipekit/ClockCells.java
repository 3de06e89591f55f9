// Dates and times of a result as canonical text: the driver's own where it is exact, else java.time. No output here.
package pipekit;

import java.sql.Date;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;

/** Each method gives null for NULL and throws Unfit for a value whose text cannot be told exactly. */
final class ClockCells {
    private ClockCells() {
    }

    static String date(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text == null) {
            return null;
        }
        String known = Clock.date(text);
        if (known != null || Clock.isBeyond(text)) {
            return known != null ? known : text;
        }
        Object value = find(rows, column, LocalDate.class);
        Date old = value == null ? rows.getDate(column) : null;
        return checked(Clock.date(String.valueOf(old != null ? old : value)), text, "date");
    }

    static String time(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.time(text);
        if (text == null || known != null) {
            return known;
        }
        Object value = find(rows, column, LocalTime.class);
        if (value == null) {
            Time old = rows.getTime(column);
            value = old == null ? null : old.toLocalTime().plusNanos(Math.floorMod(old.getTime(), 1000L) * 1_000_000);
        }
        return checked(Clock.time(withSeconds(String.valueOf(value))), text, "time");
    }

    static String timestamp(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text == null) {
            return null;
        }
        String known = Clock.timestamp(text);
        if (known != null || Clock.isBeyond(text)) {
            return known != null ? known : text;
        }
        Object value = find(rows, column, LocalDateTime.class);
        Timestamp old = value == null ? rows.getTimestamp(column) : null;
        return checked(Clock.timestamp(withSeconds(String.valueOf(old != null ? old : value))), text, "timestamp");
    }

    static String zonedTime(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.zonedTime(text);
        if (text == null || known != null) {
            return known;
        }
        OffsetTime value = find(rows, column, OffsetTime.class);
        String found = value == null ? "" : withSeconds(value.toLocalTime().toString()) + value.getOffset();
        return checked(Clock.zonedTime(found), text, "time with a time zone");
    }

    static String zonedTimestamp(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        if (text == null) {
            return null;
        }
        String known = Clock.zonedTimestamp(text);
        if (known != null || Clock.isBeyond(text)) {
            return known != null ? known : text;
        }
        OffsetDateTime value = find(rows, column, OffsetDateTime.class);
        String found = value == null ? "" : withSeconds(value.toLocalDateTime().toString()) + value.getOffset();
        return checked(Clock.zonedTimestamp(found), text, "timestamp with a time zone");
    }

    /** java.time leaves out seconds that are zero. */
    private static String withSeconds(String text) {
        return text.matches(".*[0-9]{2}:[0-9]{2}") && !text.matches(".*:[0-9]{2}:[0-9]{2}") ? text + ":00" : text;
    }

    /** The value as a type of java.time, null where the driver cannot give it. */
    private static <T> T find(ResultSet rows, int column, Class<T> type) {
        try {
            return rows.getObject(column, type);
        } catch (SQLException | RuntimeException | AbstractMethodError error) {
            return null;
        }
    }

    private static String checked(String found, String text, String what) throws Unfit {
        if (found == null) {
            throw new Unfit(Unfit.show(text) + " is not a " + what + " that can be read exactly");
        }
        return found;
    }
}
