#!/bin/bash
# Orders, all of them, every night.
set -euo pipefail
cd "$(dirname "$0")"
. ../env.sh

echo "orders: $(date)" >> /var/log/etl.log
$JRUNNER -scu "$SHOP_URL" \
         -dcu "$DW_URL" -dcn "$DW_USER" -dcp "$DW_PASSWORD" \
         -sq pull.sql -dt stage.orders -c -b

PGPASSWORD=$DW_PASSWORD psql -h 127.0.0.1 -p 5432 -U "$DW_USER" -d dw -v ON_ERROR_STOP=1 -f insert.sql
