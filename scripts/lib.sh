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
    say "installing ${missing[*]} (usually under 30 s)"
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
        # The package lists are old or absent: fetch them and try once more, aloud this time.
        apt-get update -qq >&2 || die "apt-get update failed: check the network and /etc/apt, then run this again."
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
            die "apt-get could not install ${missing[*]}: see its message above."
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
