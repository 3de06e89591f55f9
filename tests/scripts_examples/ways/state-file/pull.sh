#!/bin/bash
# Only what is new. last_id is what we had the last time.
cd "$(dirname "$0")"
STATE=/var/lib/etl/orders.last_id
if [ -s "$STATE" ]; then
    LAST=$(cat "$STATE")
else
    LAST=0
fi
echo "select id, customer, total from orders where id > $LAST" > /tmp/orders_new.sql
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq /tmp/orders_new.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt orders
sqlite3 /srv/etl/dw.db "select max(id) from orders" > "$STATE"
