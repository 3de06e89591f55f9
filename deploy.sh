#!/usr/bin/env bash
# Installs Pipekit on this machine, or brings what is installed up to date. Safe to repeat; holds and prints no secret.
set -euo pipefail
umask 022
export PYTHONDONTWRITEBYTECODE=1

usage() {
    cat <<'TEXT'
Usage: deploy.sh [--with EXTRAS] [--python PATH] [--no-start] [--dry-run]
       deploy.sh --prefix DIR [--create-user] [--with EXTRAS] [--python PATH] [--dry-run]

Run as root from a checkout or an unpacked release. Makes what is missing, mends what differs and leaves the rest alone.

  --with EXTRAS   what else to install, separated by commas: jdbc (Db2 for i and everything over JDBC, with a Java of its
                  own), mssql (SQL Server), alerts (Slack, Teams and others, by apprise); added to what is there, until --with none takes all of them back
  --python PATH   the Python to use, 3.11 or later (default: the system's)
  --no-start      do not enable or start a service that is not running
  --dry-run       only say what would be done
  --prefix DIR    put everything below DIR, to try it out: no service, and no user unless --create-user is given
  --create-user   make the user pipekit with --prefix too
  --help          this text
TEXT
}

fail() {
    printf 'deploy: %s\n' "$@" >&2
    is_told=true
    exit 1
}
is_told=false

# -- what is said and counted ------------------------------------------------------------------------------------------

changes=0
dry_run=false

ok() { printf 'ok: %s\n' "$1"; }

# change TEXT COMMAND...: does it and says so, or only says so.
change() {
    local text=$1
    shift
    if $dry_run; then
        printf 'would: %s\n' "$text"
    else
        "$@"
        printf 'changed: %s\n' "$text"
    fi
    changes=$((changes + 1))
}

# -- options -----------------------------------------------------------------------------------------------------------

prefix="" python="" with="" create_user=false start=true
while (($#)); do
    case $1 in
        --prefix | --python | --with)
            [ -n "${2:-}" ] || fail "$1 needs a value." "Try: deploy.sh --help"
            case $1 in
                --prefix) prefix=$2 ;;
                --python) python=$2 ;;
                --with) with=$2 ;;
            esac
            shift
            ;;
        --create-user) create_user=true ;;
        --no-start) start=false ;;
        --dry-run) dry_run=true ;;
        -h | --help) usage && exit 0 ;;
        *) fail "$1 is not an option." "Try: deploy.sh --help" ;;
    esac
    shift
done
[ -z "$prefix" ] || prefix=$(realpath -ms -- "$prefix")
[ "$prefix" != / ] || fail "--prefix / is this machine itself: leave the option out."
# These paths are written into a unit and a shell script.
[[ "$prefix" =~ ^[A-Za-z0-9_./+@=-]*$ ]] || fail "--prefix may hold letters, digits and _ . / + @ = - only: $prefix"
[[ "$with" =~ ^(none|(alerts|jdbc|mssql)(,(alerts|jdbc|mssql))*)?$ ]] || fail "--with takes alerts, jdbc, mssql, several with commas, or none: $with"
if [ -z "$prefix" ]; then
    create_user=true
    [ "$EUID" = 0 ] || fail "this needs root." "Run: sudo ./deploy.sh    (or try it out: ./deploy.sh --prefix DIR)"
fi
! $create_user || [ "$EUID" = 0 ] || fail "--create-user needs root."

tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
for name in pipekit/migrations pyproject.toml requirements.lock systemd/pipekit.service tools/build_java_archive.py; do
    [ -e "$tree/$name" ] || fail "$tree/$name is missing." "Run deploy.sh from a whole checkout or unpacked release."
done

opt=$prefix/opt/pipekit
link=$opt/.venv
home=$prefix/etc/pipekit
state_dir=$prefix/var/lib/pipekit
state=$state_dir/pipekit.db
launcher=$prefix/usr/local/bin/pipekit
units=$prefix/etc/systemd/system
service=pipekit

# -- users, folders, files ---------------------------------------------------------------------------------------------

