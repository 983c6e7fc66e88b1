#!/bin/sh
# Lost clients: killed, interrupted, cut off or stopped, in every phase, with
# little and with much output, over ssh and over a path. The deploy ends as it
# would have ended, nothing of ours hangs, and "show --follow" picks up what
# the client has missed.
#
# COUNT points of the matrix ("all"), chosen by SEED; or the points that are
# given, each as one argument: "ssh kill migrate loud 0".

[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../lib.sh"

count=${COUNT:-8}
seed=${SEED:-1}

# How long a hook may outlive the runner where there is a processor for it,
# in milliseconds.
slack_ms=2000

# Lines of much output, of 1000 bytes each.
loud_lines=10000

phases="fetch checkout configure bundle build test backup maintenance migrate
symlink restart clear verify contract publish cleanup notify"

make_site
start_sshd
git -C "$work" remote add path "$repo"
git -C "$work" remote rename production ssh

cat > "$T/gate" <<EOF
#!/bin/sh
# The command of every phase; that of one holds until the client is lost,
# and does so once: taking back runs some of them again.
read -r phase volume status < $T/point
[ "\$1" = "\$phase" ] || exit 0
echo "\$1 holds"
touch $T/ready
until test -e $T/go; do sleep 0.02; done
[ "\$volume" = quiet ] ||
    seq -f "line %05.0f \$(head -c 989 /dev/zero | tr '\\\\0' x)" $loud_lines
echo "\$1 goes on"
echo "none quiet 0" > $T/point
exit "\$status"
EOF
chmod +x "$T/gate"
for phase in $phases; do
	printf '[action %s]\nphase = %s\nrun = %s %s\n' \
	    "$phase" "$phase" "$T/gate" "$phase"
	[ "$phase" != migrate ] || echo "undo = true"
done | config
echo "none quiet 0" > "$T/point"
commit index.html first "first"
run git -C "$work" push ssh main
is_exit "the first push succeeds" 0
run git -C "$work" fetch path

# The points: route, loss, phase, volume, exit status of the command.
matrix() {
	n=0
	for phase in $phases; do
		for volume in quiet loud; do
			for way in "path kill" "path int" "path stop" \
			    "ssh kill" "ssh int" "ssh stop" "ssh cut"; do
				n=$((n + 1))
				echo "$way $phase $volume $((n % 3 == 0))"
			done
		done
	done
}

sample() {
	cat <<-EOF
	ssh kill build quiet 0
	ssh cut migrate loud 0
	path stop test loud 0
	ssh int verify quiet 1
	ssh stop clear loud 1
	path kill bundle quiet 1
	path int symlink loud 0
	ssh stop notify quiet 0
	EOF
}

choose() {
	if [ "$count" = all ]; then
		matrix
	elif [ "$count" -le 8 ]; then
		sample | head -n "$count"
	else
		matrix | awk -v "seed=$seed" 'BEGIN { srand(seed) }
		    { print rand() "\t" $0 }' | sort | cut -f 2 |
		    head -n "$count"
	fi
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# Processes below some others that are called like this.
below() {
	for child in $(pgrep -P "$1"); do
		[ "$(cat "/proc/$child/comm" 2>/dev/null)" != "$2" ] ||
		    echo "$child"
		below "$child" "$2"
	done
}

# Hooks of this repository, by pid.
hooks() {
	for hook in $(pgrep -x '(pre|post|proc)-(receive|update)'); do
		[ "$(readlink "/proc/$hook/cwd")" != "$repo" ] ||
		    echo "$hook"
	done
}

hookless() {
	[ -z "$(hooks)" ]
}

# lose LOSS: with the client's process in $pid, a session of its own.
lose() {
	# shellcheck disable=SC2046 # one or more pids
	case $1 in
	kill)
		kill -9 "$pid" $(below "$pid" ssh)
		;;
	int)
		kill -INT "-$pid"
		;;
	cut)
		kill -9 $(below "$sshd_pid" sshd) $(below "$pid" ssh) \
		    2>/dev/null
		;;
	stop)
		kill -STOP "$pid" $(below "$pid" ssh)
		;;
	esac
}

# How many processes share a processor, at least 1.
crowding() {
	awk -v "cores=$(getconf _NPROCESSORS_ONLN)" '{ n = int($1 / cores)
	    print n < 1 ? 1 : n }' /proc/loadavg
}

