// Dates and times as parameters: java.time where the driver takes it, else the older types. Knows no table.
package pipekit;

import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;

/** Remembers whether the driver takes java.time. */
final class ClockParam implements Param {
    private static final int NANOS = 9;
    private static final int WITH_NANOS = "2024-02-29 13:05:09.123456789".length();

    private final Target target;
    private boolean isModern = true;

    ClockParam(Target target) {
        this.target = target;
    }

    @Override
    public void bind(PreparedStatement insert, int index, String text) throws SQLException, Unfit {
        String plain = target.kind == Kind.TIMESTAMP && text.length() > WITH_NANOS ? Clock.timestamp(text) : null;
        if (plain != null && plain.length() > WITH_NANOS) {
            bindFine(insert, index, plain);
            return;
        }
        TemporalAccessor value = parse(text);
        if (isModern) {
            try {
                insert.setObject(index, value);
                return;
            } catch (SQLException | RuntimeException | AbstractMethodError error) {
                isModern = false;
            }
        }
        bindOld(insert, index, text, value);
    }

    /** A timestamp with more digits of a second than java.time has; a column that has them is given the text. */
    private void bindFine(PreparedStatement insert, int index, String text) throws SQLException, Unfit {
        String cut = text.substring(0, WITH_NANOS);
        parse(cut);
        if (target.exact && target.scale >= 0 && text.length() > WITH_NANOS - NANOS + target.scale) {
            throw new Unfit(Unfit.show(text) + " has more than " + target.scale + " digits of a second");
        }
        if (target.scale > NANOS) {
            insert.setString(index, text);
        } else {
            bind(insert, index, cut);
        }
    }

    private TemporalAccessor parse(String text) throws Unfit {
        TemporalAccessor value;
        try {
            value = parseKind(text);
        } catch (DateTimeException error) {
            value = null;
        }
        if (value == null) {
            throw new Unfit(Unfit.show(text) + " is not a value that the column can hold");
        }
        return value;
    }

    private TemporalAccessor parseKind(String text) throws Unfit {
        switch (target.kind) {
            case DATE:
                return parseDate(text);
            case TIME:
                String time = Clock.time(text);
                return time == null ? null : cutFraction(LocalTime.parse(time), text);
            case TIMESTAMP:
                return cutFraction(parseTimestamp(text), text);
            case TIMETZ:
                String zoned = Clock.zonedTime(text);
                return cutFraction(OffsetTime.parse(zoned != null ? zoned : text + "Z"), text);
            default:
                return cutFraction(parseZoned(text), text);
        }
    }

    private TemporalAccessor parseDate(String text) throws Unfit {
        String date = Clock.date(text);
        if (date == null && !target.exact) {
            LocalDateTime whole = parseTimestamp(text);
            return whole == null ? null : whole.toLocalDate();
        }
        return date == null ? null : LocalDate.parse(date);
    }

    private static LocalDateTime parseTimestamp(String text) {
        String plain = Clock.timestamp(text);
        if (plain != null) {
            return LocalDateTime.parse(plain.replace(' ', 'T'));
        }
        String date = text.length() == 10 ? Clock.date(text) : null;
        if (date != null) {
            return LocalDate.parse(date).atStartOfDay();
        }
        OffsetDateTime zoned = parseZoned(text);
        return zoned == null ? null : zoned.withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime();
    }

    private static OffsetDateTime parseZoned(String text) {
        String zoned = Clock.zonedTimestamp(text);
        if (zoned != null) {
            return OffsetDateTime.parse(zoned.replace(' ', 'T'));
        }
        String plain = Clock.timestamp(text);
        return plain == null ? null : LocalDateTime.parse(plain.replace(' ', 'T')).atOffset(ZoneOffset.UTC);
    }

    /** A fraction of a second that the column has no digits for is refused, or left to the database. */
    private TemporalAccessor cutFraction(TemporalAccessor value, String text) throws Unfit {
        if (value == null || !target.exact || target.scale < 0 || target.scale >= 9) {
            return value;
        }
        int step = 1;
        for (int i = target.scale; i < 9; i++) {
            step *= 10;
        }
        if (value.get(ChronoField.NANO_OF_SECOND) % step != 0) {
            throw new Unfit(Unfit.show(text) + " has more than " + target.scale + " digits of a second");
        }
        return value;
    }

    private void bindOld(PreparedStatement insert, int index, String text, TemporalAccessor value)
        throws SQLException, Unfit {
        if (value instanceof LocalDate) {
            Date date = Date.valueOf((LocalDate) value);
            check(date.toLocalDate().equals(value), text);
            insert.setDate(index, date);
        } else if (value instanceof LocalDateTime) {
            Timestamp timestamp = Timestamp.valueOf((LocalDateTime) value);
            check(timestamp.toLocalDateTime().equals(value), text);
            insert.setTimestamp(index, timestamp);
        } else if (value instanceof LocalTime && ((LocalTime) value).getNano() == 0) {
            insert.setTime(index, Time.valueOf((LocalTime) value));
        } else {
            insert.setString(index, text);
        }
    }

    /** The older types know days that are in no calendar, and miss some around 1582. */
    private static void check(boolean same, String text) throws Unfit {
        if (!same) {
            throw new Unfit(Unfit.show(text) + " is not a day that the driver can be given");
        }
    }
}
