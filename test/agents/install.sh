#!/bin/sh
# install.sh PROGRAM FOLDER installs an agent program from npm into the folder and
# prints the path of what starts it as the last line. What is there already is not
# fetched again. Nothing outside the folder is touched.
set -eu

usage() {
  echo "usage: install.sh opencode|claude|codex|codex-native|gemini|qwen FOLDER" >&2
  exit 2
}
[ $# -eq 2 ] || usage
program=$1

# start is what runs, below node_modules; node is the Node.js that it wants, 0 = none.
case $program in
  opencode)     package=opencode-ai                           version=1.18.33 node=0 start= ;;
  claude)       package=@agentclientprotocol/claude-agent-acp version=0.101.0 node=22 start=.bin/claude-agent-acp ;;
  codex)        package=@agentclientprotocol/codex-acp        version=2.6.0   node=22 start=.bin/codex-acp ;;
  codex-native) package=@zed-industries/codex-acp             version=0.16.0  node=0 start='@zed-industries/codex-acp-*/bin/codex-acp' ;;
  gemini)       package=@google/gemini-cli                    version=0.61.0  node=20 start=.bin/gemini ;;
  qwen)         package=@qwen-code/qwen-code                  version=0.24.4  node=22 start=.bin/qwen ;;
  *) usage ;;
esac
mkdir -p "$2"
dir=$(cd "$2" && pwd)
modules=$dir/node_modules

# fetch installs one package without running its scripts: those build or download
# what the programs do without.
fetch() {
  npm install --prefix "$dir" --no-audit --no-fund --loglevel=error --ignore-scripts "$1" >&2
}

# opencode's package is a launcher; the binary is in a package per platform, of which
# npm installs those that fit. "baseline" is for CPUs without AVX2.
find_opencode() {
  for bin in "$modules"/opencode-*/bin/opencode; do
    case $bin in *-baseline/*) grep -q avx2 /proc/cpuinfo 2>/dev/null && continue ;; esac
    if [ -x "$bin" ] && HOME=$dir "$bin" --version >/dev/null 2>&1; then
      echo "$bin"
      return 0
    fi
  done
  return 1
}

node_major() { "$1" --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p'; }

# starter prints what starts the program: itself, or a script that has it run by a
# Node.js that is new enough.
starter() {
  if [ "$program" = opencode ]; then
    find_opencode
    return
  fi
  for bin in "$modules"/$start; do
    [ -x "$bin" ] || return 1
    [ "$node" -ne 0 ] || { echo "$bin"; return 0; }
  done
  first=
  if [ "$(node_major node || true)" -lt "$node" ] 2>/dev/null || ! command -v node >/dev/null; then
    first=$modules/node/bin
    [ -x "$first/node" ] || return 1
  fi
  printf '#!/bin/sh\nPATH="%s$PATH" exec "%s" "$@"\n' "${first:+$first:}" "$bin" >"$dir/$program.new"
  chmod 0755 "$dir/$program.new"
  mv "$dir/$program.new" "$dir/$program"
  echo "$dir/$program"
}

installed=$dir/installed
if [ "$(cat "$installed" 2>/dev/null)" = "$package@$version" ] && starter; then exit 0; fi
# A registry that no longer serves the version serves one near it.
fetch "$package@$version" || fetch "$package@^$version"
if ! starter >/dev/null && [ "$node" -ne 0 ]; then
  # Its script fetches the binary for this platform.
  npm install --prefix "$dir" --no-audit --no-fund --loglevel=error node@22 >&2
fi
echo "$package@$version" >"$installed"
if starter; then exit 0; fi
rm -f "$installed"
echo "install.sh: npm installed no $program $version that runs on this machine" >&2
exit 1
