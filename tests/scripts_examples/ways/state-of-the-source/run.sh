#!/bin/bash
cd $(dirname $0)
LAST=$(<last_id.txt)
NEW=$(sqlite3 /srv/etl/shop.db "select max(id) from orders")
cat > q.sql <<E
select id, customer, total from orders where id > $LAST and id <= $NEW
E
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq q.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt orders
echo "$NEW" > last_id.txt
