#!/usr/bin/perl
# release.pl - what a release costs: time and memory to make it and to get
# rid of the oldest one, Slipway's ways beside others', in one run.
#
#	SIZES="300 20000 80000"	files in the generated trees
#	CHANGES="10 500 5000"	changed files, where a tree has twice as many
#	COLD="10"		of these, which ones also with cold caches
#	RUNS=5			of each, 3 times as many below 1,000 files; at most
#				3 with cold caches above 50,000
#	METHODS="slipway archive ..."	some of them (see Ways.pm)
#	TREE=path.git OLD=rev NEW=rev	this one instead of generated trees
#	KEEP=5			releases that stay, of Slipway
#
# The ways take turns, each on a file system of its own (see Bench.pm). Each
# change of N files is a commit of its own on top of the last one. A way
# that starts from the release before has its releases stay until the end,
# and then the oldest goes first; "slipway" deploys as the product does, so
# each deploy retires the oldest, which the next may turn into its own. A
# way that writes everything gets a fresh file system for each run. Memory is
# of a run of its own, which is not timed.

use strict;
use warnings;
use FindBin;
use Time::HiRes 'time';
use lib $FindBin::Bin;
use Bench;
use Forest;
use Ways;

# From so many files on, what is slow is measured less often.
use constant {
	LARGE => 1000,
	BIG => 50_000,
};

my $base = bench_begin('release');
my $runs = $ENV{RUNS} // 5;
my $keep = $ENV{KEEP} // 5;
my %cold = map { $_ => 1 } bench_words('COLD', '10');
my @names = grep { is_there($_) } bench_words('METHODS',
    join ' ', way_names());
# $result{files}{changes}{warm|cold|memory}{way}{make|seal|drop|...}: a list
my (%result, %trees, @later);

sub is_there {
	my ($name) = @_;
	my $why = way_lacks($name);

	bench_skip($name, $why) if defined $why;
	return !defined $why;
}

sub note {
	my ($files, $changes, $state, $way, %values) = @_;
	my $list = $result{$files}{$changes}{$state}{$way->{name}} //= {};

	push @{$list->{$_}}, $values{$_} for keys %values;
}

# Room for what a way leaves behind: trees, and what changed.
sub place_bytes {
	my ($tree, $trees) = @_;
	my $bytes = $tree->{files} * 24_000 * $trees + (1 << 30);

	return $bytes;
}

# A way that writes everything gets a place for one run.
sub fresh_place {
	my ($way, $tree) = @_;
	my $name = "$way->{name}-$tree->{files}-" . $way->{places}++;

	$way->{root} = bench_place($name, place_bytes($tree, 2));
	$way->{place} = $name;
	mkdir "$way->{root}/releases";
	$way->{live} = '';
}

# Removal is timed at once where it hurts nothing that comes later.
sub drop {
	my ($tree, $changes, $state, $way, $name) = @_;
	my %at = (memory => $state eq 'memory');

	bench_cool() if $state eq 'cold';
	my $run = way_drop($way, $name, %at);
	note($tree->{files}, $changes, $state, $way, $at{memory} ?
	    (kib => $run->{kib}, beyond => $run->{beyond}) :
	    (drop => $run->{ms}));
}

# What has to go now, or is to go when all runs are over.
sub dispose {
	my ($tree, $changes, $state, $way, $name) = @_;
	my @drop = ($tree, $changes, $state, $way);

	if ($way->{retire}) {
		push @{$way->{kept}}, $name;
		drop(@drop, shift @{$way->{kept}})
		    if @{$way->{kept}} > $keep;
	} elsif ($way->{whole} && $Bench::images) {
		drop(@drop, $name);
		bench_free_place($way->{place});
	} else {
		push @later, [@drop, $name, $way->{root}]
		    unless $state eq 'lead';
	}
}

# A way's last release against its commit.
sub check_way {
	my ($way) = @_;
	my @wrong = way_check($way);

	die "not as git would have it:\n", map { "$_\n" }
	    @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)] if @wrong;
}

