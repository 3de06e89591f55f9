#!/bin/bash
cd "$(dirname "$0")"
export PGHOST=127.0.0.1 PGPORT=5432 PGUSER=postgres PGDATABASE=dw PGPASSWORD=quince7
LAST_CHANGE=$(grep '^LAST_CHANGE=' sync.conf | cut -d= -f2)
cat > /tmp/changed.sql <<E
select id, customer, total, changed from orders where changed >= '$LAST_CHANGE'
E
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq /tmp/changed.sql \
        -dcu jdbc:postgresql://127.0.0.1:5432/dw -dcn postgres -dcp "$PGPASSWORD" -dt stage.orders -c
psql -v ON_ERROR_STOP=1 -q <<'SQL'
\set dest public.orders
begin;
delete from :dest d using stage.orders s where d.id = s.id;
insert into :dest (id, customer, total, changed) select s.id, s.customer, s.total, s.changed from stage.orders s;
commit;
SQL
NOW=$(psql -Atc "select max(changed)::date from public.orders")
sed -i "s/^LAST_CHANGE=.*/LAST_CHANGE=$NOW/" sync.conf
