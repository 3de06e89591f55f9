#!/bin/bash
# load.sh TABLE [KEY]   with a key the rows that come replace those of the same key
set -e
[ $# -ge 1 ] || { echo "usage: $0 TABLE [KEY]" >&2; exit 64; }
table=$1; key=$2
cd "$(dirname "$0")"
q=sql/$table.sql
if [ -n "$key" ]; then
    jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq $q -dcu jdbc:sqlite:/srv/etl/dw.db -dt stage_$table -c
    sqlite3 /srv/etl/dw.db "delete from $table where $key in (select $key from stage_$table);
        insert into $table select * from stage_$table;"
else
    jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq $q -dcu jdbc:sqlite:/srv/etl/dw.db -dt $table -c
fi
