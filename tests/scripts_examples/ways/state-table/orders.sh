#!/bin/bash
DB=/srv/etl/dw.db
FROM=$(sqlite3 "$DB" "select coalesce(max(until), '1900-01-01') from etl_state where name = 'orders'")
printf "select id, customer, total, changed from orders where changed > '%s'\n" "$FROM" > /tmp/orders_state.sql
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq /tmp/orders_state.sql -dcu "jdbc:sqlite:$DB" -dt in_orders -c
sqlite3 "$DB" <<'SQL'
begin;
insert into orders (id, customer, total, changed)
  select id, customer, total, changed from in_orders where true
  on conflict (id) do update set customer = excluded.customer, total = excluded.total, changed = excluded.changed;
insert into etl_state (name, until) select 'orders', max(changed) from orders;
commit;
SQL
