#!/bin/sh
# Build llama-server, which the benchmarks measure against, from the source inside the pinned llama-cpp-python sdist.
#
# About ten minutes on two cores, once. CMAKE_ARGS is added to the configuration (-DGGML_CUDA=on, say); JOBS=N compiles N
# files at a time. All of it stays in build/peers: sdist/, the unpacked source, out/bin/llama-server.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
python=$root/.venv/bin/python
lock=$root/requirements.lock
peers=$root/build/peers

fail() {
    echo "error: $*" >&2
    exit 1
}

version=$(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' "$lock")
[ -n "$version" ] || fail "requirements.lock names no llama-cpp-python; make it anew with: make lock"
source=$peers/llama_cpp_python-$version/vendor/llama.cpp
server=$peers/out/bin/llama-server
archive=$peers/sdist/llama_cpp_python-$version.tar.gz

# The linker writes the server last: where it stands, and was made of this version's source, there is nothing to do.
is_of_this_version() {
    grep -q "^CMAKE_HOME_DIRECTORY:INTERNAL=.*/llama_cpp_python-$version/vendor/llama.cpp\$" "$peers/out/CMakeCache.txt" 2>/dev/null
}

# The lock's own lines for the package: pip then refuses an archive with another checksum.
download() {
    [ -f "$archive" ] && return
    pin=$peers/pin.txt
    awk '/^llama-cpp-python==/ { on = 1; print; next } on && /--hash=/ { print; next } on { exit }' "$lock" >"$pin"
    "$python" -m pip download --disable-pip-version-check --progress-bar on --no-deps --no-binary llama-cpp-python \
        --require-hashes -r "$pin" -d "$peers/sdist" || fail "the source of llama-cpp-python $version could not be downloaded"
    rm "$pin"
}

# Unpacked under another name first, so that what an interrupted run leaves is never taken for the whole.
unpack() {
    [ -d "$source" ] && return
    rm -rf "$peers/unpacking" "$peers/llama_cpp_python-$version"
    mkdir "$peers/unpacking"
    echo "unpacking $archive"
    tar -xzf "$archive" -C "$peers/unpacking"
    mv "$peers/unpacking/llama_cpp_python-$version" "$peers/"
    rmdir "$peers/unpacking"
}

find_tools() {
    command -v cmake >/dev/null 2>&1 && command -v ninja >/dev/null 2>&1 && return
    tools=$peers/tools
    [ -x "$tools/bin/ninja" ] || {
        "$python" -m venv "$tools"
        "$tools/bin/python" -m pip install --quiet --disable-pip-version-check cmake==3.31.10 ninja==1.13.2 ||
            fail "cmake and ninja could not be installed; on Debian: apt install cmake ninja-build"
    }
    PATH=$tools/bin:$PATH
    export PATH
}

# SOURCE_DATE_EPOCH would make llama.cpp leave this processor's own instructions unused without a word.
compile() {
    unset SOURCE_DATE_EPOCH
    command -v "${CXX:-c++}" >/dev/null 2>&1 || fail "no C++ compiler (${CXX:-c++}) was found; on Debian: apt install build-essential"
    is_of_this_version || rm -rf "$peers/out"
    # shellcheck disable=SC2086  # CMAKE_ARGS is a list of words
    cmake -S "$source" -B "$peers/out" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON -DLLAMA_CURL=OFF \
        -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF \
        -DLLAMA_USE_PREBUILT_UI=OFF ${CMAKE_ARGS:-} >"$peers/configure.log" 2>&1 ||
        fail "llama-server could not be configured; its last words are in $peers/configure.log"
    cmake --build "$peers/out" --target llama-server ${JOBS:+--parallel "$JOBS"}
}

if [ -x "$server" ] && is_of_this_version; then
    echo "llama-server of llama-cpp-python $version is there: $server"
    exit
fi
echo "llama-server will be compiled: about ten minutes on two cores, done once."
mkdir -p "$peers/sdist"
download
unpack
find_tools
compile
echo "done: $server"
