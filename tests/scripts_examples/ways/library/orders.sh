#!/bin/bash
JOB=orders
. "$(dirname "$0")/lib/etl.sh"
since=$(ask "select max(id) from orders")
load "select id, customer, total from orders where id > ${since:-0}" orders
echo "update loads set n = n + 1 where name = 'orders'" | run_sql
log done
