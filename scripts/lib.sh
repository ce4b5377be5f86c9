# Shared by the scripts beside it: speaking, dying, and setting up what is missing.
# Source it after `set -euo pipefail`; it changes nothing by itself.
# shellcheck shell=bash

# Progress and hints go to standard error, so that a script's own answer can be piped.
say() { printf '%s\n' "· $*" >&2; }

# Ends the script with code 1. The message says what happened and what to do next.
die() {
    printf '%s\n' "error: $*" >&2
    exit 1
}

# True where this script may install packages by itself: root, on Debian or Ubuntu.
can_install() {
    [ "$(id -u)" = 0 ] || return 1
    [ -r /etc/os-release ] || return 1
    # shellcheck source=/dev/null
    (. /etc/os-release && case " ${ID:-} ${ID_LIKE:-} " in *" debian "* | *" ubuntu "*) exit 0 ;; *) exit 1 ;; esac)
}

# need_packages COMMAND=PACKAGE...: installs the packages whose command is not there.
need_packages() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    can_install || die "missing here: ${missing[*]} (Debian's names). Install them with your system's package manager, then run this again."
    install_packages "${missing[@]}"
}

# install_packages PACKAGE...: by apt, on what need_packages took to be Debian or Ubuntu.
install_packages() {
    say "installing $* (usually under 30 s)"
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; then
        # The package lists are old or absent: fetch them and try once more, aloud this time.
        apt-get update -qq >&2 || die "apt-get update failed: check the network and /etc/apt, then run this again."
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
            die "apt-get could not install $*: see its message above."
    fi
}

# The rehearsal reaches containers at their own addresses, which only a Linux machine with an engine of its own can.
need_linux() {
    [ "$(uname -s)" = Linux ] ||
        die "this needs Linux: elsewhere containers have no addresses that the machine can reach. Use a Linux machine or VM with 2 cores, 4 GB of memory and 20 GB of disk."
}

# A C compiler that can link: aws-lc-sys, the only native dependency, needs no cmake on x86-64 and arm64 Linux.
need_c_compiler() {
    if command -v cc >/dev/null 2>&1 && echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - 2>/dev/null; then return 0; fi
    can_install || die "a C compiler is missing: install gcc and the C library's headers (Debian: gcc libc6-dev; Fedora: gcc glibc-devel), then run this again."
    install_packages gcc libc6-dev
}

