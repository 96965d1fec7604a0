#!/usr/bin/env bash
# with_postgres.sh COMMAND...   runs COMMAND with a throw-away PostgreSQL, its address in DATABASE_URL
# with_postgres.sh --find       prints the folder of the server's programs, or fails
#
# As root and as a normal user; a unix socket only, so any number can run side by side; gone when COMMAND ends.
set -euo pipefail

find_programs() {
    local folder
    for folder in "${PGBIN:-}" $(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort --reverse) \
        "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
        if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
            echo "$folder"
            return
        fi
    done
    return 1
}

if [ "${1:-}" = --find ]; then
    find_programs
    exit
fi
programs=$(find_programs) || { echo "No PostgreSQL server programs found (Debian: apt-get install postgresql)." >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/leerpunt-pg.XXXXXX")
chmod 711 "$folder" # with root, server and client are different users
as_server=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    chown postgres: "$folder"
    as_server=(runuser -u postgres --)
fi

stop() {
    (cd "$folder" && "${as_server[@]}" "$programs/pg_ctl" -D "$folder/data" -m immediate -s stop) >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

(
    cd "$folder" # the server's user may not be allowed to read this one
    "${as_server[@]}" "$programs/initdb" -D data -U leerpunt -A trust -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1 ||
        { cat initdb.log >&2; exit 1; }
    "${as_server[@]}" "$programs/pg_ctl" -D data -w -s -l server.log -o "-k $folder -c listen_addresses='' -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c jit=off -c max_connections=50" start ||
        { cat server.log >&2; exit 1; }
)

export DATABASE_URL="postgres://leerpunt@${folder//\//%2F}/postgres"
"$@"
