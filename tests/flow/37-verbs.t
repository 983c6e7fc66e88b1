#!/bin/sh
# Words to the server that are pushed as refs: now, plan, rollback, cancel.

. "$(dirname "$0")/../lib.sh"

deploys() {
	sql "SELECT count(*) FROM deploys"
}

make_site
like "init tells git of the verbs" \
    "$(git -C "$repo" config --get-all receive.procReceiveRefs)" \
    '^refs/deploy/$'
config <<'EOF'
[action updb]
phase = migrate
directive = updb
run = test ! -e bad
undo = true

[action cc]
phase = clear
run = test ! -e bad
EOF
push_file index.html one "first page"
is_exit "a default environment is as before" 0
push_file index.html two "second page -updb-"
is "a deploy for each push" "$(deploys)" 2

push main:refs/deploy/now -o updb
is_exit "what is live can be deployed again" 0
is "it was" "$(deploys)" 3
like "with what push options ask for" "$banner" 'directives +updb done'
is "it is shown once" "$(printf '%s\n' "$banner" | grep -c 'is live')" 1
unlike "no such ref is told of" "$banner" 'is stored'
is "nor is there one" "$(git -C "$repo" for-each-ref refs/deploy)" ""
is "the push has landed" \
    "$(sql "SELECT state FROM pushes ORDER BY id DESC LIMIT 1")" landed
push main:refs/deploy/now
is "as often as it is asked for" "$(deploys)" 4
push -o skip main:refs/deploy/now
like "but not to deploy nothing" "$err" \
    '-skip- is not possible here: refs/deploy/now .*push without -o skip'
is "which it does not" "$(deploys)" 4
live=$(head_of)

put bad x
commit index.html three "third page -updb- -udpb-"
push main:refs/deploy/plan
is_exit "a plan is a success" 0
like "it says that nothing is done" "$banner" 'nothing is done now'
like "what is live" "$banner" "live now: release $(current), $(echo "$live" |
    cut -c 1-7) second page"
like "how many commits go live" "$banner" 'commits that go live: 1'
like "which" "$banner" "$(head_of | cut -c 1-7) third page"
like "what is asked for, and by which" "$banner" \
    "directive -updb- of $(head_of | cut -c 1-7)"
like "what is not known" "$banner" '-udpb-.*did you mean -updb-'
is "what runs, in its order" \
    "$(printf '%s\n' "$banner" | sed -n 's/^ *\([a-z]*\)  *\([a-z]*\): test.*/\1 \2/p' |
    paste -s -d , -)" "migrate updb,clear cc"
is "nothing was done" "$(deploys)" 4
push main:refs/deploy/now
is_exit "now answers for a deploy that fails" 1
like "with the reason" "$err" \
    'main -> refs/deploy/now \(deploy 5 failed at migrate \(updb\), exit 1; release [0-9]{14} is live\)'

push :refs/deploy/rollback
is_exit "a rollback" 0
is "was done" "$(newest kind)" rollback
push main:refs/deploy/rollback
is_exit "takes no commit" 1
like "with words" "$err" 'rollback takes no commit; git push REMOTE :refs/deploy/rollback'
push :refs/deploy/now
like "and now takes one" "$err" 'say which commit, as in git push REMOTE main:refs/deploy/now'
push main:refs/deploy/nwo
is_exit "a slip is refused" 1
like "with the nearest" "$err" "'nwo' is not known; did you mean refs/deploy/now"
push :refs/deploy/cancel
is_exit "nothing can be cancelled" 1
like "when nothing runs" "$err" 'nothing to cancel'
git -C "$work" rm -q bad
push_file index.html four "good again -updb-"
is_exit "the branch goes on as before" 0
git -C "$work" tag -a -m v1 v1
push v1:refs/deploy/now
is_exit "a tag is its commit" 0
push main:refs/deploy/now "main:refs/deploy/plan"
is_exit "two verbs in one push" 0
commit index.html other "another page"
live=$(deploys)
push main:refs/deploy/now :refs/deploy/rollback
is_exit "two that change something" 0
is "are both done" "$(sql "SELECT kind || ' ' || state FROM deploys
    WHERE number > $live ORDER BY number" | paste -s -d , -)" \
    "deploy retired,rollback live"
push HEAD~1:refs/deploy/now main:refs/deploy/production/now
is "so is one word, twice" "$(deploys)" $((live + 4))
is "the last is live" "$(live_file index.html)" other
push --atomic main:refs/deploy/now main:refs/deploy/plan
is_exit "but not in an atomic one" 1
like "with words" "$err" 'push without --atomic'