has_user() { id -u pipekit >/dev/null 2>&1; }

ensure_user() {
    $create_user || return 0
    if getent group pipekit >/dev/null; then
        ok "group pipekit"
    else
        change "group pipekit" groupadd --system pipekit
    fi
    if has_user; then
        ok "user pipekit"
        return
    fi
    local shell=/usr/sbin/nologin
    [ -x "$shell" ] || shell=/bin/false
    change "user pipekit, without login" useradd --system --gid pipekit --home-dir /var/lib/pipekit --no-create-home \
        --shell "$shell" --comment "Pipekit" pipekit
}

# Numbers, `user:group`: who may change files, who may only read them, who the service is.
find_owners() {
    admin="$(id -u):$(id -g)" reader=$admin keeper=$admin is_separate=false
    if [ "$EUID" = 0 ] && has_user; then
        is_separate=true
        reader="0:$(getent group pipekit | cut -d: -f3)"
        keeper="$(id -u pipekit):${reader#*:}"
    elif $create_user; then # a dry run, before the user is there
        reader="" keeper=""
    fi
}

# as_service COMMAND...: with the rights of the service, and of its environment only what it needs.
as_service() {
    local clean=(env -i PATH="$PATH" HOME="$state_dir" PIPEKIT_HOME="$home" PYTHONDONTWRITEBYTECODE=1)
    if $is_separate; then
        clean=(setpriv --reuid="${keeper%:*}" --regid="${keeper#*:}" --init-groups "${clean[@]}")
    fi
    (cd / && umask 077 && "${clean[@]}" "$@")
}

# ensure_rights PATH MODE OWNER: of something that exists; of a symbolic link, which only root can have put there, it is
# what it leads to that has a mode and an owner.
ensure_rights() {
    local path=$1 mode=$2 owner=$3 found
    found=$(stat -L -c '%a %u:%g' -- "$path")
    if [ "$found" = "$mode ${owner:-${found#* }}" ]; then
        ok "$path"
    else
        change "$path, mode $mode instead of ${found% *}, owner ${owner:-pipekit} instead of ${found#* }" \
            set_rights "$path" "$mode" "$owner"
    fi
}

set_rights() {
    [ -z "$3" ] || chown "$3" -- "$1"
    chmod "$2" -- "$1"
}

ensure_folder() {
    local path=$1 mode=$2 owner=$3
    if [ -d "$path" ]; then
        ensure_rights "$path" "$mode" "$owner"
    else
        change "$path" make_folder "$path" "$mode" "$owner"
    fi
}

make_folder() {
    mkdir -p -- "$(dirname -- "$1")"
    mkdir -m 0700 -- "$1"
    set_rights "$@"
}

# ensure_file PATH MODE OWNER COMMAND...: exactly the text that the command prints.
ensure_file() {
    local path=$1 mode=$2 owner=$3
    if [ ! -e "$path" ]; then
        change "$path" write_file "$@"
    elif "${@:4}" | cmp -s -- - "$path"; then
        ensure_rights "$path" "$mode" "$owner"
    else
        change "$path, new text" write_file "$@"
    fi
}

# keep_file PATH MODE OWNER COMMAND...: the text that the command prints, if there is no such file yet.
keep_file() {
    if [ -e "$1" ]; then
        ensure_rights "$1" "$2" "$3"
    else
        change "$1" write_file "$@"
    fi
}

# Whole or not at all, and never open to more people than it will be in the end.
write_file() {
    local new
    mkdir -p -- "$(dirname -- "$1")"
    new=$(mktemp -- "$(dirname -- "$1")/.deploy-XXXXXX")
    "${@:4}" >"$new"
    set_rights "$new" "$2" "$3"
    mv -f -T -- "$new" "$1"
}

remove_file() {
    if [ -e "$1" ]; then
        change "$1 removed" rm -f -- "$1"
    fi
}

# -- Python ------------------------------------------------------------------------------------------------------------

