#!/bin/sh
# Random hostile trees: what the gate lets in, checkout can write, with plain
# modes and as git would. COUNT= is how many, SEED= chooses others.

. "$(dirname "$0")/../lib.sh"

count=${COUNT:-60}
seed=${SEED:-4711}
bare=$T/bare.git
vet=$build/tests/tool/vet-tool
checkout=$build/tests/tool/checkout-tool

git init -q --bare "$bare"
echo "# SEED=$seed COUNT=$count"
ok "$count trees are made" "$here/tool/hostile-trees.pl" "$bare" "$seed" \
    "$count"

# What git itself writes of a commit, into $T/theirs.
as_git() {
	rm -rf "$T/theirs"
	mkdir "$T/theirs"
	GIT_INDEX_FILE=$T/index git --git-dir="$bare" \
	    --work-tree="$T/theirs" read-tree "$1" &&
	GIT_INDEX_FILE=$T/index git --git-dir="$bare" \
	    --work-tree="$T/theirs" checkout-index -a -q
	rm -f "$T/index"
}

look() {
	known='' fit=0
	for n in $(seq "$count"); do
		"$vet" "$bare" "h$n" > "$T/reasons" 2>&1
		verdict=$?
		case $verdict in
		0)	fit=$((fit + 1)) ;;
		3)	[ -s "$T/reasons" ] || echo "h$n: no reason" ;;
		# git finds out before the gate is asked.
		*)	grep -q 'object not found' "$T/reasons" ||
			    echo "h$n: $(cat "$T/reasons")" ;;
		esac
		"$vet" "$bare" "h$n" ${known:+"$known"} > "$T/beside" 2>&1
		[ $? -eq "$verdict" ] ||
		    echo "h$n: beside $known it is another: $(cat "$T/beside")"
		[ "$verdict" -eq 0 ] || continue
		known=h$n
		rm -rf "$T/ours"
		"$checkout" "$bare" "h$n" "$T/ours" > "$T/said" 2>&1 ||
		    echo "h$n: checkout: $(cat "$T/said")"
		find "$T/ours" ! -type l -perm /7022 | sed "s/^/h$n: mode: /"
		as_git "h$n" 2> "$T/said" || echo "h$n: git: $(cat "$T/said")"
		diff -r --no-dereference "$T/ours" "$T/theirs" |
		    sed "s/^/h$n: differs: /"
	done
	echo "$fit" > "$T/fit"
}

is "what is let in can be written" "$(look)" ''
fit=$(cat "$T/fit")
echo "# $fit of $count are fit"
ok "some are fit" test "$fit" -ge $((count / 10))
ok "and some are not" test "$fit" -le $((count * 9 / 10))
done_testing
