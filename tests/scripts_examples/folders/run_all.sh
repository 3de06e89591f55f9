#!/bin/bash
# What cron starts.
cd "$(dirname "$0")"
for job in customers orders; do
    ./$job/run.sh || echo "$job failed" | mail -s etl root
done