# The interpreter itself, not the one of an environment, if it can do what is needed.
base_of() {
    "$1" - 2>/dev/null <<'PYTHON'
import os, sqlite3, sys, venv, ensurepip
if sys.version_info < (3, 11) or sqlite3.sqlite_version_info < (3, 37):
    sys.exit(1)
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
PYTHON
}

# A service sees no home folder (ProtectHome), and /root is closed to its user anyway.
is_in_a_home() { [[ -z "$prefix" && "$1" =~ ^/(root|home|run/user)/ ]]; }

find_python() {
    local candidate found
    if [ -n "$python" ]; then
        found=$(base_of "$python") ||
            fail "--python $python is not Python 3.11 or later with venv, ensurepip and SQLite 3.37 or later." \
                "On Debian and Ubuntu: apt-get install python3 python3-venv"
        ! is_in_a_home "$found" ||
            fail "$found lies in a home folder, which the service cannot see." "Name another: --python /usr/bin/python3"
        printf '%s\n' "$found"
        return
    fi
    for candidate in /usr/bin/python3 /usr/local/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        found=$(base_of "$candidate") || continue
        is_in_a_home "$found" || { printf '%s\n' "$found" && return; }
    done
    fail "Python 3.11 or later with venv, ensurepip and SQLite 3.37 or later is needed, outside of home folders." \
        "On Debian 12 and Ubuntu 24.04: apt-get install python3 python3-venv    (or say where it is: --python PATH)"
}

# Sets extras, sorted: those that --with names and those of the deployment before, which `complete` holds.
find_extras() {
    extras=""
    if [ "$with" != none ]; then
        extras=$with
        [ ! -e "$previous/complete" ] || extras+=" $(cat -- "$previous/complete")"
    fi
    extras=$(xargs -n 1 <<<"${extras//,/ }" | sort -u | xargs)
}

has_extra() { [[ " $extras " == *" $1 "* ]]; }

