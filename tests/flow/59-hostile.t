#!/bin/sh
# Names that want to be more than names go the whole way: nothing of them is
# run, nothing of them steers a terminal, and commands get them as they are.

[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../lib.sh"

corpus=$here/flow/hostile.corpus
tool=$here/tool/hostile.pl
hostile() {
	perl "$tool" "$@"
}
clean() {
	_what=$1
	shift
	ok "$_what" perl "$tool" clean "$@"
}
# Each text of a kind, with what is put before it, as arguments of a command.
with_each() {
	_kind=$1
	_before=$2
	shift 2
	hostile list "$corpus" "$_kind" |
	    BEFORE=$_before perl -0 -ne 'print $ENV{BEFORE}, $_' |
	    xargs -0 "$@"
}

is "the corpus is as large as it should be" \
    "$(test "$(grep -vc '^#' "$corpus")" -ge 200 && echo yes)" yes
make_site
mkdir "$T/trace" "$T/odd"
odd='$(touch${IFS}HOSTILE);`touch${IFS}HOSTILE`|"%s%n'
{
	cat <<EOF2
env.TRACE = $T/trace

[environment odd]
branch = $odd
root = $T/odd

[action see]
phase = build
run = printf '%s\\0' "\$SLIPWAY_AUTHOR" "\$SLIPWAY_MESSAGE" "\$SLIPWAY_PUSHER" > "\$TRACE/\$SLIPWAY_COMMIT"; printf '%s\\n' "\$SLIPWAY_AUTHOR" "\$SLIPWAY_MESSAGE" "\$SLIPWAY_PUSHER" "\$SLIPWAY_BRANCH" "\$SLIPWAY_DIRECTIVES"; ls -a

[action say]
phase = migrate
directive = say
run = printf '%s' "\$SLIPWAY_ARGUMENT" > "\$TRACE/\$SLIPWAY_DEPLOY"; printf '%s\\n' "\$SLIPWAY_ARGUMENT"
EOF2
} | config

# Authors, subjects, directives, arguments, options and pushers, a deploy for
# each; and the paths, in every one of them.
hostile history "$corpus" | git -C "$work" fast-import --quiet
hostile push "$corpus" "$work" > "$T/pushed" 2>&1
is "every push succeeds" $? 0
check_invariants "after hostile histories"
is "and every commit is deployed" "$(newest deploy)" \
    "$(git -C "$work" rev-list --count hostile)"
ok "commands got each of them as it is" hostile seen "$corpus" "$work" \
    "$T/trace"
like "an argument came whole" "$(cat "$T/trace/1")" \
    '^[$]\(touch[$]\{IFS\}HOSTILE\) .touch[$]\{IFS\}HOSTILE.$'
clean "the pushes show nothing that steers" "$T/pushed"

# Refs and tags, stored, forced, deleted, and one that is deployed.
git -C "$work" checkout -q --detach hostile
everything() {
	_sign=$1
	with_each ref "${_sign}refs/heads/" git -C "$work" push -f production
	with_each tag "${_sign}refs/tags/" git -C "$work" push -f production
}
everything HEAD: > "$T/refs" 2>&1
is "hostile refs are stored" "$(git -C "$repo" for-each-ref refs/heads \
    refs/tags | wc -l)" "$(grep -Ec '^(ref|tag) ' "$corpus" |
    awk '{ print $1 + 1 }')"
git -C "$work" checkout -q --detach HEAD~1
everything HEAD: >> "$T/refs" 2>&1
everything : >> "$T/refs" 2>&1
is "and deleted" "$(git -C "$repo" for-each-ref refs/heads refs/tags |
    wc -l)" 1
clean "refs show nothing that steers" "$T/refs"
git -C "$work" push production "HEAD:refs/heads/$odd" > "$T/odd.out" 2>&1
is "a branch of that kind is deployed" "$(newest environment)" odd
is "and live" "$(newest state)" live
clean "and shows nothing that steers" "$T/odd.out"
with_each ref HEAD:refs/deploy/ git -C "$work" push production \
    > "$T/verbs" 2>&1
not_ok "as a verb there is none of them" grep -q 'is live' "$T/verbs"
clean "and that, too, is said plainly" "$T/verbs"

