#!/bin/sh
# The module exports what exports.map names and nothing else, names no symbol it cannot resolve, needs
# only the libraries it may need when it is loaded, and has little room in each thread, made at once.
# Usage: exports.sh MODULE EXPORTS_MAP
set -eu
export LC_ALL=C
module=$1 map=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/global:/,/local:/ s/^ *\(gss[a-z_]*\);$/\1/p' "$map" | sort >"$work/claimed"
nm -D --defined-only "$module" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
if ! diff "$work/claimed" "$work/exported"; then
  echo "FAIL exports differ from $map"
  exit 1
fi
[ -s "$work/claimed" ] || { echo "FAIL $map names nothing"; exit 1; }

needed=$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
sanitized=false
case $needed in *lib[alut]*san.so.*) sanitized=true ;; esac
for library in $needed; do
  case $sanitized:$library in
    *:libgssapi_krb5.so.* | *:libnettle.so.* | *:libc.so.* | *:libm.so.* | *:ld-linux*) ;;
    true:lib[alut]*san.so.* | true:libstdc++.so.* | true:libgcc_s.so.*) ;;
    *) echo "FAIL $module needs $library when it is loaded"; exit 1 ;;
  esac
done
thread=$(readelf -lW "$module" | awk '$1 == "TLS" { print $6 }')
if ! $sanitized; then
  readelf -d "$module" | grep -q STATIC_TLS || { echo "FAIL what is thread-local is made late"; exit 1; }
  # Of the C library's reserve for such modules, which is 1,664 bytes.
  [ $((thread)) -le 64 ] || { echo "FAIL $((thread)) bytes in each thread"; exit 1; }
fi
echo "PASS $(wc -l <"$work/exported") exports; needs: $(echo $needed)"
