#!/bin/sh
# A plain git push over a path makes a release live and says so.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
[action updb]
phase = migrate
directive = updb
run = echo "3 updates applied"

[action cc]
phase = clear
directive = cc
run = echo cleared
EOF
push_file index.html one "first page"
is_exit "the push succeeds" 0
is "the page is live" "$(live_file index.html)" one
first=$(current)
like "the release is named by time" "$first" '^20[0-9]{12}$'
like "the phases are shown, each with its time" "$banner" \
    '^ *checkout +[0-9.]+ m?s'
like "the flip, too" "$banner" '^ *symlink +[0-9.]+ m?s'
like "what is live" "$banner" "production: release $first is live"
like "the commit" "$banner" "commit +$(head_of | cut -c 1-7)[0-9a-f]* first page"
like "the number of the deploy" "$banner" 'deploy +1,'
like "how long it took, and the window" "$banner" \
    'prepared in [0-9.]+ m?s, window [0-9.]+ m?s'
like "migrations" "$banner" 'migrations +(did )?not'
like "the maintenance page" "$banner" 'maintenance +not used'

mkdir -p "$work/sub/folder"
ln -s ../index.html "$work/sub/link"
printf '#!/bin/sh\n' > "$work/sub/tool"
chmod +x "$work/sub/tool"
git -C "$work" add sub
commit "sub/folder/with space" x "two"
push_file index.html two "monthly updates -updb- -cc-"
is_exit "the second push succeeds" 0
second=$(current)
isnt "it has a release of its own" "$second" "$first"
is "its page is live" "$(live_file index.html)" two
is "the release before is still there" \
    "$(cat "$root/releases/$first/index.html")" one
is "symlinks are symlinks" "$(readlink "$root/current/sub/link")" \
    ../index.html
ok "executables are executable" test -x "$root/current/sub/tool"
ok "names may have spaces" test -f "$root/current/sub/folder/with space"
like "the command's output is shown" "$banner" '3 updates applied'
like "what each directive did" "$banner" 'directives +updb done, cc done'
like "that migrations ran" "$banner" 'migrations +ran'
like "how to roll back" "$banner" "slipway rollback .*$repo"
unlike "nothing of ours went wrong" "$banner" '(error|warning):'
is "ls-remote tells what is live" \
    "$(git -C "$work" ls-remote production refs/live/production | cut -f 1)" \
    "$(head_of)"
is "the deployed commit is kept from gc" \
    "$(git -C "$repo" rev-parse refs/slipway/deploys/2)" "$(head_of)"
unlike "our refs are hidden from clients" \
    "$(git -C "$work" ls-remote production)" refs/slipway/deploys
run git -C "$repo" log -1 --notes=deploys --format=%N main
like "a note tells of the deploy" "$out" "production"
like "and who made it" "$out" "$(id -un)"

before=$(snapshot)
push
is_exit "a push of nothing succeeds" 0
like "git says so" "$err" "Everything up-to-date"
is "nothing changed" "$(snapshot)" "$before"

# A site of some size, in one folder and in many.
i=0
while [ $i -lt 300 ]; do
	i=$((i + 1))
	mkdir -p "$work/many/$((i % 17))"
	echo "file $i" > "$work/many/$((i % 17))/$i.txt"
done
git -C "$work" add many
git -C "$work" commit -q -m "many files"
push
is "many files arrive" "$(find "$root/current/many" -type f | wc -l)" 300
like "and are counted" "$banner" '30[0-9] files'

# Words of a pusher never reach the terminal as control characters.
commit index.html three "$(printf 'red \033[31m subject \302\233 \r end')"
push
is_exit "a commit with control characters is deployed" 0
not_ok "no escape reaches the terminal" \
    grep -q "$(printf '\033')\|$(printf '\302\233')" "$T/.err"
run "$slipway" log -C "$repo"
not_ok "nor through slipway log" \
    grep -q "$(printf '\033')\|$(printf '\302\233')" "$T/.out"

run git -C "$work" push --quiet production main
is_exit "a quiet push of nothing is quiet" 0

# Attributes are those of the commit.
printf '*.txt text eol=crlf\n*.id ident\n' > "$work/.gitattributes"
printf 'a\nb\n' > "$work/lines.txt"
# The dollar signs are git's.
# shellcheck disable=SC2016
printf '$Id$\n' > "$work/v.id"
git -C "$work" add -A
git -C "$work" commit -q -m "attributes"
push
is "eol is applied" "$(od -An -c < "$root/current/lines.txt" | tr -d ' \n')" \
    'a\r\nb\r\n'
like "ident is applied" "$(live_file v.id)" '^.Id: [0-9a-f]{40} \$$'

# export = yes is git archive.
config <<'EOF'
export = yes
EOF
printf 'tests export-ignore\nversion export-subst\n' > "$work/.gitattributes"
mkdir "$work/tests"
echo x > "$work/tests/a"
# shellcheck disable=SC2016
printf '$Format:%%H$\n' > "$work/version"
git -C "$work" add -A
git -C "$work" commit -q -m "export"
export_ignore=yes
push
not_ok "export-ignore is left out" test -e "$root/current/tests"
is "export-subst is filled in" "$(live_file version)" "$(head_of)"
git -C "$work" branch -q elsewhere
push elsewhere
like "a branch that nothing deploys has a way to be" "$banner" \
    'deploys main\); to have it deployed: git push REMOTE [0-9a-f]{7}:refs/heads/main$'
done_testing
