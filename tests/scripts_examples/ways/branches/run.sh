#!/bin/bash
cd "$(dirname "${BASH_SOURCE[0]}")"
while IFS='|' read -r branch file; do
    case "$branch" in \#*|'') continue ;; esac
    cat > /tmp/branch.sql <<EOF
select id, total, '$branch' as branch from orders
EOF
    jrunner -scu "jdbc:sqlite:/srv/etl/$file" -sq /tmp/branch.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt "orders_$branch" -c
done < branches.lst
