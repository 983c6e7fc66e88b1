#!/bin/sh
# What happened, for scripts: filters, lines of a form of one's own, and the
# chain, which somebody else can check.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
[environment staging]
branch = develop
root = ROOT-staging

[action updb]
phase = migrate
directive = updb
run = true

[action fails]
phase = test
directive = fails
run = false
EOF
sed -i "s,^root = ROOT-,root = $root-," "$repo/slipway.ini"
"$slipway" init "$repo" > "$T/.init" 2>&1 || diag "$(cat "$T/.init")"
push_raw 2> /dev/null
commit index.html one "first"
push
export GL_USER=bob
commit index.html two "second -updb-"
push
commit index.html three "third -fails- {state}	tab"
push
unset GL_USER
add_site staging "$root-staging"
push main~1:refs/heads/develop

list() {
	"$slipway" log -C "$repo" --format '{deploy}' "$@" | paste -s -d ' ' -
}
is "all, newest first" "$(list)" "4 3 2 1"
is "--reverse" "$(list --reverse)" "1 2 3 4"
is "of the newest two, the oldest first" "$(list -n 2 --reverse)" "3 4"
is "--pusher" "$(list --pusher BOB)" "3 2"
is "-d" "$(list -d updb)" "4 2"
is "as it is written" "$(list --directive -updb-)" "4 2"
is "also one that failed" "$(list -d fails)" "3"
is "--commit, by a name" "$(list --commit main~2)" "1"
is "by a branch" "$(list --commit main)" "3"
is "by some digits" "$(list --commit "$(head_of HEAD~1 | cut -c 1-9)")" "4 2"
is "several have to be met" "$(list --pusher bob --state failed)" "3"
is "with an environment, too" "$(list -e staging -d updb)" "4"
is "--until" "$(list --until "$(deploy 3 requested_at)")" "2 1"
is "--since and --until" "$(list --since "$(deploy 2 requested_at)" \
    --until "$(deploy 4 requested_at)")" "3 2"
is "nothing" "$(list --pusher nobody)" ""
for wrong in "--commit nowhere" "--until whenever" "-d Up" "--state lively"
do
	# shellcheck disable=SC2086 # two words
	run "$slipway" log -C "$repo" $wrong
	is_exit "$wrong" 2
	like "names the option" "$err" "${wrong%% *}|directive"
done
git -C "$repo" update-ref -d refs/heads/develop
like "a commit that the repository may have lost" \
    "$(list --commit "$(head_of | cut -c 1-12)")" '^3$'

line() {
	"$slipway" log -C "$repo" -n 1 --state failed --format "$1"
}
is "what is between stands for itself" "$(line 'a {deploy}: {state} %n')" \
    "a 3: failed %n"
is "a brace" "$(line '{{{deploy}}}')" '{3}'
is "values" "$(line '{environment} {kind} {short} {ref} {pusher}')" \
    "production deploy $(head_of | cut -c 1-7) refs/heads/main bob"
is "the whole commit" "$(line '{commit}')" "$(head_of)"
is "the author" "$(line '{author}')" "Alice <alice@example.org>"
is "a tab in a value is none" "$(line '{deploy}	{subject}')" \
    '3	third -fails- {state}\x09tab'
is "times as in JSON" "$(line '{requested_at}')" "$(deploy 3 requested_at)"
is "what is not known is nothing" "$(line '<{window_ms}{superseded_by}>')" \
    '<>'
is "the directives" "$(line '{directives}')" "fails"
like "the error" "$(line '{error}')" 'test'
run "$slipway" log -C "$repo" --format '{comit}'
is_exit "a name that is none" 2
like "with the nearest" "$err" 'no \{comit\}; did you mean \{commit\}'
run "$slipway" log -C "$repo" --format '{zzzzzzzzz}'
like "or with all" "$err" 'there are \{deploy\} \{environment\}'
run "$slipway" log -C "$repo" --format '{deploy'
is_exit "a brace that is open" 2
like "is told" "$err" "'\{' stands alone"
run "$slipway" log -C "$repo" --commit "$(head_of | cut -c 1-3)"
is_exit "three digits of a commit" 2
like "are too few" "$err" 'at least 4 digits'
is "how a pusher is known stands beside the name" \
    "$("$slipway" show -C "$repo" 1 | grep -A 1 '^  pusher' | sed 1d |
    cut -c 1-10)" "  known by"
run "$slipway" log -C "$repo" --format 'x' --json
is_exit "two results" 2

# The journal, for somebody who has another program: this one, in Perl.
cat > "$T/check.pl" <<'EOF'
use strict;
use warnings;
use Digest::SHA 'sha256_hex';
use JSON::PP;

my ($before, $n, $json) = (undef, 0, JSON::PP->new->utf8);
while (my $line = <STDIN>) {
	my $e = $json->decode($line);
	my $body = $e->{body_hex} ? pack 'H*', $e->{body_hex} : $e->{body};
	utf8::encode($body) unless $e->{body_hex};
	die "event $e->{event}: a gap\n"
	    if defined $before && $e->{before} ne $before && !$ENV{GAPS};
	my $hash = sha256_hex(pack('H*', $e->{before})
	    . join("\n", @$e{qw(event at noun key)}) . "\n" . $body);
	die "event $e->{event}: not its hash\n" if $hash ne $e->{hash};
	$before = $hash;
	$n++;
}
print "$n $before\n";
EOF
check() {
	perl "$T/check.pl" < "$1" 2>&1
}
"$slipway" audit export -C "$repo" > "$T/all"
is "every line is an object with a good hash" "$(check "$T/all")" \
    "$("$slipway" verify -C "$repo" |
    sed -n 's/^\([0-9]*\) events, head /\1 /p')"
