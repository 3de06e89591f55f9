# Shared by all jobs. Source it, then call load and run_sql.
SHOP=jdbc:sqlite:/srv/etl/shop.db
DW_FILE=/srv/etl/dw.db

log()     { echo "$(date '+%F %T') $*" >> /tmp/etl.log; }
die()     { log "$*"; echo "$*" | mail -s "etl: $JOB" etl@example.org; exit 1; }
run_sql() { sqlite3 "$DW_FILE"; }
ask()     { sqlite3 "$DW_FILE" "$1" | tr -d '\r\n'; }

# load QUERY TABLE [FLAGS]
load() {
    local query="$1" table="$2"; shift 2
    echo "$query" > "/tmp/$JOB.sql"
    nice -n 5 jrunner -scu "$SHOP" -sq "/tmp/$JOB.sql" -dcu "jdbc:sqlite:$DW_FILE" -dt "$table" "$@" \
        || die "load of $table failed"
}
