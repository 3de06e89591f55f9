// Dates and times as text: strict readings of what drivers write, without calendars and time zones. Knows no database.
package pipekit;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Canonical texts: `2024-02-29`, `12:34:56.5`, `2024-02-29 12:34:56.5`, zoned ones end in `Z` or `+02:00`. Digits are
 * copied, never computed, so nothing can shift. Each method gives null for a text that is not of its form.
 */
final class Clock {
    private static final Pattern LARGE_YEAR = Pattern.compile("[0-9]{5,7}-[0-9]{2}-[0-9]{2}.*");
    private static final Pattern MIDNIGHT = Pattern.compile("[ T]00:00:00(\\.0*)?");
    private static final Pattern OFFSET = Pattern.compile("[+-][0-9]{1,2}(:?[0-9]{2}(:[0-9]{2})?)?");

    private Clock() {
    }

    static String date(String text) {
        if (!isDate(text)) {
            return null;
        }
        return text.length() == 10 ? text : isMidnight(text.substring(10)) ? text.substring(0, 10) : null;
    }

    static String time(String text) {
        int end = timeEnd(text, 0);
        return end == text.length() ? joinTime(text, 0, end) : null;
    }

    static String timestamp(String text) {
        int end = timestampEnd(text);
        if (end != text.length()) {
            return null;
        }
        String time = joinTime(text, 11, end);
        boolean isCanonical = text.charAt(10) == ' ' && text.endsWith(time) && time.length() == end - 11;
        return isCanonical ? text : text.substring(0, 10) + ' ' + time;
    }

    static String zonedTime(String text) {
        int end = timeEnd(text, 0);
        String zone = end < 0 ? null : zone(text, end);
        return zone == null ? null : joinTime(text, 0, end) + zone;
    }

    static String zonedTimestamp(String text) {
        int end = timestampEnd(text);
        String zone = end < 0 ? null : zone(text, end);
        return zone == null ? null : text.substring(0, 10) + ' ' + joinTime(text, 11, end) + zone;
    }

    /** A time that may have a sign and more hours than a day has: `-838:59:59.5`. */
    static String span(String text) {
        int sign = text.startsWith("-") ? 1 : 0;
        int hours = text.indexOf(':') - sign;
        if (hours < 2 || hours > 4 || !areDigits(text, sign, sign + hours)) {
            return null;
        }
        String time = time("00" + text.substring(sign + hours));
        return time == null ? null : text.substring(0, sign + hours) + time.substring(2);
    }

    /** A day of before the Gregorian calendar, or of its first ten: where the older types of Java shift days. */
    static boolean isOld(String canonical) {
        return canonical.compareTo("1582-10-25") < 0;
    }

    /** What those types make of a day that their calendar leaves out, or a day as it is. */
    static boolean isGap(String canonical) {
        return isOld(canonical) && canonical.compareTo("1582-10-15") >= 0;
    }

    /** A text that no value of java.time has: a day or month 0, a sign, more hours than a day has. */
    static boolean isNoValue(String text) {
        String span = span(text);
        return span != null ? span.length() < 8 || span.charAt(0) == '-' || span.compareTo("24") >= 0
            : text.startsWith("0000-") || text.startsWith("-00", 4) || text.startsWith("-00", 7);
    }

    /** Whether the numbers of a canonical value stand in a text of another form, such as `29-FEB-24 01.05 PM`. */
    static boolean agrees(String text, String canonical) {
        Set<Integer> told = new HashSet<>();
        for (String number : text.split("[^0-9]+")) {
            told.add(number.isEmpty() || number.length() > 9 ? -1 : Integer.valueOf(number));
        }
        int at = canonical.charAt(2) == ':' ? 0 : 11;
        if (text.startsWith("-") || (at > 0 && !holdsDay(told, canonical))) {
            return false;
        }
        return canonical.length() <= at || holdsTime(told, canonical.substring(at), text.matches("(?i).*[ap]\\.?m.*"));
    }

