// Dates and times of a result as canonical text: the driver's own, or a value of java.time that is it. No output here.
package pipekit;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;

/**
 * Each method gives null for NULL and throws Unfit for a value whose text cannot be told exactly. The older types,
 * java.sql.Date and its like, are never asked: they wrap times, shift days of before 1582 and know no more than
 * milliseconds.
 */
final class ClockCells {
    private ClockCells() {
    }

    static String date(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.date(text);
        if (text == null || (known != null && !Clock.isOld(known))) {
            return known;
        }
        if (Clock.isBeyond(text)) {
            return text;
        }
        LocalDate value = find(rows, column, LocalDate.class);
        return choose(known, value == null ? null : Clock.date(value.toString()), text, "date");
    }

    static String time(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.time(text);
        if (text == null || known != null) {
            return known;
        }
        LocalTime value = find(rows, column, LocalTime.class);
        return choose(null, value == null ? null : Clock.time(withSeconds(value.toString())), text, "time");
    }

    static String timestamp(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.timestamp(text);
        if (text == null || (known != null && !Clock.isOld(known))) {
            return known;
        }
        if (Clock.isBeyond(text)) {
            return text;
        }
        LocalDateTime value = find(rows, column, LocalDateTime.class);
        String found = value == null ? null : Clock.timestamp(withSeconds(value.toString()));
        return choose(known, found, text, "timestamp");
    }

    static String zonedTime(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.zonedTime(text);
        if (text == null || known != null) {
            return known;
        }
        OffsetTime value = find(rows, column, OffsetTime.class);
        String found = value == null ? "" : withSeconds(value.toLocalTime().toString()) + value.getOffset();
        return choose(null, Clock.zonedTime(found), text, "time with a time zone");
    }

    static String zonedTimestamp(ResultSet rows, int column) throws SQLException, Unfit {
        String text = rows.getString(column);
        String known = text == null ? null : Clock.zonedTimestamp(text);
        if (text == null || known != null) {
            return known;
        }
        if (Clock.isBeyond(text)) {
            return text;
        }
        OffsetDateTime value = find(rows, column, OffsetDateTime.class);
        String found = value == null ? "" : withSeconds(value.toLocalDateTime().toString()) + value.getOffset();
        return choose(null, Clock.zonedTimestamp(found), text, "timestamp with a time zone");
    }

    /** java.time leaves out seconds that are zero. */
    static String withSeconds(String text) {
        return text.matches(".*[0-9]{2}:[0-9]{2}") && !text.matches(".*:[0-9]{2}:[0-9]{2}") ? text + ":00" : text;
    }

    /** The value as a type of java.time, null where the driver cannot give it. */
    static <T> T find(ResultSet rows, int column, Class<T> type) {
        try {
            return rows.getObject(column, type);
        } catch (SQLException | RuntimeException | AbstractMethodError error) {
            return null;
        }
    }

    /**
     * What the driver's text and its value of java.time agree upon. `known` is the text in canonical form, null where
     * it has another; `found` is the value's, null where the driver gives none.
     */
    private static String choose(String known, String found, String text, String what) throws Unfit {
        if (known != null && found == null && !Clock.isGap(known)) {
            return known;
        }
        if (known != null && found != null && !known.equals(found)) {
            throw new Unfit("the driver tells " + Unfit.show(text) + " as text and " + found + " as a value");
        }
        if (found == null || (known == null && !Clock.agrees(text, found))) {
            throw new Unfit(Unfit.show(text) + " is not a " + what + " that can be read exactly");
        }
        return found;
    }
}
