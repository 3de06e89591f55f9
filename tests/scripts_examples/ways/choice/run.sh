#!/bin/bash
# "run.sh full" after a mess, else only what is new
cd "$(dirname "$0")"
HAVE=$(sqlite3 -batch /srv/etl/dw.db 'select coalesce(max(id), 0) from orders')
if [ "$1" = full ]; then
    SQ=full.sql
    CLEAR=-c
else
    sed "s/HAVE/$HAVE/" new.sql > /tmp/new.sql
    SQ=/tmp/new.sql
    CLEAR=
fi
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq $SQ -dcu jdbc:sqlite:/srv/etl/dw.db -dt orders $CLEAR
