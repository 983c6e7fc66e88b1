#!/bin/bash
# The benchmarks run, each with the smallest sizes there are. What they say
# of time is looked at by nobody here: see tests/README.md.

. "$(dirname "$0")/../lib.sh"

export TMPDIR=$T SLIPWAY_BUILD=$build TOUCH=0

# bench NAME VARIABLE=VALUE...: $out of one of them.
bench() {
	_name=$1
	shift
	run env RUNS=1 COLD= "$@" "$here/bench/$_name.pl"
	[ "$status" -eq 0 ] || diag "$err"
	is_exit "$_name runs" 0
	is "$_name leaves nothing behind" \
	    "$(find "$T" -maxdepth 1 -name 'slipway-bench*')" ''
}

bench release SIZES=50 CHANGES=10 KEEP=1 \
    METHODS="archive checkout cp-al slipway slipway-link slipway-fresh"
like "a table has the reference" "$out" \
    '^ *git archive \| tar( +[0-9.]+){3} +1\.00 '
like "a release that starts from another one is in it" "$out" \
    '^ *cp -al, git read-tree -u( +[0-9.]+){4} '

bench push FILES=20 BIG=60
like "a push is timed" "$out" '^ *slipway( +-?[0-9.]+){5}$'
like "the memory of a deploy is there" "$out" \
    '^ *the first deploy( +[0-9.]+){3}$'

bench journal DEPLOYS=50
like "the journal is read" "$out" '^ *slipway log -n 20 +[0-9.]+$'
done_testing
