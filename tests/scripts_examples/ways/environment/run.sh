#!/bin/bash
# FROM_ID=4711 ./run.sh  loads again from there
: "${DW:=jdbc:sqlite:/srv/etl/dw.db}"
sed "s/@FROM@/${FROM_ID:-2}/" "$(dirname "$0")/orders.sql.tmpl" > /tmp/orders_env.sql
exec jrunner -scu "${SHOP:-jdbc:sqlite:/srv/etl/shop.db}" -sq /tmp/orders_env.sql -dcu "$DW" -dt orders -c