# One deploy, as far as it is a matter of folders.
sub deploy {
	my ($tree, $changes, $state, $way, $commit) = @_;
	my ($memory, $cold) = ($state eq 'memory', $state eq 'cold');

	fresh_place($way, $tree) if $way->{whole};
	bench_cool() if $cold;
	my $run = way_make($way, $commit, memory => $memory);
	my $seal = way_seal($way);
	note($tree->{files}, $changes, $state, $way, $memory ?
	    (kib => $run->{kib}, beyond => $run->{beyond}) :
	    (make => $run->{ms}, seal => $seal->{ms}));
	$way->{how}{$run->{way}}++ if defined $run->{way}
	    && $state =~ /warm|cold/;
	check_way($way) if $memory && $tree->{files} < BIG;
	dispose($tree, $changes, $state, $way, $run->{name});
}

# What each round is. The first ones bring all releases of Slipway as far
# apart as those of a site that deploys so many changes each time.
sub rounds_of {
	my ($tree, $changes) = @_;
	my $warm = $tree->{files} < LARGE ? $runs * 3 : $runs;
	my $cold = !$cold{$changes} || !bench_can_cool() ? 0 :
	    $tree->{files} < BIG || $runs < 3 ? $runs : 3;

	return (('early') x $keep, 'lead', 'memory', ('warm') x $warm,
	    ('cold') x $cold);
}

# Whether a way has a part in a round: not where nothing can come of it that
# is not known already, and not where it would take long and was not asked
# for.
sub takes_part {
	my ($way, $tree, $state, $first) = @_;
	my $large = $tree->{files} > LARGE;

	return 0 if $large && !$first && ($way->{whole} || $way->{slow});
	return $way->{retire} if $state eq 'early';
	return !$way->{whole} if $state eq 'lead';
	return 1;
}

sub measure_changes {
	my ($tree, $changes, $first, @ways) = @_;
	my @rounds = rounds_of($tree, $changes);
	my @commits = forest_grow($tree, changes => $changes,
	    commits => scalar @rounds);

	for my $round (@rounds) {
		my $commit = shift @commits;

		for my $way (grep { takes_part($_, $tree, $round, $first) }
		    @ways) {
			deploy($tree, $changes, $round, $way, $commit);
		}
		push @ways, shift @ways;
	}
}

# In the largest tree the slow ones are left out, unless they were asked for.
sub ways_for {
	my ($tree) = @_;

	return @names if $tree->{files} < BIG || defined $ENV{METHODS};
	return grep { !way_new($_, '', undef)->{slow} } @names;
}

# A way that starts from a release gets one.
sub begin_way {
	my ($tree, $name) = @_;
	my $way = way_new($name, $tree->{repo}, undef);

	return $way if $way->{whole};
	fresh_place($way, $tree);
	way_make($way, $tree->{first});
	push @{$way->{kept}}, $way->{live};
	return $way;
}

# What was kept until all runs are over goes, the oldest first. One release
# more is made, since the live one cannot go.
sub drop_later {
	my ($tree, $commit, @ways) = @_;

	for my $way (grep { !$_->{whole} && !$_->{retire} } @ways) {
		way_make($way, $commit);
	}
	system('sync');
	for my $drop (@later) {
		my $root = pop @$drop;

		$drop->[3]{root} = $root;
		drop(@$drop);
	}
	@later = ();
}

