#!/bin/bash
JOB=customers
. "$(dirname "$0")/lib/etl.sh"
load "select id, name from customers" customers -c
log done
