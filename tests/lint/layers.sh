#!/bin/sh
# Who may include whom, which functions nobody may call, and which header has which home.
# TAP; run from the root.
set -u
n=0 bad=0
report() { # report TITLE OFFENDERS
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/  # /'
	fi
}
find_in() { pattern=$1; shift; grep -nE "$pattern" -r --include='*.[ch]' "$@"; }

report "checks include only packetwalk/ and the system" \
	"$(find_in '#include ("|<(base|doc|play|proc|vantage|probe|cluster|dataplane|packet|path|run|out)/)' checks)"
report "engine never includes cmd or checks" "$(find_in '#include ["<](\.\./)*(cmd|checks)/' engine)"
report "public headers include only packetwalk/ and the system" \
	"$(find_in '#include ("|<(base|doc|play|proc|vantage|probe|cluster|dataplane|packet|path|run|out)/)' include)"

# Lower rooms do not know higher ones.
below() { # below ROOM FORBIDDEN…
	room=$1; shift
	report "engine/$room does not include: $*" "$(find_in "#include <($(echo "$*" | tr ' ' '|'))/" "engine/$room")"
}
below base doc play proc vantage probe cluster dataplane packet path run out
below doc play proc vantage probe cluster dataplane packet path run out
below proc play vantage probe cluster dataplane packet path run out
below packet play vantage probe cluster dataplane path run out
below dataplane play vantage probe cluster path run out
below probe play vantage cluster path run out
below cluster play vantage probe dataplane run out
below play vantage probe dataplane run/driver out

# Each foreign header has its home.
home() { # home HEADER PATTERN-OF-ALLOWED
	report "$1 stays in $2" "$(grep -rln --include='*.[ch]' "#include <$1>" engine checks cmd include | grep -vE "$2")"
}
home yaml.h '^engine/doc/'
home 'yajl/.*' '^engine/doc/'
home curl/curl.h '^engine/base/'
home ares.h '^engine/probe/'
home pcap/pcap.h '^engine/(probe|packet)/'
home pcap.h '^engine/(probe|packet)/'
home readline/readline.h '^cmd/main/'

report "no shell, no unbounded copy, no ambient temporary file" \
	"$(find_in '(^|[^_a-zA-Z>.])(system|popen|strcpy|strcat|sprintf|vsprintf|gets|mktemp|tmpnam|alloca|atoi|atol|strtok)[[:space:]]*\(' engine checks cmd include)"
report "engine and checks print nothing" \
	"$(find_in '(^|[^_a-zA-Z>.])(printf|puts|perror|vprintf|putchar)[[:space:]]*\(|fprintf[[:space:]]*\((stdout|stderr)' engine checks)"
report "every source names its licence" "$(git ls-files '*.c' '*.h' | xargs grep -L SPDX-License-Identifier)"

headers=
for h in $(git ls-files 'include/*.h' 'engine/*.h'); do
	echo "#include \"$h\"" | ${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Iengine -I. -fsyntax-only -x c - 2>/dev/null || headers="$headers$h
"
done
report "every header compiles alone" "$headers"
echo "1..$n"
[ "$bad" -eq 0 ]
