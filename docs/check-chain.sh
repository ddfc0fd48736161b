#!/bin/sh
# Checks the hash chain of an audit log with a shell and sha256sum, without the log's own code.
# usage: check-chain.sh DIRECTORY|FILE.jsonl     0: it holds, 1: it does not, 2: could not tell
export LC_ALL=C # bytes, not characters
[ -d "$1" ] && set -- "$1"/segments/*.jsonl
[ $# -gt 0 ] && command -v sha256sum >/dev/null || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
for file; do [ -r "$file" ] || { echo "cannot read $file" >&2; exit 2; }; done
# A shell drops zero bytes: made 0x01, which no record holds either, they still change the hash.
cat -- "$@" | tr '\000' '\001' | {
  n=0 prev=0000000000000000000000000000000000000000000000000000000000000000
  while IFS= read -r line; do
    case $n,$line in
      "$n,{\"v\":1,\"seq\":$n,\"prev\":\"$prev\","*) ;;
      [1-9]*",{\"v\":1,\"seq\":$n,\"prev\":\""*) echo "seq $((n - 1)): its hash is not what the next line carries"; exit 1 ;;
      *) echo "seq $n: missing, out of place or malformed"; exit 1 ;;
    esac
    prev=$(printf '\000%s' "$line" | sha256sum) prev=${prev%% *} n=$((n + 1))
  done
  [ -z "$line" ] || echo "after the last line: ${#line} bytes that no line feed ends"
  echo "$n lines chain; only a checkpoint vouches for the last, whose leaf hash is $prev"
}
