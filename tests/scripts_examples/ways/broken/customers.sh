#!/bin/bash
jrunner -scu jdbc:sqlite:/srv/etl/shop.db -sq "$(dirname "$0")/customers.sql" -dcu jdbc:sqlite:/srv/etl/dw.db -dt customers -c