# What becomes of a deploy whose command in this phase ends like this.
expected() {
	case $2/$1 in
	0/*|*/contract|*/publish|*/cleanup|*/notify) echo live ;;
	*/fetch|*/checkout|*/configure|*/bundle|*/build|*/test|*/backup)
		echo failed ;;
	*) echo rolled-back ;;
	esac
}

wrong() {
	echo "$1" >> "$T/wrong"
}

# What the client saw is how the whole begins; every line is there once.
check_follow() {
	sed -n 's/^remote: \{0,1\}//p' "$T/client" |
	    sed 's/[[:space:]]*$//' | sed '$d' > "$T/seen"
	sed 's/[[:space:]]*$//' "$T/follow" |
	    head -n "$(wc -l < "$T/seen")" | cmp -s - "$T/seen" ||
	    wrong "the client saw something else: $(tail -n 3 "$T/seen")"
	grep -o 'line [0-9]\{5\}' "$T/follow" > "$T/lines"
	if [ "$1" = loud ]; then
		seq -f 'line %05.0f' "$loud_lines"
	fi | cmp -s - "$T/lines" ||
	    wrong "--follow has $(wc -l < "$T/lines") lines of output"
	grep -c 'goes on$' "$T/follow" | grep -q -x 1 ||
	    wrong "--follow has not the last line of the command once"
	case $2 in
	live) grep -q -x "production: release [0-9]* is live" "$T/follow" ;;
	*) grep -q "^error: deploy $n failed" "$T/follow" ;;
	esac || wrong "--follow does not tell the end: $(tail "$T/follow")"
}

# The client stands still, and the next deploy does not wait for it.
check_next() {
	echo "none quiet 0" > "$T/point"
	run timeout 20 "$slipway" deploy -C "$repo"
	[ "$status" -eq 0 ] || wrong "the next deploy: exit $status, $out $err"
	# shellcheck disable=SC2046 # one or more pids
	kill -9 "$pid" $(below "$pid" ssh)
}

# point ROUTE LOSS PHASE VOLUME STATUS
point() {
	rm -f "$T/ready" "$T/go" "$T/wrong"
	echo "$3 $4 $5" > "$T/point"
	n=$(($(newest deploy) + 1))
	limit_ms=$((slack_ms * $(crowding)))
	commit index.html "$n" "deploy $n"
	# What a shell starts in the background would ignore Ctrl-C.
	env --default-signal=INT setsid git -C "$work" push "$1" main \
	    > "$T/client" 2>&1 < /dev/null &
	pid=$!
	started "$pid"
	wait_for 20 test -e "$T/ready" ||
	    wrong "not begun: $(cat "$T/client")"
	lose "$2"
	timeout 60 "$slipway" show -C "$repo" "$n" --follow > "$T/follow" \
	    2>&1 < /dev/null &
	follower=$!
	touch "$T/go"
	wait_for 40 _lock_free "$repo/slipway/production.lock" ||
	    wrong "the runner has not ended"
	from_ms=$(now_ms)
	wait_for 10 hookless
	took_ms=$(($(now_ms) - from_ms))
	[ "$took_ms" -le "$limit_ms" ] ||
	    wrong "a hook has outlived the runner by $took_ms ms"
	wait "$follower" || wrong "--follow: exit $?"
	want=$(expected "$3" "$5")
	state=$(deploy "$n" state)
	[ "$state" = "$want" ] || wrong "the deploy is $state"
	check_follow "$4" "$want"
	[ "$2" != stop ] || check_next
	wait_for 10 ended "$pid" || wrong "the client has not ended"
	[ ! -e "$T/wrong" ]
	_result $? "$1 $2 in $3, $4, exit $5 ($took_ms ms)" ||
	    diag "$(cat "$T/wrong")" \
	    "again: tests/fault/client.t '$1 $2 $3 $4 $5'"
	check_invariants "after $1 $2 in $3, $4, exit $5" ||
	    diag "again: tests/fault/client.t '$1 $2 $3 $4 $5'"
}

if [ $# -gt 0 ]; then
	printf '%s\n' "$@"
else
	choose
fi > "$T/points"
while read -r route loss phase volume ending <&9; do
	point "$route" "$loss" "$phase" "$volume" "$ending"
done 9< "$T/points"
done_testing
