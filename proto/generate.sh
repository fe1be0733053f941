#!/bin/sh
# generate.sh PROTOC_C SOURCE_DIR BUILD_DIR STAMP ALL_C SCHEMA NAME... - messages as C.
# Writes BUILD_DIR/<name>.pb-c.{c,h}, a stamp to depend on, and one C file that includes all of them and holds the
# descriptors of all, unless SCHEMA is `none` (proto/schema.h): meson wants to know its outputs by flat names, protoc-c
# keeps the folders.
set -eu
protoc_c=$1 source_dir=$2 build_dir=$3 stamp=$4 all_c=$5 schema=$6
shift 6
# Newer ones say of themselves, once a file, that protoc with a plugin should be used instead.
compile() {
    "$protoc_c" "$@" 2>"$all_c.err" || { cat "$all_c.err" >&2; exit 1; }
    grep -v "protoc-c. is deprecated" "$all_c.err" >&2 || true
    rm -f "$all_c.err"
}

: > "$all_c.new"
for name; do
    compile --proto_path="$source_dir" --c_out="$build_dir" "$source_dir/$name.proto"
    echo "#include \"$name.pb-c.c\"" >> "$all_c.new"
done
if [ "$schema" != none ]; then
    set -- $(printf "$source_dir/%s.proto " "$@")
    compile --proto_path="$source_dir" --include_imports --descriptor_set_out="$build_dir/schema.pb" "$@"
    {
        echo '#include "proto/schema.h"'
        echo 'const unsigned char cu_schema[] = {'
        od -An -v -tu1 "$build_dir/schema.pb" | tr -s ' ' ',' | sed 's/^,//; s/$/,/'
        echo '};'
        echo 'const size_t cu_schema_len = sizeof(cu_schema);'
    } >> "$all_c.new"
fi
mv "$all_c.new" "$all_c"
echo "/* made by generate.sh */" > "$stamp"
