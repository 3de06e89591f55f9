#!/bin/bash
ERP=jdbc:postgresql://127.0.0.1:5432/erp
DW=jdbc:postgresql://localhost:5432/dw
PW=quince7
LAST=$(PGPASSWORD=$PW psql -h localhost -U loader dw -At -F ' ' -c "select coalesce(max(id), 0) from stock")
echo "select id, article, pieces from stock where id > $LAST" > /tmp/stock.sql
jrunner -scu "$ERP" -scn reader -scp $PW -sq /tmp/stock.sql -dcu "$DW" -dcn loader -dcp $PW -dt stock