sed 's/\(second\)/sEcond/' "$T/all" > "$T/edited"
like "an edited one is seen" "$(check "$T/edited")" 'not its hash'
sed 7d "$T/all" > "$T/short"
like "and a missing one" "$(check "$T/short")" 'event 8: a gap'
sed -n '/^use Digest::SHA/,/^}/p' \
    "$(dirname "$here")/install/man/slipway-store.5" |
    sed 's/\\e/\\/g' > "$T/recipe.pl"
is "what slipway-store(5) does about it agrees" \
    "$(perl "$T/recipe.pl" "$T/all" 2>&1)" ""
like "and sees the same" "$(perl "$T/recipe.pl" "$T/edited" 2>&1)" \
    '^event [0-9]+ is not its hash$'
is "pushes, pushers, deploys, steps and releases" \
    "$(sed 's/.*"noun":"\([a-z]*\)".*/\1/' "$T/all" | sort -u |
    paste -s -d ' ' -)" "deploy push pusher release step"
"$slipway" audit export -C "$repo" -e staging > "$T/staging"
like "of one environment" "$(grep -c . "$T/staging")" '^[1-9]'
is "nothing of another" "$(grep -c '\\"production\\"' "$T/staging")" 0
is "its push, too" "$(grep -c '"noun":"push"' "$T/staging" |
    sed 's/[1-9].*/some/')" some
is "and how each of its pushers is known" \
    "$(grep -c '"noun":"pusher"' "$T/staging")" \
    "$(sed -n 's/.*"noun":"push","key":\([0-9]*\).*/\1/p' "$T/staging" |
    sort -u | wc -l)"
like "each by itself can be checked" "$(GAPS=1 check "$T/staging")" \
    "^$(grep -c . "$T/staging") "
"$slipway" audit export -C "$repo" --since "$(deploy 3 requested_at)" \
    > "$T/late"
like "since" "$(check "$T/late")" "$(check "$T/all" | cut -d ' ' -f 2)\$"
"$slipway" audit export -C "$repo" --until "$(deploy 3 requested_at)" \
    > "$T/early"
is "and until: together they are all" "$(cat "$T/early" "$T/late")" \
    "$(cat "$T/all")"

# An author that is no UTF-8 is exported as it was hashed.
git -C "$work" -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty \
    --author "$(printf 'Jos\351') <jose@example.org>" -m "from afar"
push
"$slipway" audit export -C "$repo" > "$T/all"
is "bytes stay bytes" "$(check "$T/all")" \
    "$("$slipway" verify -C "$repo" |
    sed -n 's/^\([0-9]*\) events, head /\1 /p')"

# Who reads page by page keeps nobody from writing.
cp -r "$repo" "$T/long.git"
sqlite3 "$T/long.git/slipway/journal.db" "INSERT INTO events (at, noun, key,
    body, hash) SELECT at, noun, key, body, hash FROM events, (WITH RECURSIVE
    n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 50)
    SELECT n FROM n)"
mkfifo "$T/page"
"$slipway" audit export -C "$T/long.git" > "$T/page" &
reader=$!
started "$reader"
exec 7< "$T/page"
is "an export has begun" "$(head -c 1 <&7)" "{"
not_ok "and waits for its reader" ended "$reader"
ok "the journal can be written" sqlite3 "$T/long.git/slipway/journal.db" \
    "PRAGMA busy_timeout = 1000; BEGIN EXCLUSIVE; ROLLBACK;"
{
	printf '{'
	cat <&7
} > "$T/paged"
exec 7<&-
wait "$reader"
"$slipway" audit export -C "$T/long.git" > "$T/all"
ok "it is whole in the end" cmp "$T/paged" "$T/all"

# What changed a path, beside what was live.
sed -i 's/^run = false/run = true/' "$repo/slipway.ini"
is "--path" "$(list --path index.html)" "5 4 3 2 1"
is "a path that is nowhere" "$(list --path nowhere)" ""
push_file css/site.css x "a style"
push_file index.html five "fourth"
is "what brought a file" "$(list --path css/site.css)" "6"
is "or a folder" "$(list --path css)" "6"
git -C "$work" rm -q css/site.css
push_file index.html six "without a style"
is "and what took it away" "$(list --path css/site.css)" "8 6"
is "the oldest first" "$(list --path css/site.css --reverse)" "6 8"
is "one of them" "$(list --path css/site.css -n 1)" "8"
run "$slipway" log -C "$repo" --path /etc/passwd
is_exit "a path that is none of the site's" 2
like "with one that is" "$err" 'say a path of the site'

run "$slipway" audit exprot -C "$repo"
is_exit "a slip" 2
like "is helped" "$err" 'did you mean .*audit export'
run "$slipway" audit -C "$repo"
is_exit "the word is needed" 2

# What was changed behind its back is told column by column.
sql "UPDATE deploys SET error = 'nothing of note' WHERE number = 3"
run "$slipway" verify -C "$repo"
is_exit "an edited row" 1
like "it says what is there, and what was" "$out" \
    "^deploy 3 is not .* error is 'nothing of note', was 'test .fails.: exit 1"
like "and what to do" "$err" "from a backup of $repo/slipway/journal.db"
run "$slipway" doctor -C "$repo" --etc "$T"
like "the doctor sees it" "$out" \
    "^fault: $repo/slipway/journal.db: 1 of its rows and events"
like "and names what tells more" "$out" "slipway verify -C $repo tells which"
done_testing
