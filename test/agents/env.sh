#!/bin/sh
# env.sh PROGRAM... installs agent programs below ~/.cache/groove-ci and prints the
# lines that tell the tests where they are: eval "$(test/agents/env.sh claude codex)". One
# that cannot be installed is named on stderr, the others go on, and the exit status is 1.
set -u

cache=${HOME:-/root}/.cache/groove-ci
failed=0
for program in "$@"; do
  # Several could be started here at once; npm on a small machine is slower then.
  if bin=$("$(dirname "$0")/install.sh" "$program" "$cache/$program" | tail -n 1) && [ -x "$bin" ]; then
    name=GROOVE_$(echo "$program" | tr 'a-z-' 'A-Z_')
    echo "export $name='$bin'"
  else
    echo "env.sh: $program is not installed" >&2
    failed=1
  fi
done
exit $failed
