#!/usr/bin/env bash
set -euo pipefail
HERE=$(cd -- "$(dirname -- "$0")" && pwd)
LOCK=/tmp/careful.lock
if ! mkdir "$LOCK" 2>/dev/null; then
    echo "still running" >&2
    exit 0
fi
trap 'rmdir "$LOCK"' EXIT
TABLES=(customers
        orders)
declare -i tries
for t in "${TABLES[@]}"; do
    tries=0
    until timeout 3600 jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq "$HERE/${t}.sql" \
              -dcu jdbc:sqlite:/srv/etl/dw.db -dt "${t^^}" -c; do
        tries=$((tries + 1))
        [[ $tries -lt 3 ]] || { echo "$t failed" | mail -s etl etl@example.org; exit 1; }
        sleep 60
    done
done