# By stat alone, against git status with an index; files as they should be.
sub measure_drift {
	my ($tree, @ways) = @_;
	my ($slipway) = grep { $_->{name} =~ /^slipway/ && !$_->{whole} }
	    @ways or return;
	my $folder = "$slipway->{root}/releases/$slipway->{live}";
	my $index = "$base/status.index";
	my @git = ('env', "GIT_INDEX_FILE=$index", 'git',
	    "--git-dir=$tree->{repo}", "--work-tree=$folder");
	my (%ms, $said);

	system(@git, 'update-ref', '--no-deref', 'HEAD',
	    $slipway->{commit}) == 0 or die 'update-ref';
	system(@git, 'read-tree', $slipway->{commit}) == 0 or die 'read-tree';
	system(@git, 'update-index', '-q', '--refresh') == 0
	    or die 'update-index';
	for my $n (0 .. $runs) {
		my $drift = way_run_drift($slipway);
		my $status = bench_run([@git, 'status', '--porcelain']);

		die "drift where there is none:\n$drift->{out}"
		    if $drift->{out} ne '';
		next if $n == 0;
		push @{$ms{drift}}, $drift->{ms};
		push @{$ms{status}}, $status->{ms};
	}
	print "\n  looking for drift: slipway "
	    . bench_seconds(bench_median(@{$ms{drift}}))
	    . " s, git status " . bench_seconds(bench_median(
	    @{$ms{status}})) . " s\n";
}

sub cell {
	my ($files, $changes, $state, $name, $what) = @_;
	my $list = $result{$files}{$changes}{$state}{$name}{$what} // [];

	return bench_median(@$list);
}

# The time to make a release and get rid of one, in milliseconds; undef
# where it is not known.
sub total {
	my @at = @_;
	my ($make, $drop) = (cell(@at, 'make'), cell(@at, 'drop'));

	return defined $make && defined $drop ? $make + $drop : undef;
}

sub mib {
	my ($kib) = @_;

	return defined $kib ? sprintf '%.1f', $kib / 1024 : '-';
}

sub peak {
	my ($files, $changes, $name, $what) = @_;
	my $list = $result{$files}{$changes}{memory}{$name}{$what} // [];
	my ($most) = sort { $b <=> $a } @$list;

	return mib($most);
}

# How far the runs were apart: the slowest as a multiple of the fastest.
sub spread {
	my @make = sort { $a <=> $b } @{$_[0]};

	return sprintf '%.1f', $make[-1] / $make[0];
}

# One line of a table. Ways that were not run for so many changes are told
# of by those of the fewest changes.
sub row {
	my ($files, $changes, $least, $state, $name) = @_;
	my @at = ($files, $changes, $state, $name);
	my $mark = '';

	if (!defined cell(@at, 'make')) {
		@at[1] = ($least);
		$mark = ' *';
	}
	return () unless defined cell(@at, 'make');
	my $reference = total(@at[0 .. 2], 'archive')
	    // total($files, $least, $state, 'archive');
	my $total = total(@at);
	return [way_title($name) . $mark,
	    map({ bench_seconds(cell(@at, $_)) } qw(make drop)),
	    bench_seconds($total), defined $reference && defined $total ?
	    sprintf('%.2f', $total / $reference) : '-',
	    bench_seconds(cell(@at, 'seal')),
	    spread($result{$files}{$at[1]}{$state}{$name}{make}),
	    map { peak($files, $at[1], $name, $_) } qw(kib beyond)];
}

sub print_table {
	my ($files, $changes, $least, $state, $title, @names) = @_;
	my @rows = map { row($files, $changes, $least, $state, $_) } @names;

	return unless @rows;
	print "\n  $title\n", bench_table(['', qw(make drop both), 'ratio',
	    'sync', 'spread', 'MiB', 'but packs'], \@rows);
}

sub print_tree {
	my ($tree, @changes) = @_;
	my @whole = grep { way_new($_, '', undef)->{whole} } @names;
	my @known = grep { $_ ne 'slipway-fresh' } @names;

	for my $state ('warm', 'cold') {
		my @at = ($tree->{files}, $changes[0], $changes[0], $state);

		print_table(@at, "the first release, $state", @whole);
		for my $changes (@changes) {
			next unless $result{$tree->{files}}{$changes}{$state};
			$at[1] = $changes;
			print_table(@at, bench_number($changes)
			    . " changed files, $state", @known);
		}
	}
}

