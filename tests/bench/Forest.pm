# Forest.pm - repositories with trees of any size, the same from one seed.
#
#	my $tree = forest_plant($repo, files => 20000, seed => 1);
#	my @commits = forest_grow($tree, changes => 10, commits => 7);
#	my $tree = forest_found($repo, $old, $new);
#
# What is planted is meant to cost what a site costs. The sizes of the files
# are spread like those of real ones (log-normal: half are below 3 KB, the
# mean is about 11 KB, some have hundreds), and their text shrinks to about
# 30 percent. Folders hold 15 files each, as in a large program, or 3.4
# ("leafy"), as in Drupal; one file in 50 is executable, one in 500 a
# symlink. A commit changes files here and there, never one that the commit
# before has changed too, as far as there are enough.

package Forest;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(forest_found forest_grow forest_plant);

use constant {
	POOL_SIZE => 6 << 20,
	MEDIAN_SIZE => 3000,
	SPREAD => 1.6,
	SIZE_MAX => 1 << 20,
};

my @syllables = qw(ba co de fi gu ha in ko lu me no or pa qui re sa ti un
    ver wo ex yl zen tra sto pre con able ing ter);
my $pool = '';

sub word {
	return join '', map { $syllables[rand @syllables] } 0 .. rand 3;
}

# Lines as programs have them. Few words are frequent and many are rare, and
# lines resemble those shortly before them: this is what text shrinks by.
sub make_pool {
	my @words = map { word() } 1 .. 3000;
	my @marks = (' ', ' ', ' ', ' ', '(', ') ', ', ', '->', ' = ', '.');
	my @lines;
	my $line = '';

	while (length $pool < POOL_SIZE) {
		$line .= $words[@words * rand() ** 3]
		    . $marks[rand @marks];
		next if length $line < 20 + rand 50;
		push @lines, "\t" x (rand 3) . "$line;\n";
		$pool .= $lines[-1];
		shift @lines if @lines > 20;
		$line = rand() < 0.3 ? '' : substr $lines[rand @lines], 0,
		    rand 60;
		$line =~ s/^\t+|;\n//g;
	}
}

sub normal {
	return sqrt(-2 * log(1 - rand)) * cos(6.283185307 * rand);
}

sub file_size {
	my $size = int(MEDIAN_SIZE * exp(SPREAD * normal()));

	return $size > SIZE_MAX ? SIZE_MAX : $size;
}

# Another text each time, which starts with what it is.
sub content {
	my ($tree, $path, $size) = @_;
	my $head = "/* $path, text $tree->{texts} */\n";

	$tree->{texts}++;
	return $head . substr $pool, rand(POOL_SIZE - $size), $size;
}

# Each folder is in one that was made before it, so that some are deep.
sub make_folders {
	my ($count) = @_;
	my @folders = ('');

	for my $n (1 .. $count - 1) {
		my $parent = $folders[@folders * rand() ** 2];

		$parent = '' if ($parent =~ tr,/,,) > 9;
		push @folders, $parent . word() . "$n/";
	}
	return @folders;
}

sub make_paths {
	my ($count, $per_folder) = @_;
	my @folders = make_folders(int($count / $per_folder) || 1);
	my @endings = qw(.php .js .c .html .yml .css .txt);

	return map {
		($_ < @folders ? $folders[$_] : $folders[rand @folders])
		    . word() . $_ . $endings[rand @endings]
	} 0 .. $count - 1;
}

sub import_begin {
	my ($repo) = @_;

	open my $pipe, '|-', 'git', "--git-dir=$repo", '-c',
	    'pack.compression=2', 'fast-import', '--quiet', '--depth=0',
	    '--force' or die "git: $!";
	binmode $pipe;
	return $pipe;
}

sub import_end {
	my ($pipe) = @_;

	close $pipe or die 'git fast-import failed';
}

# In the order in which a push would have left them.
sub repack {
	my ($repo) = @_;

	system('git', "--git-dir=$repo", qw(-c pack.window=0 repack -adq)) == 0
	    or die 'git repack';
}