# A word whose receive-pack dies has landed when what it asked for is live.
asked() {
	[ "$(deploys)" -ge "$1" ]
}
lose() {
	_asked=$(($(deploys) + $#))
	git -C "$work" push production "$@" > /dev/null 2>&1 &
	pid=$!
	started $pid
	wait_for 20 test -e "$T/at" || diag "the gate was not reached"
	wait_for 20 asked $_asked || diag "not all was asked for"
	for proc in /proc/[0-9]*; do
		case $(readlink "$proc/cwd"),$(cat "$proc/comm") in
		"$repo",proc-receive|"$repo",git-receive*)
			kill -9 "${proc#/proc/}" ;;
		esac
	done 2>/dev/null
	wait $pid
	touch "$T/go"
	wait_for 20 idle
	rm -f "$T/at" "$T/go"
	run "$slipway" runner -C "$repo" -e production
	check_invariants "after $* was lost"
}
last_push() {
	sql "SELECT state FROM pushes ORDER BY id DESC LIMIT 1"
}
config <<EOF
[action gate]
phase = restart
run = touch "$T/at"; while ! test -e "$T/go"; do sleep 0.05; done

[action bad]
phase = verify
run = test ! -e "$T/no" -a ! -e no
EOF
lose main:refs/deploy/now
is "a now that was lost is live, and landed" \
    "$(newest state) $(last_push)" "live landed"
touch "$T/no"
lose main:refs/deploy/now
is "one that fails is not" "$(newest state) $(last_push)" \
    "rolled-back unlanded"
rm "$T/no"
lose :refs/deploy/rollback
is "a rollback is, too" "$(newest kind) $(newest state) $(last_push)" \
    "rollback live landed"
commit no x "this one fails"
git -C "$work" rm -q no
commit index.html yes "and this one does not"
printf '#!/bin/sh\ncase $1 in */production/*) until test -e %s; do :; done; esac\n' \
    "$T/at" > "$repo/hooks/update"
chmod +x "$repo/hooks/update"
lose HEAD~1:refs/deploy/now main:refs/deploy/production/now
rm "$repo/hooks/update"
is "of two one that is live will do" "$(newest state) $(last_push)" \
    "live landed"
is "which is told apart" "$(sql "SELECT ref FROM push_refs WHERE landed
    AND push = (SELECT max(id) FROM pushes)")" refs/deploy/production/now

# Cancel one that runs.
config <<EOF
[action gate]
phase = build
run = touch "$T/at"; while ! test -e "$T/go"; do sleep 0.05; done
EOF
commit index.html five five
git -C "$work" push -q production main > /dev/null 2>&1 &
pid=$!
started $pid
ok "a deploy runs" wait_for 20 test -e "$T/at"
run git -C "$work" push production :refs/deploy/cancel
is_exit "it can be cancelled" 0
is "which is told when it is" "$(newest state)" cancelled
like "and shown" "$err" 'cancelled by'
wait $pid
check_invariants "after a cancel"
is "and is" "$(newest state)" cancelled
touch "$T/go"

# One that needs a hand in the end was not stopped as one would like.
config <<EOF
[action schema]
phase = migrate
run = true
undo = false

[action gate]
phase = migrate
run = touch "$T/at"; while ! test -e "$T/go"; do sleep 0.05; done
EOF
rm -f "$T/at" "$T/go"
git -C "$work" push -q production main:refs/deploy/now > /dev/null 2>&1 &
pid=$!
started $pid
ok "a migration runs" wait_for 20 test -e "$T/at"
run git -C "$work" push production :refs/deploy/cancel
is_exit "a cancel whose undo fails, fails" 1
like "in words" "$err" \
    'remote rejected.*deploy [0-9]+ failed and needs a hand: cancelled by'
wait $pid
check_invariants "after a cancel whose undo failed"

# An old client: no side-band, no report-status-v2, no push options.
config <<'EOF'
EOF
commit index.html six six
run perl "$here/tool/old-push.pl" "$repo" "$work" main refs/deploy/now
check_invariants "after an old client"
is_exit "an old client is served" 0
like "and answered" "$out" '^ok refs/deploy/now$'
is "what it pushed is live" "$(live_file index.html)" six
run perl "$here/tool/old-push.pl" "$repo" "$work" main refs/deploy/nwo
like "with the reason, too" "$out" '^ng refs/deploy/nwo .*did you mean'

# Strict holds here, too; and git has to be told.
config <<'EOF'
strict = yes
EOF
commit index.html seven "seven -nobody-"
push main:refs/deploy/now
is_exit "strict holds for now" 1
like "in the gate" "$banner" '-nobody-'
config <<'EOF'
EOF
git -C "$repo" config --unset-all receive.procReceiveRefs
push main:refs/deploy/now
is_exit "no verb becomes a ref" 1
like "the gate says what to run" "$banner" "slipway init $repo"
is "there is none" "$(git -C "$repo" for-each-ref refs/deploy)" ""
run "$slipway" init "$repo"

# Several environments.
config <<EOF

[environment staging]
branch = develop
root = $T/staging
EOF
run "$slipway" init "$repo"
add_site staging "$T/staging"
push main:refs/deploy/now
is_exit "which of them must be said" 1
like "with the list" "$err" \
    'refs/deploy/production/now, refs/deploy/staging/now'
push main:refs/deploy/staging/now
is_exit "so" 0
is "it is live there" "$(cat "$T/staging/current/index.html")" seven
is "and not in the other" "$(live_file index.html)" six
push main:refs/deploy/stagin/now
like "one that is not there" "$err" "no environment 'stagin'"
push main:refs/deploy/stagin/nwo
like "two slips are mended at once" "$err" \
    "'nwo' is not known; did you mean refs/deploy/staging/now[?]"
push main:refs/deploy/nwo
like "and one where none is named" "$err" \
    'did you mean refs/deploy/production/now or refs/deploy/staging/now[?]'
push main:refs/deploy/staging/rolback
like "in the form that is taken" "$err" \
    'did you mean git push REMOTE :refs/deploy/staging/rollback[?]'

push main:deploy/nwo
like "and where a branch is made of it" "$banner" \
    'did you mean refs/deploy/production/now or refs/deploy/staging/now[?]'

# What is told to be typed names the environment as well.
run "$slipway" rollback -C "$repo" -e staging main
like "a commit that is no release" "$err" \
    "undoing anything: slipway deploy main -C $repo -e staging\$"
run "$slipway" retry -C "$repo" "$(newest deploy -e staging)"
like "a deploy that did not fail" "$err" \
    "again: slipway deploy [0-9a-f]{7} -C $repo -e staging\$"
run "$slipway" cancel -C "$repo" "$(newest deploy -e staging)"
like "or is too late to stop" "$err" 'deploy [0-9]+ is live already$'
git -C "$work" branch -f develop main
push develop
like "a commit that is live" "$banner" "again: git push REMOTE $(head_of |
    cut -c 1-7):refs/deploy/staging/now\$"
