#!/bin/sh
cat <<E
select id, customer, total
from $1
where id > $2
E