# `version-key`; the key changes with everything the environment is made from.
name_env() {
    "$base" - "$tree" "$extras" <<'PYTHON'
import hashlib, os, re, sys
from pathlib import Path
tree = Path(sys.argv[1])
digest = hashlib.sha256(f"{sys.version}\n{os.path.realpath(sys.executable)}\n{sys.argv[2]}\n".encode())
files = [tree / name for name in ("deploy.sh", "pyproject.toml", "requirements.lock", "tools/build_java_archive.py")]
files += sorted(path for room in ("pipekit", "docs") for path in (tree / room).rglob("*"))
for file in files:
    if file.is_file() and "__pycache__" not in file.parts:
        digest.update(f"{file.relative_to(tree)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
version = re.search(r'^__version__ = "([^"]+)"', (tree / "pipekit/__init__.py").read_text("utf-8"), re.MULTILINE)
print(f"{version[1] if version else 'unknown'}-{digest.hexdigest()[:12]}")
PYTHON
}

# pick_pins NAME...: the lines of the lock for these packages and what they need; without names, for what Pipekit needs
# with the extras asked for. pip refuses whatever would be missing here: with hashes it installs nothing that is not named.
pick_pins() {
    "$base" - "$tree" "$extras" "$@" <<'PYTHON'
import re, sys, tomllib
from pathlib import Path
tree, extras, wanted = Path(sys.argv[1]), sys.argv[2].split(), set(sys.argv[3:])
if not wanted:
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    needs = sum((project["optional-dependencies"][extra] for extra in extras), project["dependencies"])
    wanted = {re.split(r"[\[><=~!; ]", item)[0].lower() for item in needs}
lock = (tree / "requirements.lock").read_text("utf-8")
blocks = {block.split("==")[0]: block for block in re.split(r"^(?=[a-z0-9-]+==)", lock, flags=re.MULTILINE)[1:]}
asked_by = {
    name: set(re.findall(r"[a-z0-9-]+", " ".join(re.findall(r"^    #(?: via)? +(.*)$", block, re.MULTILINE))))
    for name, block in blocks.items()
}
while more := {name for name, others in asked_by.items() if name not in wanted and others & wanted}:
    wanted |= more
print("".join(blocks[name] for name in sorted(wanted)), end="")
PYTHON
}

# The package is built by the pinned build backend, which does not stay; then everything goes into one new environment.
build_env() {
    local pip=("$env/bin/python" -m pip --disable-pip-version-check --no-input -qq)
    rm -rf -- "$env"
    mkdir -p -- "$envs"
    "$base" -m venv "$env"
    export PIP_ROOT_USER_ACTION=ignore
    pick_pins >"$work/run.txt"
    pick_pins hatchling >"$work/build.txt"
    "${pip[@]}" install --require-hashes -r "$work/run.txt"
    "${pip[@]}" install --require-hashes --target "$work/build" -r "$work/build.txt"
    (cd -- "$tree" && PYTHONPATH=$work/build "$env/bin/python" -m hatchling build -t wheel -d "$work/wheel") \
        >"$work/build.log" 2>&1 || { cat -- "$work/build.log" >&2 && fail "The package could not be built."; }
    "${pip[@]}" install --no-deps --no-index "$work"/wheel/*.whl
    "${pip[@]}" check >/dev/null
    "$env/bin/pipekit" --version >/dev/null
    # Named from elsewhere: the tree's own package must not be the one that is found.
    (cd / && "$env/bin/python" "$tree/tools/build_java_archive.py")
    printf '%s\n' "$extras" >"$env/complete"
}

ensure_env() {
    if [ -e "$env/complete" ]; then
        ok "$env"
        return
    fi
    $dry_run || printf 'making %s with %s; this takes a moment\n' "$env" "$base"
    change "$env" build_env
}

# Whole at every moment: who starts `pipekit` now gets the old environment or the new one.
ensure_link() {
    if [ "$(readlink -- "$link" || true)" = "envs/$env_name" ]; then
        ok "$link"
        return
    fi
    [ ! -e "$link" ] || [ -L "$link" ] || fail "$link is in the way." "Move it elsewhere and run this again."
    change "$link is envs/$env_name" switch_link
}

switch_link() {
    ln -sfn -- "envs/$env_name" "$opt/.venv.new"
    mv -f -T -- "$opt/.venv.new" "$link"
}

# The one before stays until the next upgrade: a run from a shell may still be using it.
remove_old_envs() {
    local old
    for old in "$envs"/*/; do
        old=${old%/}
        if [ ! -d "$old" ] || [ "$old" = "$env" ] || [ "$old" = "$previous" ]; then
            continue
        fi
        if [ "$previous" != "$env" ] || [ ! -e "$old/complete" ]; then
            change "$old removed" rm -rf -- "$old"
        fi
    done
}

# -- configuration and state -------------------------------------------------------------------------------------------

config_text() {
    cat <<TEXT
# Pipekit's configuration on this machine. deploy.sh made this file and keeps it as you change it.
# Restart the service after a change: systemctl restart pipekit
state_path: $state
secrets_path: $home/secrets.env
jar_folder: $opt/jars           # the only folder that jars of JDBC drivers are taken from
base_dir: $state_dir          # where relative names of embedded database files start

TEXT
    # The other settings, as `pipekit init` shows them.
    "$env/bin/python" -c 'from pipekit.cli.home import CONFIG_TEXT; print(CONFIG_TEXT, end="")' |
        sed -n '/^# connect_timeout_s/,$p'
}

secrets_text() {
    cat <<'TEXT'
# NAME=value, one a line; `sudo pipekit secrets set NAME` writes here and asks for the value.
TEXT
}

# Sets state, drain_s and runner as config.yaml has them.
read_config() {
    local python=$link/bin/python found
    drain_s=60 runner=native
    [ ! -e "$env/complete" ] || python=$env/bin/python
    [ -x "$python" ] && [ -e "$home/config.yaml" ] || return 0
    found=$(as_service "$python" - <<'PYTHON'
import os, sys
from pipekit.config import load_config
from pipekit.errors import PipekitError
try:
    config = load_config(os.environ)
except PipekitError as error:
    sys.exit("\n".join(f"deploy: {line}" for line in (error.message, error.hint) if line))
print(config.state_path, int(config.drain_s), config.runner, sep="\n")
PYTHON
    ) || fail "Mend $home/config.yaml and run this again."
    { read -r state && read -r drain_s && read -r runner; } <<<"$found"
    [ "$(dirname -- "$state")" != "$home" ] ||
        fail "$home/config.yaml puts the state database into $home, where the service may not write." \
            "Add this line to it: state_path: $state_dir/pipekit.db"
}

# Sets pending (migrations to apply), applied, unregistered (kinds that are built in) and jars (how many registered
# drivers have one). Changes nothing on the disk.
look_at_state() {
    local found kinds
    kinds=$(sed -n 's/^    "\([a-z0-9]*\)": "pipekit\.drivers\..*/\1/p' "$tree/pipekit/drivers/__init__.py" | xargs)
    found=$(as_service "$base" - "$state" "$(cd -- "$tree/pipekit/migrations" && echo *.sql)" "$kinds" <<'PYTHON'
import sqlite3, sys
from pathlib import Path
path, known = Path(sys.argv[1]), [name.removesuffix(".sql") for name in sys.argv[2].split()]
applied, jars, registered = [], 0, set()
if path.exists() and path.stat().st_size:
    # Without a WAL nobody has it open. Then it can be read as it lies; opening it in earnest would leave marks.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=30)
        applied = [name for (name,) in db.execute("SELECT name FROM migrations ORDER BY name")]
        registered = {kind for (kind,) in db.execute("SELECT kind FROM driver")}
        jars = db.execute("SELECT count(*) FROM driver WHERE jar IS NOT NULL AND jar <> ''").fetchone()[0]
    except sqlite3.Error as error:
        sys.exit(f"deploy: {path} is not a Pipekit state database that can be read ({error}).")
unknown = [name for name in applied if name not in known]
if unknown:
    sys.exit(f"deploy: {path} was written by a newer Pipekit (it has {', '.join(unknown)}).")
print(" ".join(name for name in known if name not in applied), " ".join(applied), sep="\n")
print(" ".join(kind for kind in sys.argv[3].split() if kind not in registered), jars, sep="\n")
PYTHON
    ) || fail "Deploy the version that wrote it, or put a copy that was made before an upgrade in its place."
    { read -r pending && read -r applied && read -r unregistered && read -r jars; } <<<"$found"
}

ensure_state() {
    local text="$state, schema made"
    [ -z "$applied" ] || text="$state, schema brought up to date; as it was before: $state.before-${pending%% *}"
    if [ -z "$pending" ]; then
        ok "$state"
    else
        change "$text" bring_state_up_to_date
    fi
}

# `pipekit init` keeps what is there; opening the state applies migrations, after a copy of an older file.
bring_state_up_to_date() {
    as_service "$env/bin/pipekit" init >/dev/null 2>"$work/errors" || {
        cat -- "$work/errors" >&2
        fail "The state database could not be brought up to date; it is as it was before the step that failed." \
            "Mend what is said above and run this again."
    }
    [ -z "$applied" ] || [ -s "$state.before-${pending%% *}" ] || fail "No copy was made of the old $state."
}

# The kinds that are built in stand in the table `driver`: an upsert, which a new version may add to.
ensure_drivers() {
    # Where the schema was made or brought up to date just now, `pipekit init` has done it.
    if [ -z "$unregistered" ] || [ -n "$pending" ]; then
        ok "registered drivers"
    else
        change "registered drivers: $unregistered" register_drivers
    fi
}

register_drivers() { as_service "$env/bin/pipekit" drivers register >/dev/null; }

# -- launcher, unit, service -------------------------------------------------------------------------------------------

launcher_text() {
    local user=""
    ! $create_user && ! $is_separate || user=pipekit
    cat <<TEXT
#!/bin/sh
# \`pipekit\` of this machine, made by deploy.sh: the installation's own files are touched by its own user only.
set -eu
program=$link/bin/pipekit
home=$home
state_dir=$state_dir
user=$user
TEXT
    cat <<'TEXT'
unset PYTHONPATH PYTHONHOME

# The command, and the home that is named before it.
command="" named=${PIPEKIT_HOME:-} option=""
for word in "$@"; do
    case $option$word in
        --home=*) named=${word#--home=} ;;
        --home | --debug | -*) ;;
        home:*) named=$word ;;
        *) command=$word && break ;;
    esac
    if [ "$word" = --home ]; then option=home:; else option=""; fi
