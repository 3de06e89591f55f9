#!/bin/sh
cd "$(dirname "$0")" || exit 1
. ../env.sh
$JRUNNER -scu "$SHOP_URL" -dcu "$DW_URL" -dcn "$DW_USER" -dcp "$DW_PASSWORD" -sq pull.sql -dt stage.customers -c
export PGPASSWORD="$DW_PASSWORD"
psql -h localhost -p 5432 -U $DW_USER dw < insert.sql