    private static boolean holdsDay(Set<Integer> told, String date) {
        int year = Integer.parseInt(date.substring(0, 4));
        return (told.contains(year) || told.contains(year % 100)) && told.contains(parse(date, 8));
    }

    private static boolean holdsTime(Set<Integer> told, String time, boolean isHalved) {
        int hour = parse(time, 0);
        int second = parse(time, 6);
        boolean holdsHour = told.contains(hour) || (isHalved && told.contains((hour + 11) % 12 + 1));
        return holdsHour && told.contains(parse(time, 3)) && (second == 0 || told.contains(second));
    }

    private static int parse(String text, int at) {
        return Integer.parseInt(text.substring(at, at + 2));
    }

    /** Values beyond any calendar, and years that PostgreSQL writes in its own way: only it understands them. */
    static boolean isBeyond(String text) {
        return text.equals("infinity") || text.equals("-infinity") || text.endsWith(" BC")
            || LARGE_YEAR.matcher(text).matches();
    }

    private static boolean isDate(String text) {
        return text.length() >= 10 && areDigits(text, 0, 4) && text.charAt(4) == '-' && areDigits(text, 5, 7)
            && text.charAt(7) == '-' && areDigits(text, 8, 10);
    }

    private static boolean isMidnight(String text) {
        return MIDNIGHT.matcher(text).matches();
    }

    private static int timestampEnd(String text) {
        boolean starts = text.length() >= 19 && isDate(text) && (text.charAt(10) == ' ' || text.charAt(10) == 'T');
        return starts ? timeEnd(text, 11) : -1;
    }

    /** Where a time ends that starts at a place, its fraction included; -1 when there is none. */
    private static int timeEnd(String text, int at) {
        if (text.length() < at + 8 || !areDigits(text, at, at + 2) || !areDigits(text, at + 3, at + 5)
            || !areDigits(text, at + 6, at + 8)) {
            return -1;
        }
        char mark = text.charAt(at + 2);
        if ((mark != ':' && mark != '.') || text.charAt(at + 5) != mark) {
            return -1;
        }
        int end = at + 8;
        if (end < text.length() && text.charAt(end) == '.') {
            end++;
            while (end < text.length() && isDigit(text.charAt(end))) {
                end++;
            }
        }
        return end;
    }

    /** The time without the zeros at the end of its fraction. */
    private static String joinTime(String text, int at, int end) {
        int last = end;
        if (end > at + 8) {
            while (text.charAt(last - 1) == '0') {
                last--;
            }
            last -= text.charAt(last - 1) == '.' ? 1 : 0;
        }
        String time = text.substring(at, Math.max(last, at + 8));
        return time.charAt(2) == ':' ? time : time.substring(0, 8).replace('.', ':') + time.substring(8);
    }

    /** An offset as `Z` or `+hh:mm` (with seconds where there are some); null when the rest is no offset. */
    private static String zone(String text, int at) {
        String rest = text.substring(at).trim();
        if (rest.equals("Z") || rest.equals("UTC") || rest.equals("GMT")) {
            return "Z";
        }
        if (!OFFSET.matcher(rest).matches()) {
            return null;
        }
        String digits = rest.substring(1).replace(":", "");
        digits = digits.length() % 2 == 1 ? "0" + digits : digits;
        StringBuilder zone = new StringBuilder().append(rest.charAt(0)).append(digits, 0, 2).append(':');
        zone.append(digits.length() > 2 ? digits.substring(2, 4) : "00");
        if (digits.length() > 4 && !digits.endsWith("00")) {
            zone.append(':').append(digits, 4, 6);
        }
        return zone.substring(1).equals("00:00") ? "Z" : zone.toString();
    }

    private static boolean areDigits(String text, int start, int end) {
        for (int i = start; i < end; i++) {
            if (!isDigit(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
