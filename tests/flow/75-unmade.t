#!/bin/sh
# A slipway init that fails takes back what it has made, and nothing else.

. "$(dirname "$0")/../lib.sh"

make_site
push_file index.html one "first page"

# Hooks that were there work as before: a link to another installation, and
# a program of somebody else's.
mkdir "$T/old"
cp "$build/bin/slipway" "$build/bin/pre-receive" "$T/old"
git init -q --bare -b trunk "$T/hooks.git"
echo other > "$T/hooks.git/hooks/proc-receive"
for old in link program; do
	rm -f "$T/hooks.git/hooks/pre-receive"
	if [ "$old" = link ]; then
		ln -s "$T/old/pre-receive" "$T/hooks.git/hooks/pre-receive"
	else
		echo program > "$T/hooks.git/hooks/pre-receive"
	fi
	find "$T/hooks.git/hooks" -printf '%f %l\n' | sort > "$T/before"
	cp "$T/hooks.git/config" "$T/config"
	run "$slipway" init "$T/hooks.git" --root "$T/hooks"
	isnt "$old: a hook that cannot be kept is a failure" "$status" 0
	is "$old: the others are what they were" \
	    "$(find "$T/hooks.git/hooks" -printf '%f %l\n' | sort |
	    diff "$T/before" -)" ""
	is "$old: and git's config" \
	    "$(diff "$T/config" "$T/hooks.git/config")" ""
	is "$old: and HEAD" "$(git -C "$T/hooks.git" symbolic-ref HEAD)" \
	    refs/heads/trunk
	not_ok "$old: of which no lock is left" test -e \
	    "$T/hooks.git/config.lock"
	not_ok "$old: no root" test -e "$T/hooks"
done
is "a program that was there is there" \
    "$(cat "$T/hooks.git/hooks/pre-receive")" program

# What others make meanwhile is theirs. The init waits for the journal, with
# its folders made, and fails at a hook.
mkdir -p "$repo/slipway/backup/999"
cat >> "$repo/slipway.ini" <<EOF
[environment staging]
branch = develop
root = $T/new/staging
EOF
rm "$repo/hooks/proc-receive"
echo other > "$repo/hooks/proc-receive"
sqlite3 "$repo/slipway/journal.db" "BEGIN IMMEDIATE" \
    ".shell touch $T/held; while [ ! -e $T/go ]; do sleep 0.05; done" &
holder=$!
started "$holder"
wait_for 10 test -e "$T/held"
"$slipway" init "$repo" > "$T/init.out" 2>&1 &
init=$!
started "$init"
ok "the init has made its root" wait_for 10 test -e \
    "$T/new/staging/.slipway/owner"
run "$slipway" init "$repo"
is_exit "another one does not begin" 4
like "and is told why" "$err" 'another slipway init is at work'
run "$slipway" init "$T/other.git" --root "$T/new/other"
is_exit "one of another repository does" 0
git -C "$work" push -q "$T/other.git" main > /dev/null 2>&1
is "whose site is live, beside it" \
    "$(cat "$T/new/other/current/index.html")" one
git -C "$repo" config admin.key wanted
touch "$T/go"
status=0
wait "$init" || status=$?
wait "$holder"
isnt "it has failed" "$status" 0
is "the other site is live still" \
    "$(cat "$T/new/other/current/index.html")" one
not_ok "its own root is gone" test -e "$T/new/staging"
is "what git was told meanwhile is told still" \
    "$(git -C "$repo" config admin.key)" wanted
is "the site that was there is live" "$(live_file index.html)" one

# Of a new repository nothing is left, whatever git has put into it.
mkdir -p "$T/templates/hooks"
echo own > "$T/templates/own"
echo other > "$T/templates/hooks/proc-receive"
git config --global init.templateDir "$T/templates"
run "$slipway" init "$T/fresh/new.git" --root "$T/fresh/site"
git config --global --unset init.templateDir
isnt "a new repository that fails" "$status" 0
like "at that hook" "$err" 'proc-receive is there already'
not_ok "is gone, and its folder" test -e "$T/fresh"

# A config that is a link stays one, and what it leads to is changed.
git init -q --bare "$T/link.git"
mv "$T/link.git/config" "$T/link.config"
ln -s ../link.config "$T/link.git/config"
run "$slipway" init "$T/link.git" --root "$T/link"
sed -i 's/^\[app\]/&\nrequire_signed_push = yes/' "$T/link.git/slipway.ini"
run "$slipway" init "$T/link.git"
is_exit "a config that is a link" 0
is "is one still" "$(readlink "$T/link.git/config")" ../link.config
ok "the seed is where it leads" grep -q certNonceSeed "$T/link.config"
is "which its owner alone can read" "$(stat -c %a "$T/link.config")" 600

# A root around that of another repository takes nothing from it.
mkdir "$T/wide"
run "$slipway" init "$T/inner.git" --root "$T/wide/sites/in"
git -C "$work" push -q "$T/inner.git" main > /dev/null 2>&1
for outer in wide wide/sites; do
	run "$slipway" init "$T/outer.git" --root "$T/$outer"
	is_exit "$outer: a root around another one" 2
	like "$outer: is refused, with whose that is" "$err" "$T/$outer would \
have the root of another environment in it: $T/wide/sites/in belongs to \
$T/inner.git, environment production; choose another root"
	not_ok "$outer: nothing is made in it" test -e "$T/$outer/releases"
done
run "$slipway" init "$T/outer.git" --root "$T/elsewhere"
sed -i "s|^root = .*|root = $T/wide|" "$T/outer.git/slipway.ini"
run git -C "$work" push "$T/outer.git" main
like "also when it is deployed" "$err" "would have the root of another"
not_ok "nor then" test -e "$T/wide/releases"
commit index.html again "again"
git -C "$work" push -q "$T/inner.git" main > /dev/null 2>&1
is "the one that was there deploys" \
    "$(cat "$T/wide/sites/in/current/index.html")" again
done_testing
