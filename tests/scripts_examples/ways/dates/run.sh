#!/bin/ksh
# The last three days again, whatever happened to them.
DAY=$(date -d '-3 days' +%Y-%m-%d)
cd "${0%/*}"
sed "s/%DAY%/$DAY/g" pull.sql > /tmp/days.sql
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq /tmp/days.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt stage_orders -c
sqlite3 /srv/etl/dw.db "
delete from orders where day in (select day from stage_orders);
insert into orders (id, total, day) select id, total, day from stage_orders"
