#!/bin/sh
# Writes C source holding the given playbooks as byte arrays, by name.
set -eu
echo '#include <stddef.h>'
echo '#include <play/builtin.h>'
for f in "$@"; do
	n=$(basename "$f" .yaml)
	id=$(printf %s "$n" | tr -c 'a-zA-Z0-9' _)
	printf 'static const unsigned char text_%s[] = {\n' "$id"
	od -An -v -tu1 "$f" | sed 's/  */,/g; s/^,/	/; s/$/,/'
	echo '0};'
done
echo 'const struct pw_builtin pw_builtin_playbooks[] = {'
for f in "$@"; do
	n=$(basename "$f" .yaml)
	id=$(printf %s "$n" | tr -c 'a-zA-Z0-9' _)
	printf '	{ "%s", (const char *)text_%s, sizeof text_%s - 1 },\n' "$n" "$id" "$id"
done
echo '	{ NULL, NULL, 0 },'
echo '};'