# need_pg_dump MAJOR: pg_dump of that version or newer, where outgrow looks for it.
need_pg_dump() {
    local found
    pg_dump_at_least() {
        local program have
        for program in "$(command -v pg_dump || true)" /usr/lib/postgresql/*/bin/pg_dump; do
            [ -x "$program" ] || continue
            have=$("$program" --version 2>/dev/null | grep -oE '[0-9]+' | head -n1)
            [ "${have:-0}" -lt "$1" ] || return 0
        done
        return 1
    }
    if pg_dump_at_least "$1"; then return 0; fi
    found=$(pg_dump --version 2>/dev/null || echo none)
    local how="install PostgreSQL's client programs, version $1 or newer (Debian 12 and Ubuntu 24.04: postgresql-client; elsewhere see https://www.postgresql.org/download/), then run this again."
    can_install || die "pg_dump $1 or newer is missing (found: $found): $how"
    install_packages postgresql-client
    pg_dump_at_least "$1" || die "this system's own postgresql-client is older than $1: $how"
}

# The server's programs, for servers that the tests make themselves. Debian would start one of its own: it is told not to.
need_postgres_programs() {
    if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then return 0; fi
    can_install || die "PostgreSQL's server programs are missing in /usr/lib/postgresql: the tests are made for Debian's and Ubuntu's packages (postgresql-15 or newer)."
    local conf=/etc/postgresql-common/createcluster.conf package=postgresql-15
    install_packages postgresql-common
    [ -e "$conf.before" ] || cp -p "$conf" "$conf.before"
    sed -i 's/^#\{0,1\} *create_main_cluster.*/create_main_cluster = false/' "$conf"
    apt-cache show "$package" >/dev/null 2>&1 || package=postgresql
    install_packages "$package"
    mv "$conf.before" "$conf"
}

# PgBouncer, for poolers that the tests make themselves. Debian would start one of its own: it is stopped.
need_pgbouncer() {
    if [ -x /usr/sbin/pgbouncer ]; then return 0; fi
    can_install || die "PgBouncer is missing: install it (Debian and Ubuntu: pgbouncer), then run this again."
    install_packages pgbouncer
    if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
        systemctl disable --now --quiet pgbouncer || say "PgBouncer's own service could not be stopped; it does no harm"
    fi
}

docker_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Sees to it that a Docker Engine answers: one that does is left as it is.
need_docker() {
    if command -v docker >/dev/null 2>&1 && docker_answers; then return 0; fi
    if [ -n "${DOCKER_HOST:-}" ]; then
        die "DOCKER_HOST is $DOCKER_HOST and no engine answers there: start it, or unset DOCKER_HOST."
    fi
    if ! can_install; then
        command -v docker >/dev/null 2>&1 ||
            die "Docker Engine is missing: install it as https://docs.docker.com/engine/install/ says, then run this again."
        die "no Docker Engine answers '$(id -un)': start it (sudo systemctl start docker), and let this user reach it (sudo usermod -aG docker $(id -un), then log in again)."
    fi
    need_packages dockerd=docker.io docker=docker.io iptables=iptables
    say "starting Docker Engine (usually 3 s)"
    if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
        systemctl start docker || die "systemctl could not start docker: see 'journalctl -u docker'."
    else
        # setsid: a Ctrl-C in this terminal is not meant for the engine.
        setsid dockerd >/var/log/outgrow-dockerd.log 2>&1 </dev/null &
    fi
    local try
    for ((try = 0; try < 150; try++)); do
        if docker_answers; then return 0; fi
        sleep 0.2
    done
    die "Docker Engine did not answer within 30 s: see /var/log/outgrow-dockerd.log or 'journalctl -u docker'."
}

# The oldest toolchain that builds the project (Cargo.toml's rust-version is the other place).
RUST_NEEDED=1.94

need_rust() {
    local how="get it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh   (or, where rustup is there: rustup update stable)"
    if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
        export PATH
    fi
    command -v cargo >/dev/null 2>&1 || die "Rust is missing, and at least $RUST_NEEDED is needed; $how"
    local have
    have=$(cargo --version | cut -d' ' -f2)
    if [ "$(printf '%s\n%s\n' "$RUST_NEEDED" "${have%%-*}" | sort -V | head -n1)" != "$RUST_NEEDED" ]; then
        die "cargo is $have, and at least $RUST_NEEDED is needed; $how"
    fi
}

# The oldest Python that tests/probe/requirements.txt installs on.
PYTHON_NEEDED=3.10

# need_probe TARGET: the Python environment of the law probe, in TARGET/tools/probe-venv, with the versions that
# tests/probe/requirements.txt pins; boto3 brings AWS's own service models. It is made once for each list of versions.
need_probe() {
    local venv=$1/tools/probe-venv wanted=tests/probe/requirements.txt log=$1/tools/probe-venv.log
    if [ -x "$venv/bin/python" ] && cmp -s "$wanted" "$venv/made-from"; then return 0; fi
    need_packages python3=python3
    python3 -c "import sys; sys.exit(sys.version_info < tuple(map(int, '$PYTHON_NEEDED'.split('.'))))" ||
        die "python3 is $(python3 --version | cut -d' ' -f2), and the law probe needs $PYTHON_NEEDED or newer: install one, and put it first in PATH."
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        can_install || die "Python's venv module is missing: install it (Debian and Ubuntu: python3-venv), then run this again."
        install_packages python3-venv
    fi
    say "making the law probe's Python environment (usually 20 s)"
    mkdir -p "$1/tools"
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || die "python3 -m venv failed, see above."
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted" >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        die "boto3 and moto could not be installed from PyPI: see $log; is it reachable from here (pip's index-url, a proxy)?"
    fi
    cp "$wanted" "$venv/made-from"
}