done

# Root does what the files of a home say, so they must be root's own.
refuse_strangers() {
    [ "$(id -u)" = 0 ] && [ -d "$1" ] || return 0
    if [ ! -O "$1" ] || [ -n "$(find "$1/" -maxdepth 0 -perm /022)" ]; then
        echo "Error: $1 belongs to another user, or others may write it, and root would do what it says." >&2
        echo "Hint: do it as that user: sudo -u NAME pipekit $command ..." >&2
        exit 2
    fi
}

# A project of one's own, as `pipekit` finds it elsewhere too; and what needs no installation.
if [ -n "$named" ]; then
    if [ "${named%/}" != "$home" ]; then
        refuse_strangers "$named"
        exec "$program" "$@"
    fi
elif [ -d .pipekit ]; then
    refuse_strangers .pipekit
    exec "$program" "$@"
fi
case $command in
    "" | demo | completion) exec "$program" "$@" ;;
esac

export PIPEKIT_HOME="$home"
me=$(id -un)
if [ -z "$user" ] || [ "$me" = "$user" ]; then
    exec "$program" "$@"
fi
if [ "$(id -u)" != 0 ]; then
    echo "Error: The installation in $home belongs to root and the user $user." >&2
    echo "Hint: sudo pipekit $command ..., or name a project of your own: pipekit --home DIR $command ..." >&2
    exit 2
