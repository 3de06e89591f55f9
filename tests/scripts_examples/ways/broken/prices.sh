#!/bin/bash
jrunner -scu "$PRICES_URL" -sq "$(dirname "$0")/prices.sql" -dcu jdbc:sqlite:/srv/etl/dw.db -dt prices -c
