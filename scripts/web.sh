#!/bin/sh
# web.sh [check] builds the GUI into internal/gui/dist, where its sources are newer than
# what is there; with check it runs the GUI's own tests instead. Without npm it says so, and
# groove is built with a page that tells how to get the GUI: CI=true makes that a failure.
set -eu

cd "$(dirname "$0")/../web"

say() { printf 'web: %s\n' "$*" >&2; }

if ! command -v npm >/dev/null 2>&1; then
  say "npm is not here, so groove is built without its GUI; install Node.js 20.19 or newer, then: make"
  [ "${CI:-}" != true ]
  exit
fi

# What npm installed is of this lock file.
stamp=node_modules/.groove-lock
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  npm ci --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi

if [ "${1:-}" = check ]; then
  npm run --silent check
  exec npm run --silent test
fi

page=../internal/gui/dist/index.html
if [ -e "$page" ] && [ -z "$(find src public index.html vite.config.ts package-lock.json -newer "$page" -print -quit)" ]; then
  exit 0
fi
npm run --silent build -- --logLevel warn
touch "$page"
