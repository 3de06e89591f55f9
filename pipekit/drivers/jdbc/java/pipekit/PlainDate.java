// A date from the driver's own value, for a driver that makes its text of it slowly. Knows no block and no batch.
package pipekit;

import java.sql.Date;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.TimeZone;

/**
 * jt400 keeps year, month and day, and sets a calendar to them for a Date: in UTC, and where both calendars of Java agree,
 * that is the day. Its text needs the calendar's fields as well. The first value of a column is held against its text.
 */
final class PlainDate implements Cell {
    private static final long DAY_MS = 86_400_000L;
    private static final long FIRST_DAY = LocalDate.of(1582, 10, 25).toEpochDay();

    private final Cell usual;
    private boolean known;
    private boolean isSame;

    PlainDate(Cell usual) {
        this.usual = usual;
    }

    /** Whether Java's own zone is UTC, which `jvm.start` asks for. */
    static boolean isPossible() {
        TimeZone zone = TimeZone.getDefault();
        return zone.getRawOffset() == 0 && !zone.useDaylightTime();
    }

    @Override
    public boolean write(ResultSet rows, int column, Bytes out) throws SQLException, Unfit {
        if (known && !isSame) {
            return usual.write(rows, column, out);
        }
        Date value = rows.getDate(column);
        if (value == null) {
            return false;
        }
        long day = Math.floorDiv(value.getTime(), DAY_MS);
        if (day < FIRST_DAY || day * DAY_MS != value.getTime()) {
            return usual.write(rows, column, out);
        }
        LocalDate date = LocalDate.ofEpochDay(day);
        if (!known) {
            isSame = date.toString().equals(ClockCells.date(rows, column));
            known = true;
        }
        if (!isSame || date.getYear() > 9999) {
            return usual.write(rows, column, out);
        }
        out.putDate(date.getYear(), date.getMonthValue(), date.getDayOfMonth());
        return true;
    }
}
