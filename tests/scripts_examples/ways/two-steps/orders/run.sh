#!/bin/sh
cd `dirname $0` || exit 1
. ../connect.env
SINCE=`sqlite3 $DW_FILE "select max(changed) from orders"`
[ -z "$SINCE" ] && SINCE=1900-01-01
sed -e "s/:since/'$SINCE'/" pull.sql > /tmp/orders_pull.sql
jrunner -scu jdbc:sqlite:$SHOP_FILE -dcu jdbc:sqlite:$DW_FILE -sq /tmp/orders_pull.sql -dt stage_orders -c || exit 2
sqlite3 $DW_FILE < insert.sql || exit 3
