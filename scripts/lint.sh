#!/bin/sh
# lint.sh runs the linters: golangci-lint with .golangci.yml where it is
# installed, otherwise staticcheck, pinned and fetched by Go; shellcheck over the
# scripts where it is installed. What is left out is said.
set -eu

cd "$(dirname "$0")/.."
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

if command -v golangci-lint >/dev/null 2>&1; then
  golangci-lint run ./...
else
  echo "lint: golangci-lint is not installed (https://golangci-lint.run); staticcheck runs instead"
  if go run "$staticcheck" -version >/dev/null 2>&1; then
    go run "$staticcheck" ./...
  else
    echo "lint: staticcheck cannot be fetched here, left out"
  fi
fi

if command -v shellcheck >/dev/null 2>&1; then
  find scripts test .ci -type f \( -name '*.sh' -o -path .ci/run \) -exec shellcheck {} +
else
  echo "lint: shellcheck is not installed, left out"
fi