fi
# Only root may write the secrets; everything else is done as the service does it.
if [ "$command" = secrets ]; then
    exec "$program" "$@"
fi
umask 077
export HOME="$state_dir" USER="$user" LOGNAME="$user"
exec setpriv --reuid="$user" --regid="$user" --init-groups --inh-caps=-all "$program" "$@"
TEXT
}

unit_text() {
    local path script=""
    for path in /opt/pipekit /etc/pipekit /var/lib/pipekit; do
        script+="s|\\([ =]\\)$path|\\1$prefix$path|g;"
    done
    sed "$script" "$tree/systemd/pipekit.service"
}

dropin_text() { printf '%s\n' "# Made by deploy.sh: $1." "[Service]" "${@:2}"; }

# Sets java_lines, what the unit needs where Java runs. The extra jdbc brings a Java of its own; an installed jrunner
# needs the machine's.
find_java() {
    java_lines=()
    if ((jars)) && ! has_extra jdbc; then
        fail "$jars registered drivers have a jar, and the extra jdbc, which runs them, is not installed." \
            "Run: deploy.sh ${prefix:+--prefix $prefix }--with jdbc"
    fi
    if [ "$runner" = jrunner ]; then
        find_java_home
        java_lines=("Environment=JAVA_HOME=$java_home")
    fi
    if has_extra jdbc || [ "$runner" = jrunner ]; then java_lines+=(MemoryDenyWriteExecute=no); fi
}

find_java_home() {
    java_home=${JAVA_HOME:-}
    if [ -z "$java_home" ] && command -v java >/dev/null; then
        java_home=$(realpath -- "$(command -v java)")
        java_home=${java_home%/bin/java}
    fi
    [ -x "${java_home:-/nowhere}/bin/java" ] ||
        fail "The runner jrunner needs Java, and there is none${java_home:+ in JAVA_HOME=$java_home}." \
            "On Debian and Ubuntu: apt-get install default-jre-headless    (or set JAVA_HOME for this command)"
    [[ "$java_home" =~ ^[A-Za-z0-9_./+@=-]*$ ]] || fail "JAVA_HOME may hold letters, digits and _ . / + @ = - only."
}