# Paths that a gate may refuse: either way, in plain words.
{
	printf 'commit refs/heads/control\n'
	printf 'committer A <a@example.org> 9 +0000\ndata 1\nx\n'
	printf 'from refs/heads/hostile^0\n'
	hostile list "$corpus" control | perl -0 -ne 'chomp;
	    s/([\\"\n])/sprintf q(\\%03o), ord $1/ge;
	    print qq(M 100644 inline "$_"\ndata 1\nx\n)'
} > "$T/stream"
git -C "$work" -c core.quotePath=false fast-import --quiet < "$T/stream"
git -C "$work" push production control:main > "$T/control" 2>&1
clean "paths with control characters are told plainly" "$T/control"
wait_for 15 idle

# What the live release has more, by the hand of an application.
for name in "$(printf '\033[2J\rhand')" '$(touch HOSTILE)' '-x'; do
	: > "$root/current/by $name"
done
{
	"$slipway" drift -C "$repo" -e production
	"$slipway" drift -C "$repo" -e production --json
	"$slipway" status -C "$repo"
} > "$T/drift" 2>&1
clean "drift shows nothing that steers" "$T/drift"
rm -f "$root"/current/by*

# Whatever can be asked for afterwards.
last=$(newest deploy)
for n in $(seq "$last"); do
	"$slipway" show -C "$repo" "$n" >> "$T/shown" 2>&1
	"$slipway" show -C "$repo" "$n" --json > "$T/json" 2>&1
	cat "$T/json" >> "$T/shown"
	json deploy < "$T/json"
done > "$T/numbers"
is "each deploy is shown as JSON" "$(tail -n 1 "$T/numbers")" "$last"
"$slipway" log -C "$repo" -n 1000 > "$T/log"
"$slipway" log -C "$repo" -n 1000 --json > "$T/log.json"
is "the log is JSON, too" "$(json length < "$T/log.json")" "$last"
"$slipway" status -C "$repo" --json > "$T/status"
"$slipway" verify -C "$repo" > "$T/verify"
clean "show" "$T/shown"
clean "log" "$T/log" "$T/log.json"
clean "status and verify" "$T/status" "$T/verify"
clean "the event logs" "$repo"/slipway/log/*.jsonl
ok "each line of them is JSON" perl -MJSON::PP -ne \
    'decode_json($_)->{event} or die "$ARGV: $_"' "$repo"/slipway/log/*.jsonl
git -C "$repo" log --notes=deploys --format=%N refs/live/production \
    > "$T/notes"
clean "notes" "$T/notes"
git -C "$repo" reflog refs/notes/deploys > "$T/reflog"
clean "reflogs" "$T/reflog"
for verb in rollback deploy retry show cancel; do
	for word in "$(printf '\033[2J\r\302\233')" '$(touch HOSTILE)' \
	    --upload-pack=HOSTILE -x "$(printf 'caf\351\342\200\256')"; do
		"$slipway" "$verb" -C "$repo" -e production -- "$word"
		"$slipway" "$verb" -C "$repo" -e "$word"
		"$slipway" "$verb" -C "$T/$word"
		"$slipway" "$word" -C "$repo"
		"$slipway" log -C "$repo" "--state=$word" "--since=$word"
		"$slipway" log -C "$repo" "--color=$word" "$word"
	done
done > "$T/words" 2>&1 < /dev/null
clean "words of a command line" "$T/words"
wait_for 15 idle

# A config that somebody made of them.
cp "$repo/slipway.ini" "$T/good.ini"
for line in '[\033[2J]' '[action \302\2332J]' 'ke\rep = 1' \
    'keep = \033]0;x\007' 'strict = caf\351\342\200\256' \
    'branch = \033[2J' 'root = /\r/..'; do
	# shellcheck disable=SC2059 # a format, to get the bytes
	{ printf '[app]\nname = x\n'; printf "$line\n"; } \
	    > "$repo/slipway.ini"
	git -C "$work" push production HEAD:refs/heads/any
	"$slipway" status -C "$repo" 2>&1 | sed 's/^/remote: /'
done > "$T/config" 2>&1
clean "a config" "$T/config"
cp "$T/good.ini" "$repo/slipway.ini"

is "nothing of all that was run" "$(find "$T" /tmp/HOSTILE "$here/.." \
    "$(getent passwd "$(id -un)" | cut -d : -f 6)/HOSTILE" /HOSTILE \
    -name HOSTILE 2>/dev/null)" ""
ok "the repository is whole" git -C "$repo" fsck --strict --no-dangling
level=no
check_invariants "after all of them"
done_testing
