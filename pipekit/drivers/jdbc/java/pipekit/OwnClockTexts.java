// Dates and times on their way to MySQL and MariaDB, as texts that they read as they are. Knows no table.
package pipekit;

import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;

/** Their drivers shift old days and know no negative times; the session's zone is UTC, so an instant is its UTC clock. */
final class OwnClockTexts {
    private OwnClockTexts() {
    }

    static String spell(Target target, String text) throws Unfit {
        String found = find(target.kind, text);
        if (found == null && !target.exact && target.kind == Kind.OWN_DATE) {
            String whole = find(Kind.OWN_TIMESTAMP, text);
            found = whole == null ? null : whole.substring(0, 10);
        }
        if (found == null) {
            throw new Unfit(Unfit.show(text) + " is not a value that the column can hold");
        }
        int point = found.indexOf('.');
        if (target.exact && point >= 0 && found.length() - point - 1 > target.scale) {
            throw new Unfit(Unfit.show(text) + " has more than " + target.scale + " digits of a second");
        }
        return found;
    }

    private static String find(Kind kind, String text) {
        switch (kind) {
            case OWN_DATE:
                return Clock.date(text);
            case OWN_TIME:
                return Clock.span(text);
            default:
                return findTimestamp(text);
        }
    }

    private static String findTimestamp(String text) {
        String plain = Clock.timestamp(text);
        if (plain != null) {
            return plain;
        }
        String date = text.length() == 10 ? Clock.date(text) : null;
        if (date != null) {
            return date + " 00:00:00";
        }
        String zoned = Clock.zonedTimestamp(text);
        if (zoned == null) {
            return null;
        }
        if (zoned.endsWith("Z")) {
            return zoned.substring(0, zoned.length() - 1);
        }
        try {
            OffsetDateTime utc = OffsetDateTime.parse(zoned.replace(' ', 'T')).withOffsetSameInstant(ZoneOffset.UTC);
            return Clock.timestamp(ClockCells.withSeconds(utc.toLocalDateTime().toString()));
        } catch (DateTimeException error) {
            return null;
        }
    }
}
