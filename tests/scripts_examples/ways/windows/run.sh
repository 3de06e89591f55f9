#!/bin/bash
cd "$(dirname "$0")"
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq pull.sql -dcu jdbc:sqlite:/srv/etl/dw.db -dt stage_orders -c
sqlite3 /srv/etl/dw.db < insert.sql
