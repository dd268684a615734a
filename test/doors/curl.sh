#!/bin/sh
# curl.sh drives two daemons with nothing but curl and their OpenAPI documents: pair, job,
# message, receipts, and the events that tell of each.
#   curl.sh SOCKET_A SOCKET_B ADDRESS_B AGENT_A AGENT_B NAME_B
# A is the one whose user this is; B stands for the other machine. Addresses of routes are
# looked up in the document by operationId. It prints the states of the message as the
# events tell them, and ends with "answered".
set -eu

a=$1 b=$2 address=$3 from=$4 to=$5 peer=$6
dir=$(mktemp -d)
events=
trap 'if [ -n "$events" ]; then kill "$events" 2>/dev/null || true; fi; rm -rf "$dir"' EXIT

# ask SOCKET CURL-ARGUMENTS…: the answer, or the problem on standard error.
ask() {
  socket=$1
  shift
  curl --silent --show-error --fail-with-body --max-time 60 --unix-socket "$socket" "$@" || {
    echo "curl.sh: refused: $*" >&2
    return 1
  }
}

# A document on one line, so that sed can read it.
ask "$a" http://localhost/openapi.json | tr -d '\n' > "$dir/openapi.json"

# route ID [VALUE]: the address of an operation, its hole filled.
route() {
  path=$(sed 's/"\(\/[^"]*\)":{/\
\1 /g' "$dir/openapi.json" | grep "\"operationId\":\"$1\"" | sed 's/ .*//')
  [ -n "$path" ] || { echo "curl.sh: no operation $1 in the document" >&2; exit 1; }
  echo "http://localhost$(echo "$path" | sed "s/{[^}]*}/${2:-}/")"
}

# member NAME: the first member of that name in an answer.
member() {
  sed 's/[,{]"/\
"/g' | sed -n "s/^\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1
}

post() {
  socket=$1 address_=$2 body=$3
  ask "$socket" -H 'Content-Type: application/json' -d "$body" "$address_"
}

# Pair: B invites, A uses the invite.
line=$(post "$b" "$(route invite)" '{"for":["127.0.0.1"],"mine":true}' | member line)
post "$a" "$(route pair)" "{\"invite\":\"$line\",\"mine\":true}" > "$dir/paired"
[ "$(member state < "$dir/paired")" = paired ]
echo "paired with $(member name < "$dir/paired") at $address"

# Follow what changes, from where the snapshot ends.
next=$(ask "$a" "$(route snapshot)" | member next)
mkfifo "$dir/events"
curl --silent --no-buffer --max-time 120 --unix-socket "$a" -H 'Accept: text/event-stream' "$(route events)?since=$next" > "$dir/events" &
events=$!
exec 3< "$dir/events"

# tell PATTERN: reads events until one matches.
tell() {
  while IFS= read -r said <&3; do
    case $said in *$1*) return 0 ;; esac
  done
  echo "curl.sh: the events ended before $1" >&2
  return 1
}

# Job.
post "$a" "$(route bridgeOpen)" "{\"peer\":\"$peer\",\"title\":\"curl\",\"goal\":\"no client\",\"agents\":[\"$from\"],\"peerAgents\":[\"$to\"]}" > "$dir/job"
job=$(member jobId < "$dir/job")
tell "\"topic\":\"job\",\"id\":\"$job\",*\"state\":\"open\""
echo "job open"

# Message, and its receipts.
id=$(post "$a" "$(route send)" "{\"jobId\":\"$job\",\"to\":{\"agent\":\"$to\"},\"payload\":{\"text\":\"hello from curl\"}}" | member id)
until [ "$(ask "$a" "$(route message "$id")" | member state)" = answered ]; do
  tell "\"id\":\"$id\",\"direction\":\"out\""
done
echo "answered"
