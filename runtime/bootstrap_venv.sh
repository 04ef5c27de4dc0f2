#!/bin/sh
# bootstrap_venv.sh VENV LOCK APP: make a virtual environment without pip in it, install the locked wheels into it,
# and let it import what will lie in the folder APP.
set -eu
venv=$1
lock=$2
app=$3

# Debian's python3 has no pip and no ensurepip: then pip runs straight out of its own wheel.
pip="python3 -m pip"
if ! $pip --version >/dev/null 2>&1; then
    for wheel in "${PIP_FIND_LINKS:-/nonexistent}"/pip-*.whl; do
        pip="python3 $wheel/pip"
    done
fi

python3 -m venv --without-pip "$venv"
# Wheels only: an sdist would run code of its own and want a compiler.
$pip --python "$venv/bin/python" install --quiet --no-cache-dir --no-compile --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r "$lock"
echo "$app" > "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/kagent.pth"

# A read-only root file system can never cache bytecode, and start-up is three times slower without it.
# unchecked-hash: the sources never change, so their modification times need not be looked at.
"$venv/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$venv/lib"
