#!/bin/sh
# Make .venv hold what a lock names, and reuse it: setup.sh runtime | dev
# For dev also .venv-synapse, the homeserver of the tests: its versions and its licence stay apart from ours.
#
# Reads PYTHON (default python3), LLAMA_WHEEL (a prebuilt llama-cpp-python: a .whl file or an index that has one) and
# CMAKE_ARGS (added when llama-cpp-python is compiled). Stamps in .venv make the second run a matter of milliseconds.
set -eu

lock_kind=$1
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$root/.venv
venv_python=$venv/bin/python
synapse=$root/.venv-synapse
synapse_lock=tests/homeserver/requirements.lock
python=${PYTHON:-python3}
llama_wish="${LLAMA_WHEEL:-} ${CMAKE_ARGS:-}"

# The system's certificates: the one place that a company's own proxy is set up in. Copies: the cache may be on another disk.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_LINK_MODE="${UV_LINK_MODE:-copy}" UV_NO_CONFIG=1
unset VIRTUAL_ENV

fail() {
    echo "error: $*" >&2
    exit 1
}

checksum() {
    cksum <"$root/$1"
}

is_stamped() {
    [ -f "$venv/.understudy-$1" ] && [ "$(cat "$venv/.understudy-$1")" = "$2" ]
}

stamp() {
    printf '%s\n' "$2" >"$venv/.understudy-$1"
}

llama_version() {
    sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' "$root/requirements.lock"
}

has_llama() {
    [ -n "$(find "$venv/lib" -maxdepth 3 -name "llama_cpp_python-$(llama_version)*.dist-info" 2>/dev/null)" ]
}

# Without a wish of the user's, whichever build is there stays.
is_wish_met() {
    [ "$llama_wish" = " " ] || is_stamped llama "$llama_wish"
}

is_ready() {
    has_llama && is_wish_met || return 1
    is_stamped dev "$(checksum requirements-dev.lock)" && return
    [ "$lock_kind" = runtime ] && is_stamped runtime "$(checksum requirements.lock)"
}

is_synapse_ready() {
    [ "$lock_kind" = runtime ] || [ "$(cat "$synapse/.understudy-synapse" 2>/dev/null)" = "$(checksum "$synapse_lock")" ]
}

check_python() {
    command -v "$python" >/dev/null 2>&1 || fail "$python was not found; on Debian: apt install python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed and $python is older; on Debian 12 or newer: apt install python3 python3-venv"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make environments; on Debian: apt install python3-venv"
}

check_compiler() {
    has_llama && is_wish_met && return
    [ -z "${LLAMA_WHEEL:-}" ] || return 0
    command -v "${CC:-cc}" >/dev/null 2>&1 || fail "no C compiler (${CC:-cc}) was found; on Debian: apt install build-essential"
    command -v "${CXX:-c++}" >/dev/null 2>&1 || fail "no C++ compiler (${CXX:-c++}) was found; on Debian: apt install build-essential"
    has_llama || echo "llama-cpp-python will be compiled: this is most of the wait, and is done once."
}

make_environment() {
    "$venv_python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
    is_stamped uv "$(checksum requirements-uv.lock)" && return
    "$venv_python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r "$root/requirements-uv.lock"
    stamp uv "$(checksum requirements-uv.lock)"
}

install() {
    "$venv/bin/uv" pip install --python "$venv_python" --no-deps "$@"
}

install_prebuilt_llama() {
    case $LLAMA_WHEEL in
    *.whl) install --reinstall "$LLAMA_WHEEL" ;;
    *) install --reinstall --only-binary :all: --default-index "$LLAMA_WHEEL" "llama-cpp-python==$(llama_version)" ;;
    esac
    has_llama || fail "LLAMA_WHEEL has to hold llama-cpp-python $(llama_version); $LLAMA_WHEEL does not"
}

# SOURCE_DATE_EPOCH would make llama.cpp leave this processor's own instructions unused without a word.
install_lock() {
    unset SOURCE_DATE_EPOCH
    CMAKE_ARGS="-DLLAVA_BUILD=OFF '-DCMAKE_PROJECT_llama_cpp_INCLUDE=$root/deploy/no_common.cmake' ${CMAKE_ARGS:-}"
    export CMAKE_ARGS
    install --require-hashes -r "$root/$1" ${2:+"$2"}
    stamp "$lock_kind" "$(checksum "$1")"
}

make_ready() {
    check_python
    check_compiler
    make_environment
    anew=
    if ! is_wish_met; then
        if [ -n "${LLAMA_WHEEL:-}" ]; then install_prebuilt_llama; else anew=--reinstall-package=llama-cpp-python; fi
    fi
    install_lock "$lock" "$anew"
    [ "$llama_wish" = " " ] || stamp llama "$llama_wish"
}

make_synapse_ready() {
    "$venv/bin/uv" venv --quiet --clear --python "$venv_python" "$synapse"
    "$venv/bin/uv" pip install --python "$synapse/bin/python" --no-deps --only-binary :all: --require-hashes \
        -r "$root/$synapse_lock"
    checksum "$synapse_lock" >"$synapse/.understudy-synapse"
}

[ "$lock_kind" = dev ] && lock=requirements-dev.lock || lock=requirements.lock
is_ready || make_ready
is_synapse_ready || make_synapse_ready
