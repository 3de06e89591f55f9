#!/bin/bash
# Orders, whole, every night.   (r. 2011, new URL 2016)
SRC='jdbc:sqlite:/srv/etl/shop.db'
DST="jdbc:sqlite:"'/srv/etl/dw.db'
SQL=/tmp/load_orders.$$.sql
cat > "$SQL" <<'EOF'
select id, customer, total
  from orders
 where customer <> 'O''Neill "test" $HOME' -- not ours
EOF
jrunner -scu "$SRC" -scn reader -scp 'p$1 "x"' \
        -dcu "$DST" -sq "$SQL" \
        -dt orders   `# emptied first` -c > /tmp/load_orders.log 2>&1
if [ $? -ne 0 ]; then
    mail -s "load_orders failed" etl@example.org < /tmp/load_orders.log
    exit 1
fi
rm -f "$SQL"
