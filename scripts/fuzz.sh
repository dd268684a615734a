#!/bin/sh
# fuzz.sh runs every fuzz target of the module for FUZZTIME each (default 30s),
# one after the other, and stops at the first finding. No target found is a failure:
# a search that finds nothing must not look like a pass.
set -eu

cd "$(dirname "$0")/.."
time=${FUZZTIME:-30s}
count=0

targets=$(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' . |
  sed -E 's/^(.*):func (Fuzz[A-Za-z0-9_]*)\($/\1 \2/' | sort)

while read -r file target; do
  [ -n "$target" ] || continue
  folder=$(dirname "$file")
  echo "fuzz: $folder $target for $time"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$folder" </dev/null
  count=$((count + 1))
done <<END
$targets
END

if [ "$count" -eq 0 ]; then
  echo "fuzz: no fuzz target found" >&2
  exit 1
fi
echo "fuzz: $count targets, nothing found"
