#!/bin/sh
# What commands of a deploy make of a release is no edit of somebody's, also
# where the deploy is taken back or picked up.

. "$(dirname "$0")/../lib.sh"

make_site
# shellcheck disable=SC2016 # all of it is for the commands
config_trace <<'EOF'
drift = refuse

[action group]
phase = build
run = chmod g+w storage storage/empty .

[action warm]
phase = clear
run = mkdir -p warm && echo x >> warm/routes; test ! -e "$TRACE.old" || test -e unhealthy || { rm "$TRACE.old"; kill -9 $PPID; }

[action check]
phase = verify
run = test ! -e unhealthy

[action die]
phase = notify
retry = no
run = test ! -e "$TRACE.die" || { rm "$TRACE.die"; kill -9 $PPID; }
EOF
built=warm

drift() {
	run "$slipway" drift -C "$repo"
}

# from_live: the next commit is one on top of what is live.
from_live() {
	git -C "$work" reset -q --hard \
	    "$(git -C "$repo" rev-parse refs/live/production)"
}

# look PATH: mode of that of the live release.
look() {
	stat -c %A "$root/current/$1"
}

put storage/keep x
put storage/empty/.keep x
push_file index.html one "first"
one=$(current)
drift
is_exit "the mode that a command gave a folder is no drift" 0

# A deploy that is taken back clears the cache of the old release.
put unhealthy x
push_file index.html two "second"
is "a deploy is taken back" "$(newest state)" rolled-back
is "the cache of the old release was made anew" \
    "$(grep -c x "$root/releases/$one/warm/routes")" 2
drift
is_exit "which is no drift" 0
from_live
push_file index.html three "third" --force main
is "and stops no deploy" "$(newest state)" live

# Interrupted there.
: > "$T/trace.old"
put unhealthy x
push_file index.html four "fourth"
is "one that was interrupted in it is taken back" "$(newest state)" \
    rolled-back
drift
is_exit "which is no drift either" 0

# Edits are edits.
sed -i 's/^drift = .*/drift = warn/' "$repo/slipway.ini"
echo edited > "$root/current/index.html"
git -C "$work" commit -q --allow-empty -m again
push_raw main
is "another one is taken back" "$(newest state)" rolled-back
drift
is_exit "what was edited before it is still told" 1
like "by name" "$out" 'modified +index.html'
echo three > "$root/current/index.html"

# Picked up when it is live.
from_live
: > "$T/trace.die"
push_file index.html five "fifth" --force main
is "one that was interrupted at its end is live" "$(deploy \
    "$(newest deploy)" state)" live
like "it was picked up" "$("$slipway" show -C "$repo" \
    "$(newest deploy)")$err" 'notify +die: interrupted|was interrupted'
drift
is_exit "what its commands have made is no drift" 0

# Modes of the commit's folders.
slip rollback
is_exit "a rollback" 0
unlike "has nothing to put right" "$out$err" 'put right'
is "and takes no mode away" "$(look storage) $(look storage/empty) $(look .)" \
    "drwxrwxr-x drwxrwxr-x drwxrwxr-x"
chmod 0755 "$root/current/storage" "$root/current/."
drift
like "a folder's mode is told with what a command had made it" "$out" \
    '^mode +storage/ +\(755 instead of 775, since'
is_exit "that somebody takes it away is an edit" 1
is "of each of them" "$(printf '%s\n' "$out" | sed 's/ *(.*//')" "$(
    printf '%s\n' 'mode      ./' 'mode      storage/')"
run "$slipway" drift -C "$repo" --repair
drift
is_exit "and is put right" 0
is "to what the command had made" "$(look storage) $(look .)" \
    "drwxrwxr-x drwxrwxr-x"

# Of a folder that is gone.
rm -r "$root/current/storage"
run "$slipway" drift -C "$repo" --repair
is_exit "folders that were removed are put right at once" 0
is "with the modes that the command had given" \
    "$(look storage) $(look storage/empty)" "drwxrwxr-x drwxrwxr-x"
gone=$(current)
push_file index.html six "sixth" --force main
rm -r "$root/releases/$gone/storage"
slip rollback "$gone"
is_exit "so they are by a rollback" 0
like "which tells what was gone" "$out$err" \
    'put right: storage/empty/.keep removed, storage/keep removed'
is "with the same modes" "$(look storage) $(look storage/empty)" \
    "drwxrwxr-x drwxrwxr-x"

done_testing
