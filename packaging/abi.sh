#!/bin/sh
# Compares the values of the public header's macros, and the functions that the module exports, with
# those of the last release in packaging/abi/gss-ntlm.abi.
#
#   sh packaging/abi.sh check        fails if something of the last release was changed or removed
#   sh packaging/abi.sh print        prints the current ones
#   sh packaging/abi.sh record       writes the file: only for a release
#   sh packaging/abi.sh --self-test  plants changes and checks that each is found
#
# Additions are allowed. Requires only a C compiler ($CC, or cc).
set -eu
export LC_ALL=C

source=$(cd "$(dirname "$0")/.." && pwd)
recorded="$source/packaging/abi/gss-ntlm.abi"
header="$source/include/gssapi/gssapi_ntlm.h"
map="$source/mech/spi/exports.map"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compiler ARGUMENT...: $CC may be several words.
compiler() {
    ${CC:-cc} -std=c11 "$@"
}

# What HEADER defines beyond the header that it includes: its macros by value, its declarations.
describe_header() {
    printf '#include <stdint.h>\n' >"$work/without.c"
    printf '#include "%s"\n' "$1" >"$work/with.c"
    for one in without with; do
        compiler -E -dM "$work/$one.c" | sort >"$work/$one.macros"
        compiler -E -P "$work/$one.c" | sort >"$work/$one.text"
    done
    comm -13 "$work/without.macros" "$work/with.macros" >"$work/macros"
    {
        cat <<'C'
#include <stddef.h>
#include <stdio.h>
#define TYPE(value) _Generic((value), int: "int", unsigned: "unsigned", long: "long", \
    unsigned long: "unsigned long", default: "other")
static void text(const char *name, const char *bytes, size_t length) {
  printf("macro %s text \"", name);
  for (size_t i = 0; i < length; ++i) {
    const unsigned char byte = (unsigned char)bytes[i];
    printf(byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' ? "%c" : "\\x%02x", byte);
  }
  puts("\"");
}
C
        printf '#include "%s"\nint main(void) {\n' "$1"
        # A macro without a value is the guard of the header; one with arguments is compared as text.
        awk '{
            name = $2
            body = $0
            sub(/^#define [^ ]* ?/, "", body)
            if (name ~ /\(/) { gsub(/["\\]/, "\\\\&", body); printf "  puts(\"macro %s as %s\");\n", name, body }
            else if (body ~ /^"/) printf "  text(\"%s\", %s, sizeof(%s) - 1);\n", name, name, name
            else if (body != "") printf "  printf(\"macro %s %%s 0x%%llx\\n\", TYPE(%s), (unsigned long long)(%s));\n", name, name, name
        }' "$work/macros"
        printf '  return 0;\n}\n'
    } >"$work/describe.c"
    compiler -o "$work/describe" "$work/describe.c"
    "$work/describe"
    comm -13 "$work/without.text" "$work/with.text" | sed '/^#/d; /^ *$/d; s/^/declaration /'
}

# describe HEADER MAP
describe() {
    describe_header "$1"
    sed -n '/global:/,/local:/ s/^ *\(gss[a-z_]*\);$/export \1/p' "$2"
}

# check HEADER MAP
check() {
    describe "$1" "$2" | sort >"$work/now"
    sed '/^#/d' "$recorded" | sort >"$work/then"
    [ -s "$work/then" ] || { echo "FAIL $recorded is empty"; return 1; }
    if comm -23 "$work/then" "$work/now" | sed 's/^/FAIL changed or removed since the last release: /' |
        grep .; then
        return 1
    fi
    echo "PASS all $(wc -l <"$work/then") definitions of the last release are unchanged," \
        "$(comm -13 "$work/then" "$work/now" | wc -l) are new"
}

self_test() {
    status=0
    # altered WHAT STATUS FILE SED-COMMAND: checks a header or map with this change.
    altered() {
        cp "$header" "$map" "$work/"
        sed -i "$4" "$work/$3"
        if cmp -s "$work/$3" "$header" || cmp -s "$work/$3" "$map"; then
            echo "FAIL $1: nothing was changed"
            status=1
            return
        fi
        verdict=0
        check "$work/gssapi_ntlm.h" "$work/exports.map" >"$work/said" || verdict=$?
        if [ "$verdict" -eq "$2" ]; then
            echo "PASS $1: status $verdict"
        else
            echo "FAIL $1: status $verdict, not $2"
            status=1
        fi
    }
    altered 'a code with another value' 1 gssapi_ntlm.h 's/0x4E540016u/0x4E540099u/'
    altered 'a number that became signed' 1 gssapi_ntlm.h 's/0x10000u/0x10000/'
    altered 'an object identifier with another byte' 1 gssapi_ntlm.h 's/x0f.x01.x05"/x0f\\x01\\x06"/'
    altered 'a credential store key that was renamed' 1 gssapi_ntlm.h 's/"ntlmssp_keyfile"/"keyfile"/'
    altered 'a macro that was removed' 1 gssapi_ntlm.h '/define GSS_NTLM_ATTR_SIDS/d'
    altered 'a function that is no longer exported' 1 exports.map '/gss_wrap_aead;/d'
    altered 'the same value, spelled differently' 0 gssapi_ntlm.h 's/0x10000u/65536u/'
    altered 'an added macro' 0 gssapi_ntlm.h '$ i #define GSS_NTLM_NEW 1'
    altered 'an added function' 0 exports.map 's/^    gss_wrap_aead;/&\n    gss_wrap_new;/'
    return "$status"
}

case ${1-} in
check) check "$header" "$map" ;;
print) describe "$header" "$map" | sort ;;
record)
    version=$(sed -n "s/^  version: '\(.*\)',\$/\1/p" "$source/meson.build")
    {
        echo "# Interface of gss-ntlm $version; written by packaging/abi.sh record."
        describe "$header" "$map" | sort
    } >"$work/recorded"
    mv "$work/recorded" "$recorded"
    ;;
--self-test) self_test ;;
*)
    echo "usage: sh packaging/abi.sh check|print|record|--self-test" >&2
    exit 2
    ;;
esac
