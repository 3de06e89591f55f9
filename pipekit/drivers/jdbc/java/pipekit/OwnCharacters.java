// The characters that a column of one code page has, asked of the Toolbox driver's own tables. Knows no table.
package pipekit;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** jt400 itself puts a substitute for a character that a code page lacks, and says nothing. */
public final class OwnCharacters {
    private static final String CONVERTER = "com.ibm.as400.access.CharConverter";

    private final int ccsid;
    private final Object converter;
    private final Method encode;
    private final Method decode;

    /** `connection` is one of the driver's; throws for a CCSID that the driver has no table for. */
    public OwnCharacters(Object connection, int ccsid) throws ReflectiveOperationException {
        Class<?> type = Class.forName(CONVERTER, true, connection.getClass().getClassLoader());
        this.ccsid = ccsid;
        converter = type.getConstructor(int.class).newInstance(ccsid);
        encode = type.getMethod("stringToByteArray", String.class);
        decode = type.getMethod("byteArrayToString", byte[].class);
    }

    /** Throws for a text that would not come back as it is. */
    void check(String text) throws Unfit {
        try {
            if (!text.equals(decode.invoke(converter, encode.invoke(converter, text)))) {
                throw new Unfit(Unfit.show(text) + " holds a character that CCSID " + ccsid + " lacks");
            }
        } catch (IllegalAccessException | InvocationTargetException error) {
            throw new Unfit(Unfit.show(text) + " cannot be written in CCSID " + ccsid);
        }
    }
}
