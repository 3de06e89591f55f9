#!/bin/sh
v=`sqlite3 /srv/etl/dw.db "select max(id) from $1"`
echo "${v:-0}"
