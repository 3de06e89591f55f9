#!/bin/bash
D=$(cd "$(dirname "$0")"; pwd)
. "$D/state.sh"
. "$D/env.sh"
echo "select id, customer, total from $SCHEMA.orders where id > $LAST_ID" > /tmp/sourced.sql
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq /tmp/sourced.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt orders
echo "LAST_ID=`sqlite3 /srv/etl/dw.db 'select max(id) from orders'`" > "$D/state.sh"
