#!/bin/bash
cd "$(dirname "$0")"
SINCE=$(./since.sh orders)
./make_query.sh orders "$SINCE" > /tmp/made.sql
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq /tmp/made.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt orders
