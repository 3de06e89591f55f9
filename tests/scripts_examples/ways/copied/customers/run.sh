#!/bin/bash
source /opt/etl/connect.sh
cd "/opt/etl/customers"
jrunner $FROM_SHOP $INTO_DW -sq pull.sql -dt customers -c
