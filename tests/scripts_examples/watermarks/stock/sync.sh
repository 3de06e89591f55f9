#!/bin/bash
# Stock movements are only ever added.
cd "$(dirname "$0")"
. ../passwords.sh
export PGPASSWORD=$PG_PASS
LAST=`psql -h 127.0.0.1 -p 5432 -U postgres -d dw -At -c "select coalesce(max(id), 0) from public.stock"`
sed "s/@LAST@/$LAST/g" pull.sql > /tmp/stock.$$.sql
jrunner -scu "jdbc:postgresql://127.0.0.1:5432/erp" -scn postgres -scp $ERP_PASS -sq /tmp/stock.$$.sql \
    -dcu jdbc:postgresql://127.0.0.1:5432/dw -dcn postgres -dcp $PG_PASS -dt public.stock
