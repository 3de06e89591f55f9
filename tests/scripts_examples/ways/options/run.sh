#!/bin/bash
FROM=0
TABLE=orders
while getopts "f:h" opt; do
    case $opt in
        f) FROM="$OPTARG" ;;
        h) echo "run.sh [-f FROM]"; exit 0 ;;
        *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
query=$(mktemp)
trap 'rm -f "$query"' EXIT
echo "select id, customer, total from $TABLE where id >= $FROM" > "$query"
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq "$query" -dcu jdbc:sqlite:/srv/etl/dw.db -dt $TABLE -c
