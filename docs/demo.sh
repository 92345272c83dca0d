#!/bin/sh
# What the program does, shown on a copy of one of the project's own fixtures. `make demo` runs it.
#
#   DEMO_PROGRAM    the dockerslim-lint to show (default: the one on PATH)
#   DEMO_FIXTURE    a folder of fixtures/shapes that has a rewrite
#   DEMO_PLATFORM   what to prove for (default: the platform of this machine, which needs no emulation)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=${DEMO_PROGRAM:-dockerslim-lint}
fixture=$root/fixtures/shapes/${DEMO_FIXTURE:-01b-multi-stage-ubuntu-copy}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
else
    bold='' dim='' off=''
fi

say() { printf '\n%s%s%s\n' "$dim" "$1" "$off"; }

# show EXPECTED-CODES ARGUMENT… : print the command as a user would type it, run it, set $code
show() {
    expected=$1
    shift
    printf '\n%s$ dockerslim-lint' "$bold"
    for word; do
        case $word in *[!A-Za-z0-9/.,_-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '%s\n' "$off"
    code=0
    "$program" "$@" 2>&1 || code=$?
    printf '%s[exit %s]%s\n' "$dim" "$code" "$off"
    case " $expected " in
        *" $code "*) ;;
        *) echo "demo: exit $code where $expected was to be expected" >&2; exit 1 ;;
    esac
}

engine_is_there() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1 && return 0
    # the tests' own Docker, if somebody has started it
    "$root/tests/lab/lab" status >/dev/null 2>&1 || return 1
    lab=$("$root/tests/lab/lab" env) || return 1
    eval "$lab"
    which="the tests' own Docker; its base images are stand-ins, the sizes are theirs"
}

place=$(mktemp -d "${TMPDIR:-/tmp}/dockerslim-demo.XXXXXX")
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp -R "$fixture/." "$place"
cd "$place"
rm -f expect.toml facts.toml fixed.Dockerfile

say 'A Rust project with the Dockerfile that everybody writes:'
cat Dockerfile

say 'What is wrong with it?'
show 1 lint Dockerfile

say 'What would the fix be?'
show 1 lint --diff --unsafe-fixes Dockerfile

say 'It changes the libc and the base image, so it is not written just like that:'
show 1 lint --fix Dockerfile

proven=no
which='a Docker'
if engine_is_there; then
    case $(uname -m) in arm64 | aarch64) here=linux/arm64 ;; *) here=linux/amd64 ;; esac
    say "Here is $which.
It builds and runs both images, and what is proven is written:"
    show '0 6 7' lint --fix --verify --platform "${DEMO_PLATFORM:-$here}" --smoke 'columns one two' Dockerfile
    if [ "$code" = 0 ]; then proven=yes; fi
else
    say 'There is no Docker here that could prove it, so this time your word has to do:'
fi
if [ $proven = no ]; then
    if [ "$code" != 1 ]; then say 'This Docker could not prove it, and nothing was written. On your word it is:'; fi
    show 0 lint --fix --unsafe-fixes Dockerfile
fi

say 'And now?'
show 0 lint Dockerfile
cat Dockerfile