sub put_commit {
	my ($pipe, $tree, $mark) = @_;
	my $message = "commit $tree->{commits}";
	my $from = $tree->{tip};

	$tree->{commits}++;
	print $pipe "commit refs/heads/main\nmark :$mark\n"
	    . "committer Alice <alice\@example.org> "
	    . (1767225600 + $tree->{commits}) . " +0000\ndata "
	    . length($message) . "\n$message\n"
	    . (defined $from ? "from $from\n" : '');
	$tree->{tip} = ":$mark";
}

sub put_file {
	my ($pipe, $tree, $n) = @_;
	my $path = $tree->{paths}[$n];
	my $mode = $n % 500 == 499 ? 120000 : $n % 50 == 49 ? 100755 : 100644;
	my $text = $mode == 120000 ? "to-$tree->{texts}"
	    : content($tree, $path, $tree->{sizes}[$n]);

	$tree->{texts}++ if $mode == 120000;
	print $pipe "M $mode inline $path\ndata ", length($text), "\n", $text,
	    "\n";
}

# The commits of one import, and the branch at the last of them.
sub read_marks {
	my ($tree, $count) = @_;
	my @commits = reverse split /\n/,
	    qx(git --git-dir='$tree->{repo}' rev-list -n $count main);

	$tree->{tip} = $commits[-1];
	return @commits;
}

sub forest_plant {
	my ($repo, %how) = @_;
	my $tree = { repo => $repo, files => $how{files}, texts => 0,
	    commits => 0, next => 0 };

	srand($how{seed} // 1);
	make_pool() if $pool eq '';
	system('git', 'init', '-q', '--bare', $repo) == 0 or die 'git init';
	$tree->{paths} = [make_paths($how{files}, $how{leafy} ? 3.4 : 15)];
	$tree->{sizes} = [map { file_size() } 1 .. $how{files}];
	my $pipe = import_begin($repo);
	put_commit($pipe, $tree, 1);
	put_file($pipe, $tree, $_) for 0 .. $how{files} - 1;
	import_end($pipe);
	repack($repo);
	($tree->{first}) = read_marks($tree, 1);
	return $tree;
}

# Files are taken in steps that meet all of them before one comes again.
sub next_file {
	my ($tree) = @_;
	my $step = int($tree->{files} * 0.618) || 1;

	$step++ while gcd($step, $tree->{files}) != 1;
	$tree->{next} = ($tree->{next} + $step) % $tree->{files};
	return $tree->{next};
}

sub gcd {
	my ($a, $b) = @_;

	($a, $b) = ($b, $a % $b) while $b;
	return $a;
}

# So many commits on top, oldest first; each changes so many files. Of a
# repository that was found they are its two, in turn.
sub forest_grow {
	my ($tree, %how) = @_;

	if (defined $tree->{pair}) {
		return map { $tree->{pair}[$tree->{turn}++ % 2] }
		    1 .. $how{commits};
	}
	my $pipe = import_begin($tree->{repo});
	for my $mark (1 .. $how{commits}) {
		put_commit($pipe, $tree, $mark);
		put_file($pipe, $tree, next_file($tree))
		    for 1 .. $how{changes};
	}
	import_end($pipe);
	return read_marks($tree, $how{commits});
}

# A repository that is there, and two commits of it that take turns.
sub forest_found {
	my ($repo, @pair) = @_;
	my @commits = map {
		my $commit = qx(git --git-dir='$repo' rev-parse --verify -q \\
		    '$_^{commit}');

		chomp $commit;
		die "$repo has no commit $_\n" if $commit eq '';
		$commit;
	} @pair;
	my @changed = qx(git --git-dir='$repo' diff-tree -r --name-only \\
	    $commits[0] $commits[1]);
	my @all = qx(git --git-dir='$repo' ls-tree -r --name-only \\
	    $commits[0]);

	return { repo => $repo, files => scalar @all, pair => \@commits,
	    turn => 1, changes => scalar @changed, first => $commits[0] };
}

1;