echo x > "$T/staging/current/index.html"
run "$slipway" status -C "$repo"
like "an edit" "$out" "[(]slipway drift -C $repo -e staging[)]"
ln -sfn releases/20200101000000 "$T/staging/current"
run "$slipway" status -C "$repo"
like "a symlink that was turned" "$out" "; slipway deploy [0-9a-f]{7} -C $repo -e staging turns it"
sed -i 's/^branch = develop/&\ntags = v*/' "$repo/slipway.ini"
for verb in plan deploy; do
	run "$slipway" "$verb" -C "$repo" -e staging
	like "a $verb of no commit" "$err" \
	    "as in slipway $verb REV -C $repo -e staging\$"
done

# A transactional environment: the branch moves with it.
config <<'EOF'
transactional = yes
EOF
run "$slipway" init "$repo"
_sites="production:$root"
push main:refs/deploy/now
is_exit "now moves a transactional branch" 0
is "with what it makes live" "$(git -C "$repo" rev-parse main)" "$(head_of)"
push HEAD~1:refs/deploy/now
is_exit "forward only" 1
like "with words" "$err" 'main is at [0-9a-f]{7} \(deploy [0-9]+\), and [0-9a-f]{7} does not contain it; fetch, merge and push again; force works on the branch only'
unlike "and no word of trying again" "$banner" 'again '
before=$(deploys)
push HEAD~1:refs/deploy/plan
is_exit "a plan of it says no, too" 1
like "in the same words, first of all" "$(printf '%s\n' "$banner" | sed 1q)" \
    'production: this would be refused: main is at [0-9a-f]{7} .*does not contain it'
like "and is a plan" "$banner" 'commits that go live: 0'
is "nothing was done" "$(deploys)" "$before"
push :refs/deploy/rollback
is "a rollback moves it back" "$(git -C "$repo" rev-parse main)" \
    "$(git -C "$repo" rev-parse refs/live/production)"

run "$slipway" uninit "$repo" -e production
is_exit "uninit is not of one environment" 2
like "which is said" "$err" 'uninit has no -e: .* all environments'
ok "and nothing is taken out" test -e "$repo/hooks/proc-receive"
run "$slipway" -e production uninit "$repo"
is_exit "nor with -e before it" 2
run "$slipway" uninit --help
unlike "there is no -e in its help" "$out" '-e, '
run "$slipway" uninit "$repo"
is "uninit takes all of it back" \
    "$(git -C "$repo" config --get-all receive.procReceiveRefs)" ""
not_ok "and the hook" test -e "$repo/hooks/proc-receive"

# A verb that is pushed when no hook is there becomes a ref.
git -C "$work" push -q production main:refs/deploy/now 2> /dev/null
run "$slipway" init "$repo"
ref="refs/deploy/now"
remedy="git -C $repo update-ref -d $ref"
like "init tells of it" "$out" "note: there is a ref $ref, .*: $remedy\$"
run "$slipway" doctor -C "$repo" --etc "$T"
like "so does the doctor" "$out" "^fault: $ref: there is such a ref"
like "with what helps" "$out" "^ *$remedy\$"
$remedy
run "$slipway" doctor -C "$repo" --etc "$T"
unlike "which it does" "$out" "$ref"
run "$slipway" uninit "$repo"

printf '#!/bin/sh\n' > "$repo/hooks/proc-receive"
chmod +x "$repo/hooks/proc-receive"
run "$slipway" init "$repo"
is_exit "somebody else's proc-receive is not replaced" 1
like "with words" "$err" 'proc-receive is there already'
git -C "$repo" config receive.procReceiveRefs refs/heads/review
run "$slipway" uninit "$repo"
is "nor are the refs that wait for it taken away" \
    "$(git -C "$repo" config --get-all receive.procReceiveRefs)" \
    refs/heads/review
done_testing
