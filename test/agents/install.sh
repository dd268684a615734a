#!/bin/sh
# install.sh installs opencode from npm into the folder $1 and prints the path
# of its binary as the last line. What is there already is not fetched again.
# The binary runs without Node; npm is only how it is fetched.
set -eu

version=1.18.33
if [ $# -ne 1 ]; then
  echo "usage: install.sh FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)

# The package itself is a launcher; the binary is in a package per platform,
# of which npm installs those that fit. "baseline" is for CPUs without AVX2.
find_binary() {
  for bin in "$dir"/node_modules/opencode-*/bin/opencode; do
    case $bin in *-baseline/*) grep -q avx2 /proc/cpuinfo 2>/dev/null && continue ;; esac
    if [ -x "$bin" ] && [ "$(HOME=$dir "$bin" --version 2>/dev/null)" = "$version" ]; then
      echo "$bin"
      return 0
    fi
  done
  return 1
}

if find_binary; then exit 0; fi
npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error "opencode-ai@$version" >&2
if find_binary; then exit 0; fi
echo "install.sh: npm installed no opencode $version that runs on this machine" >&2
exit 1
