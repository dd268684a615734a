#!/bin/sh
# setup.sh NEED... makes sure that this machine has what a make target needs.
#
# Needs: go, cc (a C compiler that works, for the race detector), git, make,
# npm, certs, ip, nft, nmap, ps, curl, systemd, zsh, fish, rpm, chromium. What lacks is installed where that may be: as root on a
# Debian with apt-get. Elsewhere the one command is printed and we stop with 1.
# Nothing is touched, and a few milliseconds pass, when nothing lacks.
set -eu

go_minimum=26 # minor version of Go 1; go.mod says the same

has() { command -v "$1" >/dev/null 2>&1; }

say() { printf 'setup: %s\n' "$*" >&2; }

# The compiler is tried, not looked for: Debian can have gcc without libc's headers.
c_works() {
  has "${CC:-gcc}" && printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
    "${CC:-gcc}" -x c -o /dev/null - 2>/dev/null
}

# In the checkout `go env` answers with the toolchain that go.mod asks for,
# fetched by Go itself where GOTOOLCHAIN allows that.
check_go() {
  version=$(go env GOVERSION 2>/dev/null || true)
  minor=${version#go1.}
  minor=${minor%%[!0-9]*}
  [ -n "$minor" ] && [ "$minor" -ge "$go_minimum" ] && return
  say "Go 1.$go_minimum or newer is needed, found: ${version:-none}"
  say "  install it from https://go.dev/dl/ and put its bin folder first on PATH"
  exit 1
}

lacking() {
  case $1 in
    cc) c_works || echo gcc libc6-dev ;;
    git) has git || echo git ;;
    make) has make || echo make ;;
    npm) has npm || echo npm ;;
    certs) [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates ;;
    ip) has ip || echo iproute2 ;;
    nft) has nft || echo nftables ;;
    nmap) has nmap || echo nmap ;;
    ps) has ps || echo procps ;;
    curl) has curl || echo curl ;;
    zsh) has zsh || echo zsh ;;
    fish) has fish || echo fish ;;
    chromium) has chromium || echo chromium ;; # the GUI's tests drive it
    rpm) has rpm || echo rpm ;; # only to look into ours
    systemd) has systemd-analyze || echo systemd ;; # only its check of units is run
    *)
      say "no such need: $1"
      exit 2
      ;;
  esac
}

packages=
for need in "$@"; do
  if [ "$need" = go ]; then
    check_go
  else
    found=$(lacking "$need")
    packages="$packages${found:+ $found}"
  fi
done
[ -n "$packages" ] || exit 0

say "this machine lacks:$packages"
if ! has apt-get; then
  say "install them with your system's package manager, then call make again"
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  say "install with:  sudo apt-get update && sudo apt-get install -y --no-install-recommends$packages"
  exit 1
fi
say "installing with apt-get"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of names, split on purpose
apt-get install -y -qq --no-install-recommends $packages