sub describe {
	my ($tree) = @_;
	my $git = "git --git-dir='$tree->{repo}'";
	my ($bytes) = qx($git ls-tree -r -l $tree->{first} |
	    awk '{ sum += \$4 } END { print sum + 0 }');
	my $folders = () = qx($git ls-tree -r -d --name-only $tree->{first});
	my ($packs) = qx(du -sk '$tree->{repo}/objects') =~ /^(\d+)/;

	printf "\n%s files in %s folders, %.1f MiB, %.1f MiB packed\n",
	    bench_number($tree->{files}), bench_number($folders),
	    $bytes / (1 << 20), $packs / 1024;
}

sub measure_tree {
	my ($tree) = @_;
	my $begin = time;
	my @changes = defined $tree->{pair} ? ($tree->{changes}) :
	    grep { $_ * 2 <= $tree->{files} }
	    bench_words('CHANGES', '10 500 5000');
	my @ways = map { begin_way($tree, $_) } ways_for($tree);

	describe($tree);
	$cold{$tree->{changes}} = 1 if defined $tree->{pair} && %cold;
	for my $changes (@changes) {
		measure_changes($tree, $changes, $changes == $changes[0],
		    @ways);
	}
	measure_drift($tree, @ways);
	drop_later($tree, forest_grow($tree, changes => 1, commits => 1),
	    @ways);
	print_tree($tree, @changes);
	for my $way (grep { $_->{how} } @ways) {
		print "  $way->{title}: ", join(', ', map {
		    "$way->{how}{$_} by $_" } sort keys %{$way->{how}}), "\n";
	}
	bench_free_place($_->{place}) for grep { $_->{place} } @ways;
	printf "  (%d s)\n", time - $begin;
}

# One value for each size, or for each number of changes.
sub print_growth {
	my ($title, $unit, @points) = @_;
	my @rows;

	return if @points < 2;
	for my $name (grep { $_ ne 'slipway-fresh' } @names) {
		my @cells = map {
			total(@$_[1, 2], 'warm', $name)
			    // total(@$_[1, 3], 'warm', $name)
		} @points;

		push @rows, [way_title($name), map { bench_seconds($_) }
		    @cells] if grep { defined } @cells;
	}
	print "\n$title\n", bench_table([$unit, map {
	    bench_number($_->[0]) } @points], \@rows);
}

sub print_all_growth {
	my @sizes = sort { $a <=> $b } keys %result;
	my $most = $sizes[-1] // return;
	my @changes = sort { $a <=> $b } keys %{$result{$most}};
	my $least = $changes[0];

	print_growth("$least changed files: make and drop, by files in the"
	    . ' tree (s)', 'files', map { [$_, $_, $least, $least] }
	    grep { $result{$_}{$least} } @sizes);
	print_growth(bench_number($most) . ' files: make and drop, by changed'
	    . ' files (s)', 'changes', map { [$_, $most, $_, $least] }
	    @changes);
}

print "Releases: ", bench_machine(), "\n";
print "Seconds, medians of $runs runs; ratio is to git archive | tar and"
    . " rm -rf.\n* does not depend on the changes, or is slow: measured with"
    . " the fewest.\n";
bench_skip('cold caches', 'they cannot be dropped here')
    unless bench_can_cool();
if (defined $ENV{TREE}) {
	my $repo = "$base/tree.git";

	system('git', 'clone', '-q', '--bare', $ENV{TREE}, $repo) == 0
	    or die "$ENV{TREE} cannot be cloned\n";
	measure_tree(forest_found($repo, $ENV{OLD} // 'HEAD~1',
	    $ENV{NEW} // 'HEAD'));
} else {
	for my $files (bench_words('SIZES', '300 20000 80000')) {
		my $tree = forest_plant("$base/tree-$files.git",
		    files => $files, leafy => $files > 1000 && $files < BIG);

		measure_tree($tree);
		system('rm', '-rf', $tree->{repo}) if $Bench::images;
	}
	print_all_growth();
}