ensure_unit() {
    local dropins=$units/pipekit.service.d
    ensure_file "$units/pipekit.service" 644 "$admin" unit_text
    if ((${#java_lines[@]})); then
        ensure_file "$dropins/50-java.conf" 644 "$admin" dropin_text "runs may use Java" "${java_lines[@]}"
    else
        remove_file "$dropins/50-java.conf"
    fi
    if ((drain_s > 60)); then
        ensure_file "$dropins/50-drain.conf" 644 "$admin" dropin_text "drain_s in config.yaml is $drain_s" \
            "TimeoutStopSec=$((drain_s + 60))"
    else
        remove_file "$dropins/50-drain.conf"
    fi
}

systemd_runs() { [ -z "$prefix" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null; }

is_active() { systemd_runs && systemctl is-active --quiet $service; }

stop_before_upgrade() {
    is_active || return 0
    [ -n "$pending" ] || [ "$(readlink -- "$link" || true)" != "envs/$env_name" ] || return 0
    stopped=true
    change "service stopped for the upgrade" systemctl stop $service
}

# Something the service was started from is newer than it; so an earlier deployment that was cut short is seen too.
is_outdated() {
    local since file
    since=$(date -d "$(systemctl show --property=ActiveEnterTimestamp --value $service)" +%s) || return 0
    for file in "$link" "$units/pipekit.service" "$units"/pipekit.service.d{,/*.conf} "$home/config.yaml"; do
        if [ -e "$file" ] && (($(stat -c %Y -- "$file") > since)); then
            return 0
        fi
    done
    return 1
}

ensure_service() {
    if ! systemd_runs; then
        local why="systemd does not run"
        [ -z "$prefix" ] || why="everything is below $prefix"
        ok "no service to start: $why"
        return
    fi
    if $start && [ "$(systemctl is-enabled $service 2>/dev/null)" = disabled ]; then
        change "service enabled" systemctl enable --quiet $service
    fi
    if $stopped; then
        change "service started again" start_service start
        stopped=false
    elif is_active; then
        if is_outdated; then change "service restarted" start_service restart; else ok "service runs"; fi
    elif $start && { $dry_run || [ "$(systemctl is-enabled $service 2>/dev/null)" = enabled ]; }; then
        change "service started" start_service start
    else
        ok "service is not running, and stays so"
    fi
}

# Units are read again in any case: systemd does not notice a new drop-in by itself.
start_service() {
    systemctl daemon-reload
    systemctl "$1" $service || fail "The service did not start. What it said: journalctl -u $service -n 50"
}

# -- the course of it --------------------------------------------------------------------------------------------------

stopped=false
work=$(mktemp -d)
finish() {
    local code=$?
    rm -rf -- "$work"
    if ((code)) && ! $is_told; then
        echo "deploy: this was not finished. Mend what is said above, if anything, and run it again." >&2
    fi
    if $stopped && ! $dry_run && ((code)); then
        echo "deploy: this failed; starting the service again" >&2
        systemctl daemon-reload || true
        systemctl start $service || true
    fi
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

base=$(find_python)
envs=$opt/envs
previous=$(realpath -m -- "$link")
find_extras
env_name=$(name_env)
env=$envs/$env_name

ensure_user
find_owners
ensure_folder "$opt" 755 "$admin"
if ! $dry_run; then
    exec 9<"$opt"
    flock -n 9 || fail "Another deployment is going on here." "Wait for its end and run this again."
fi
ensure_folder "$opt/jars" 755 "$admin"
ensure_folder "$home" 750 "$reader"
ensure_folder "$state_dir" 700 "$keeper"
ensure_env
keep_file "$home/config.yaml" 640 "$reader" config_text
keep_file "$home/secrets.env" 640 "$reader" secrets_text
read_config
look_at_state
find_java
stop_before_upgrade
ensure_state
ensure_drivers
ensure_link
ensure_file "$launcher" 755 "$admin" launcher_text
ensure_unit
ensure_service
[ ! -d "$envs" ] || remove_old_envs

if $dry_run; then echo "$changes changes to make"; else echo "$changes changes"; fi
