#!/bin/bash
if [ -f /tmp/stop ]; then
    echo stopped
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq "$(dirname "$0")/orders.sql" -dcu jdbc:sqlite:/srv/etl/dw.db -dt orders -c
