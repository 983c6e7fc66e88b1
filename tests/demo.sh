#!/bin/sh
# demo.sh - a real deployment from nothing, in a temporary folder: what a
# newcomer sees first. "make demo" runs it.

set -eu

build=${SLIPWAY_BUILD:-$(cd "$(dirname "$0")/.." && pwd)/build}
[ -x "$build/bin/slipway" ] || {
	echo "demo.sh: run make first" >&2
	exit 1
}

place=$(mktemp -d "${TMPDIR:-/tmp}/slipway-demo.XXXXXX")
export HOME="$place/home" GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
export PATH="$build/bin:$PATH"
for name in $(env | sed -n 's/^\(GIT_[A-Z0-9_]*\)=.*/\1/p'); do
	[ "$name" = GIT_CONFIG_NOSYSTEM ] || unset "$name"
done
mkdir "$HOME"
cat > "$HOME/.gitconfig" <<-EOF
	[user]
		name = Alice
		email = alice@example.org
	[init]
		defaultBranch = main
EOF

bold=
plain=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$(printf '\033[1m')
	plain=$(printf '\033[0m')
fi

say() {
	printf '\n# %s\n' "$*"
}

# show COMMAND: print a command line, then run it.
show() {
	printf '%s$ %s%s\n' "$bold" "$1" "$plain"
	sh -c "$1" 2>&1
}

cd "$place"
say "On the server: a bare repository that deploys to $place/site."
show "slipway init shop.git --root $place/site"

say "Two commands that a commit may ask for, and a check of each deploy."
cat >> shop.git/slipway.ini <<'EOF'

[action updb]
phase = migrate
directive = updb
record = cat "$SLIPWAY_SHARED/db" 2>/dev/null || echo 1
run = tee "$SLIPWAY_SHARED/db" < schema
undo = tee "$SLIPWAY_SHARED/db" < "$SLIPWAY_RECORD"

[action cc]
phase = clear
directive = cc
run = echo "caches cleared"

[action check]
phase = verify
run = test -s "$SLIPWAY_CURRENT/index.html"
EOF
show "tail -n 16 shop.git/slipway.ini"

say "On the developer's machine: git, and nothing else."
show "git init -q shop && cd shop && git remote add production ../shop.git"
cd shop
echo '<h1>Shop</h1>' > index.html
echo 1 > schema
show "git add . && git commit -q -m 'first page'"
show "git push -q production main"
show "cat ../site/current/index.html"

say "A release that changes the database and the caches says so."
echo '<h1>Shop, with prices</h1>' > index.html
echo 2 > schema
show "git commit -q -am 'monthly updates -updb- -cc-'"
show "git push -q production main"

say "One that fails its check: database and site go back by themselves."
: > index.html
echo 3 > schema
show "git commit -q -am 'an empty page -updb-'"
show "git push -q production main"
show "cat ../site/current/index.html ../site/shared/db"

say "Back to the first release, and the database with it."
show "slipway rollback --yes -C ../shop.git"
show "cat ../site/current/index.html ../site/shared/db"

say "Everything that happened was written down."
show "slipway log -C ../shop.git"
show "slipway verify -C ../shop.git"

cat <<EOF

Three things to try next. All of this is still in
$place/shop:

  cd $place/shop
  export PATH="$build/bin:\$PATH" HOME=$place/home

  slipway show -C ../shop.git 2         what deploy 2 did, step by step
  date > index.html && git commit -am 'oops -udpb-' && git push production main
                                        a word that nobody knows
  slipway rollback -C ../shop.git       and back from that, with the database

When you have seen enough: rm -rf $place
On a server of your own: install/install.sh REPO --root DIR
EOF
