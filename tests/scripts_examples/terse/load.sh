#!/bin/bash
# Everything in one script: a function, and a loop over the tables that are simply replaced.
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"; cd "$HERE"
SRC="-scu jdbc:sqlite:plant.db -scn reader -scp s3cr3t-plum"
DST="-dcu jdbc:sqlite:board.db"

pull() { jrunner $SRC $DST -sq "$1" -dt "$2" $3 || exit 1; }

for t in machines shifts; do
  echo "select * from $t" > /tmp/$t.sql
  pull /tmp/$t.sql $t -c
done

# Readings are corrected later: update what is there, add what is new.
pull readings.sql in_readings -c
sqlite3 board.db "
  update readings set value = s.value, taken_at = s.taken_at from in_readings s where readings.reading_id = s.reading_id;
  insert into readings (reading_id, value, taken_at)
    select reading_id, value, taken_at from in_readings s
    where not exists (select 1 from readings r where r.reading_id = s.reading_id);
  update loaded set n = n + 1;
"
