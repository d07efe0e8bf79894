#!/usr/bin/env bash
# Makes .venv with everything ccm needs. Runs in seconds when nothing changed.
#   tools/setup.sh          the engine
#   tools/setup.sh dev      the engine and what its tests and checks need
#   tools/setup.sh bench    the engines that documents are measured beside
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=${1:-run}

say() { printf '%s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
  else return 1
  fi
}

install_debian() {
  command -v apt-get >/dev/null 2>&1 || return 1
  say "Installing system packages: $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need() { # need "what for" package…
  local purpose=$1; shift
  install_debian "$@" && return 0
  say "error: $purpose"
  say "  fix: install the system packages, then give the same command again:"
  say "       sudo apt-get install $*"
  exit 3
}

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null 2>&1 \
      && "$name" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$name"; return
    fi
  done
}

python=$(find_python)
if [ -z "$python" ]; then
  need "Python 3.11, 3.12 or 3.13 is needed." python3 python3-venv
  python=$(find_python)
  [ -n "$python" ] || { say "error: this system's Python is too old or too new; 3.11 to 3.13 is needed"; exit 3; }
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    need "Python's venv module is missing." "python$version-venv"
  fi
  say "Making .venv with $("$python" --version)"
  "$python" -m venv .venv
fi

stamp=.venv/.setup-$wanted
kernel=ccm/compose/document/fill/_kernel # compiled while the engine is installed, if there is a compiler
if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ] || [ requirements.lock -nt "$stamp" ] || [ $kernel.c -nt "$stamp" ]; then
  say "Installing Python packages"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
  lock=(); [ -e requirements.lock ] && lock=(--constraint requirements.lock)
  export VIRTUAL_ENV=$PWD/.venv
  extras=; [ "$wanted" = dev ] && extras='[postgres,print,social]'
  .venv/bin/uv pip install --quiet --reinstall-package ccm-engine --refresh-package ccm-engine "${lock[@]}" --editable ".$extras"
  [ "$wanted" = dev ] && .venv/bin/uv pip install --quiet "${lock[@]}" --group dev
  [ "$wanted" = bench ] && .venv/bin/uv pip install --quiet "${lock[@]}" --group bench
  [ -e $kernel.abi3.so ] || say "note: without a C compiler documents are filled by Python alone, more slowly"
  touch "$stamp"
fi

# veraPDF, which proves PDF/A and PDF/UA in the tests, runs on Java.
if [ "$wanted" = dev ] && ! { command -v javac && dpkg -s libjaxb-java libactivation-java; } >/dev/null 2>&1; then
  install_debian default-jdk-headless libjaxb-java libactivation-java \
    || say "note: without Java the tests that validate PDF/A and PDF/UA are skipped:" \
           "sudo apt-get install default-jdk-headless libjaxb-java libactivation-java"
fi

# smtp-sink and smtp-source (an SMTP server with faults, and the peer of throughput) come out of Debian's postfix package,
# which is unpacked and not installed: nobody wants a mail server because of a test. strace kills a run at any system call.
unpack_debian() { # unpack_debian FOLDER package…
  local folder=$1 archives; shift
  archives=$(mktemp -d)
  (cd "$archives" && apt-get download -qq "$@") >/dev/null 2>&1 \
    || { as_root apt-get update -qq >/dev/null && (cd "$archives" && apt-get download -qq "$@") >/dev/null; } || return 1
  mkdir -p "$folder"
  for package in "$archives"/*.deb; do dpkg -x "$package" "$folder"; done
  rm -r "$archives"
}
if [ "$wanted" = dev ] && [ ! -x .venv/debian/usr/sbin/smtp-sink ]; then
  unpack_debian .venv/debian postfix strace libunwind8 libtirpc3 \
    || say "note: without Debian's packages postfix and strace the tests that kill runs and break servers are skipped"
fi
# Node runs the mock of Twilio and a real Bluesky server.
if [ "$wanted" = dev ] && ! command -v npm >/dev/null 2>&1; then
  install_debian npm || say "note: without npm the tests against Twilio's mock and a Bluesky server are skipped"
fi
if [ "$wanted" = dev ] && ! { [ -e .venv/pds/node_modules ] && [ -e .venv/prism/node_modules ]; }; then
  say "Installing Node packages of the tests"
  .venv/bin/python tests/deliver/node_packages.py || say "note: they could not be installed; the tests try again"
fi

# WeasyPrint loads Pango and HarfBuzz when it is imported.
if ! .venv/bin/python -c 'import weasyprint' >/dev/null 2>&1; then
  need "WeasyPrint needs the libraries Pango and HarfBuzz." \
    libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig
  .venv/bin/python -c 'import weasyprint' >&2
fi
