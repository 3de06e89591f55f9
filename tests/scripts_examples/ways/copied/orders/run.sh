#!/bin/bash
cd /opt/etl/orders || exit 1
source /opt/etl/connect.sh
jrunner $FROM_SHOP $INTO_DW -sq /opt/etl/orders/pull.sql -dt orders -c
