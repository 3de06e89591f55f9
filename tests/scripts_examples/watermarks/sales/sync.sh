#!/bin/bash
# New and changed sales, by the time of their last change.
DIR=$(cd "$(dirname "$0")" && pwd)
source "$DIR/../passwords.sh"
ERP="jdbc:postgresql://127.0.0.1:5432/erp?user=postgres"
DW="jdbc:postgresql://127.0.0.1:5432/dw"

SINCE=$(jrunner -scu "$DW" -scn postgres -scp "$PG_PASS" -sq "$DIR/since.sql" -f csv | tail -n 1 | tr -d '"')
if [ -z "$SINCE" ]; then
    SINCE='1900-01-01'
fi

TMP=$(mktemp)
cat > "$TMP" <<SQL
select sale_id, article, pieces, changed_at
from sales
where changed_at >= '$SINCE'
SQL

jrunner -scu "$ERP" -scp "$ERP_PASS" -sq "$TMP" -dcu "$DW" -dcn postgres -dcp "$PG_PASS" -dt stage.sales -c
psql "host=127.0.0.1 port=5432 user=postgres dbname=dw password=$PG_PASS" <<'SQL'
begin;
delete from public.sales d using stage.sales s where d.sale_id = s.sale_id;
insert into public.sales (sale_id, article, pieces, changed_at)
select s.sale_id, s.article, s.pieces, s.changed_at from stage.sales s;
commit;
SQL
rm -f "$TMP"
