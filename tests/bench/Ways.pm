# Ways.pm - ways to make a release and to get rid of it: Slipway's, and what
# people use instead.
#
#	my $way = way_new('cp-al', $repo, $place);
#	my $run = way_make($way, $commit);	# timed, as bench_run()
#	$run = way_seal($way);
#	$run = way_drop($way, $name);
#	my @wrong = way_check($way);
#
# A way that is "whole" writes every file each time, whatever has changed:
# it needs no release before it. The others start from the one before. A
# script is given the repository, the new release, the commit, the release
# before and its commit, and the root.

package Ways;

use strict;
use warnings;
use Exporter 'import';
use Bench;

our @EXPORT = qw(way_check way_drop way_lacks way_make way_names way_new
    way_run_drift way_seal way_title);

my $git = 'git --git-dir="$repo" --work-tree="$new"';
my $head = 'set -e; repo=$1 new=$2 commit=$3 old=$4 was=$5 root=$6;';

my @order = qw(slipway slipway-link slipway-fresh archive checkout cp-al
    rsync ostree);
my %ways = (
	slipway => {
		title => 'slipway, as it deploys',
		retire => 1,
		options => [],
	},
	'slipway-link' => {
		title => 'slipway, links',
		options => [],
	},
	'slipway-fresh' => {
		title => 'slipway, no release yet',
		whole => 1,
		options => [],
	},
	archive => {
		title => 'git archive | tar',
		whole => 1,
		script => 'mkdir "$new"; git -C "$repo" archive "$commit" |
		    tar -x -C "$new"',
	},
	checkout => {
		title => 'git checkout, 2 workers',
		whole => 1,
		script => 'mkdir "$new"; export GIT_INDEX_FILE="$new.index";
		    ' . $git . ' -c checkout.workers=2 checkout -q -f
		    "$commit"',
	},
	'cp-al' => {
		title => 'cp -al, git read-tree -u',
		script => 'export GIT_INDEX_FILE="$new.index";
		    if [ -z "$old" ]; then mkdir "$new";
		    ' . $git . ' read-tree -m -u "$commit"; exit; fi;
		    cp -al "$old" "$new"; cp "$old.index" "$new.index";
		    ' . $git . ' -c core.trustctime=false read-tree -m -u
		    "$was" "$commit"',
	},
	rsync => {
		title => 'git checkout, rsync --link-dest',
		needs => 'rsync',
		slow => 1,
		script => 'mkdir -p "$root/copy";
		    export GIT_INDEX_FILE="$root/copy.index";
		    git --git-dir="$repo" --work-tree="$root/copy" -c
		    checkout.workers=2 checkout -q -f "$commit";
		    rsync -a ${old:+--link-dest="$old"} "$root/copy/"
		    "$new/"',
	},
	ostree => {
		title => 'ostree commit, checkout -H',
		needs => 'ostree',
		slow => 1,
		script => '[ -d "$root/repo" ] ||
		    ostree --repo="$root/repo" init --mode=bare;
		    git -C "$repo" archive --prefix=./ "$commit" |
		    ostree --repo="$root/repo" commit -b site -s x
		    --tar-autocreate-parents --tree=tar=/dev/stdin
		    --fsync=false;
		    ostree --repo="$root/repo" checkout -H site "$new"',
	},
);

sub way_names {
	return @order;
}

sub way_title {
	return $ways{$_[0]}{title};
}

# Why it cannot be had here; undef when it can.
sub way_lacks {
	my ($name) = @_;
	my $kind = $ways{$name} or return 'there is no such method';

	if (defined $kind->{needs}) {
		return "$kind->{needs} is not installed"
		    if system("command -v $kind->{needs} >/dev/null") != 0;
	}
	return 'build/tests/tool/store-tool is not there'
	    if $name =~ /^slipway/ && ! -x bench_tool('store-tool');
	return undef;
}

# The place is given now, or when one is needed ("whole").
sub way_new {
	my ($name, $repo, $place) = @_;
	my $way = { %{$ways{$name}}, name => $name, repo => $repo,
	    root => $place, count => 0, live => '', commit => '' };

	mkdir "$place/releases" if defined $place;
	return $way;
}

sub store {
	my ($way, $verb, @words) = @_;

	return [bench_tool('store-tool'), $way->{root}, $way->{repo}, $verb,
	    @words];
}

sub script {
	my ($way, $name, $commit) = @_;
	my $releases = "$way->{root}/releases";
	my $script = $head . $way->{script};

	$script =~ s/\n\s+/ /g;
	return ['sh', '-c', $script, 'sh', $way->{repo}, "$releases/$name",
	    $commit, $way->{live} eq '' ? '' : "$releases/$way->{live}",
	    $way->{commit}, $way->{root}];
}

# The next release; "name" of the run is what it is called.
sub way_make {
	my ($way, $commit, %how) = @_;
	my $name = sprintf '%014d', 20260101000000 + $way->{count}++;
	my $run;

	if (defined $way->{script}) {
		$run = bench_run(script($way, $name, $commit), %how);
	} else {
		$run = bench_run(store($way, 'make', $name, $commit,
		    @{$way->{options}}), %how);
		($run->{way}) = $run->{out} =~ /way=(\w+)/;
		bench_run(store($way, 'flip', $name), quick => 1)
		    unless $way->{whole};
	}
	@$way{qw(live commit)} = ($name, $commit);
	$run->{name} = $name;
	return $run;
}

# What was made last is on the disk.
sub way_seal {
	my ($way) = @_;

	return bench_run(defined $way->{script} ?
	    ['sync', '-f', "$way->{root}/releases/$way->{live}"] :
	    store($way, 'seal', $way->{live}), quick => 1);
}

sub way_drop {
	my ($way, $name, %how) = @_;
	my $folder = "$way->{root}/releases/$name";

	return bench_run(defined $way->{script} ?
	    ['rm', '-rf', $folder, "$folder.index"] :
	    store($way, $way->{retire} ? 'retire' : 'remove', $name), %how);
}

# How the live release differs from its commit, asked of git.
sub way_check {
	my ($way) = @_;
	my $folder = "$way->{root}/releases/$way->{live}";
	my $git = "git --git-dir='$way->{repo}' --work-tree='$folder'";
	my $said;

	local $ENV{GIT_INDEX_FILE} = "$way->{root}/check.index";
	$said = qx(exec 2>&1; $git read-tree $way->{commit} &&
	    { $git update-index -q --refresh; $git diff-files --name-status;
	    $git ls-files --others; });
	unlink $ENV{GIT_INDEX_FILE};
	return map { "$way->{name}: $_" } split /\n/, $said;
}

# What is not as deployed, by what stat(2) says.
sub way_run_drift {
	my ($way) = @_;

	return bench_run(store($way, 'drift', $way->{live}), may_fail => 1);
}

1;
