# History.pm - random commits, each a few changes away from the one before.
#
#	srand($seed);
#	my @commits = write_history($git_dir, 5);
#
# The commits are refs/heads/c1 and so on; what is returned tells of each
# { rev => 'c1', plain => 1 } whether any attribute can change a file in it.
# What changes: files and folders come, go, move, and become one another or
# symlinks; bytes, modes, the case of names, attributes; now and then there
# is a file of some MB or of more than 16, a folder of hundreds of files or
# one that is deep, and now and then nothing changes, or all goes back.

package History;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pick write_history);

my @stems = ('a', 'b', 'index', 'Makefile', 'x y', "tab\there",
    "\xc3\xa4\xc3\xb6", "\xe6\x97\xa5", "e\xcc\x81", "latin\xe9",
    'back\\slash', '-dash', "quote\"d'", '#hash', '!bang', '[b]', 'star*',
    'UPPER', 'upper', '.hidden', "new\nline", 'y' x 240, 'end.');
my @ends = ('', '', '.txt', '.txt', '.bin', '.sh', '.crlf', '.id', '.subst',
    '.u16', '.up');
my @folders = ('src', 'src', 'doc', 'lib', "\xc3\xa9t\xc3\xa9", 'with space',
    'Src', 'a.b', 'a', 'skip', 'z' x 200);
my @patterns = ('*', '*.txt', '*.sh', '/a', 'src/*', 'doc/**', '*.id',
    '*.crlf', 'a.b/', '**/index', 'skip', 'skip/**', 'src', '*.subst',
    'UPPER.txt', '[a-c]*', '"\\303\\251*/**"', '.hidden*');
my @attributes = ('text', '-text', 'text=auto', 'eol=crlf', 'text eol=crlf',
    'text=auto eol=crlf', 'ident', '-ident', 'binary', 'ident eol=crlf',
    'filter=up', 'export-ignore', '-export-ignore', 'export-subst',
    'export-subst ident', '!eol', 'diff=perl');
my @targets = ('a', '../a', '/etc/passwd', '/etc', 'nowhere', '.', 'src',
    '../doc', 'x' x 1000);

sub pick { return $_[int(rand(@_))] }

sub text {
	my $end = pick("\n", "\n", "\r\n", '');

	# git checkout and git archive disagree on an ident behind a dollar.
	return join $end, map { pick('one', 'two words', "\xc3\xbcber", '',
	    ' $Id$ ', 'x $Id$ y', '$Format:%H %an$ ', '$Format:%ad%n%s$ ',
	    'x' x 300, int(rand(1000))) } 1 .. 1 + int(rand(12));
}

# Cheap to make and to pack, and no two alike.
sub large {
	my ($bytes) = @_;
	my $block = join '', map { chr(int(rand(256))) } 1 .. 4096;
	my $n = 0;

	return join '', map { $n++ . $block } 1 .. 1 + int($bytes / 4096);
}

# git complains of what it cannot encode, so there is nothing of that.
sub content {
	my ($path) = @_;
	my $kind = rand();

	return \text() if $path =~ /\.u16\z/ || $kind < 0.75;
	return \'' if $kind < 0.8;
	return \(text() . "\0" . text()) if $kind < 0.85;
	return \(text() x 40) if $kind < 0.9;
	return \large(2_000_000 + rand(1_500_000)) if $kind > 0.995;
	return \join('', map { chr(int(rand(256))) } 1 .. int(rand(3000)));
}

sub attribute_file {
	my @lines;

	push @lines, '[attr]odd ident text=auto eol=crlf', '*.sh odd'
	    if rand() < 0.1;
	push @lines, '*.u16 text working-tree-encoding=UTF-16'
	    if rand() < 0.4;
	push @lines, pick(@patterns) . ' ' . pick(@attributes)
	    for 0 .. int(rand(4));
	return \join("\n", @lines, '');
}

# A tree is { path => [mode, \bytes] }.
sub put {
	my ($tree, $path, $mode, $bytes) = @_;
	my $above = $path;

	delete $tree->{$above} while $above =~ s{/[^/]*\z}{};
	drop($tree, $path);
	$tree->{$path} = [$mode, $bytes];
}

# The file, or all that is in the folder.
sub beneath {
	my ($tree, $path) = @_;

	return grep { $_ eq $path || index($_, "$path/") == 0 }
	    sort keys %$tree;
}

sub drop {
	my ($tree, $path) = @_;

	delete @$tree{beneath($tree, $path)};
}

sub a_file { return pick(sort keys %{$_[0]}) }

sub a_folder {
	my ($tree) = @_;
	my %seen;

	for my $path (keys %$tree) {
		$seen{$path} = 1 while $path =~ s{/[^/]*\z}{};
	}
	return %seen ? pick(sort keys %seen) : undef;
}

# Where something new may be: often in a folder that is there.
sub a_place {
	my ($tree, $end) = @_;
	my $folder = rand() < 0.6 ? a_folder($tree) : undef;

	$folder = pick('', @folders) unless defined $folder;
	$folder .= '/' . pick(@folders) if $folder ne '' && rand() < 0.15;
	$folder .= '/' if $folder ne '';
	return $folder . pick(@stems) . ($end // pick(@ends));
}

sub add {
	my ($tree) = @_;
	my $path = a_place($tree);

	put($tree, $path, pick('100644', '100644', '100755'),
	    content($path));
}

sub move {
	my ($tree, $from, $to) = @_;
	my %moved = map { substr($_, length $from) => $tree->{$_} }
	    beneath($tree, $from);

	return if index("$to/", "$from/") == 0;
	drop($tree, $from);
	put($tree, "$to$_", @{$moved{$_}}) for sort keys %moved;
}

sub other_case {
	my ($tree) = @_;
	my $from = rand() < 0.3 ? a_folder($tree) : a_file($tree);
	my ($above, $name) = ($from // return) =~ m{\A(.*/)?([^/]+)\z}s;
	my $to = lc $name eq $name ? uc $name : lc $name;

	move($tree, $from, ($above // '') . $to) if $name !~ /^\.git/;
}

sub become {
	my ($tree) = @_;
	my $path = rand() < 0.4 ? a_folder($tree) : a_file($tree);
	my $kind = rand();

	return unless defined $path;
	if ($kind < 0.35) {
		put($tree, $path, '120000', \pick(@targets));
	} elsif ($kind < 0.7) {
		put($tree, $path, '100644', content($path));
	} else {
		drop($tree, $path);
		put($tree, "$path/" . pick(@stems), '100644', \text())
		    for 0 .. int(rand(4));
	}
}

sub many {
	my ($tree) = @_;
	my $folder = pick(@folders) . '/many';

	put($tree, "$folder/$_", '100644', \"file $_\n")
	    for 1 .. 100 + int(rand(400));
}

sub deep {
	my ($tree) = @_;

	put($tree, 'deep/' x (5 + rand(40)) . pick(@stems), '100644',
	    \text());
}

sub huge {
	my ($tree) = @_;

	put($tree, 'huge.bin', '100644', \large(17_000_000));
}

my @changes = (
	[6, \&add],
	[6, sub {
		my $path = a_file($_[0]);
		$_[0]{$path}[0] eq '120000' ?
		    put($_[0], $path, '120000', \pick(@targets)) :
		    put($_[0], $path, $_[0]{$path}[0], content($path))
		    if $path !~ /\.gitattributes\z/;
	}],
	[3, sub { drop($_[0], a_file($_[0])) }],
	[1, sub { drop($_[0], a_folder($_[0]) // return) }],
	[2, sub {
		my $from = a_file($_[0]);
		my ($end) = $from =~ /(\.\w+)\z/;
		move($_[0], $from, a_place($_[0], $end // ''));
	}],
	[2, sub { move($_[0], a_folder($_[0]) // return, pick(@folders)) }],
	[2, sub {
		my $file = $_[0]{a_file($_[0])};
		$file->[0] = $file->[0] eq '100644' ? '100755' : '100644'
		    if $file->[0] ne '120000';
	}],
	[4, \&become],
	[2, \&other_case],
	[1, sub { put($_[0], '.gitattributes', '100644',
	    attribute_file()) }],
	[1, sub { put($_[0], (a_folder($_[0]) // return) .
	    '/.gitattributes', '100644', attribute_file()) }],
	[1, sub { drop($_[0], $_) for
	    grep { /\.gitattributes\z/ } keys %{$_[0]} }],
	[0.4, \&many],
	[0.4, \&deep],
	[0.1, \&huge],
);

sub change {
	my ($tree) = @_;
	my $sum = 0;

	$sum += $_->[0] for @changes;
	my $at = rand($sum);
	for my $change (@changes) {
		$at -= $change->[0];
		next if $at > 0;
		$change->[1]($tree);
		last;
	}
	add($tree) unless %$tree;
}

sub quoted {
	my ($path) = @_;

	$path =~ s/([\\"])/\\$1/g;
	$path =~ s/\n/\\n/g;
	return "\"$path\"";
}

sub commit {
	my ($out, $tree, $n) = @_;

	print $out "commit refs/heads/c$n\n",
	    "author J\xc3\xb6rg <j\@example.org> 1700000000 +0130\n",
	    "committer Eve <eve\@example.org> 17000001$n -0800\n",
	    "data 8\ncommit $n\ndeleteall\n";
	for my $path (sort keys %$tree) {
		my ($mode, $bytes) = @{$tree->{$path}};

		print $out "M $mode inline ", quoted($path), "\ndata ",
		    length $$bytes, "\n", $$bytes, "\n";
	}
}

sub copy_of {
	my ($tree) = @_;

	return { map { $_ => [@{$tree->{$_}}] } keys %$tree };
}

sub write_history {
	my ($git, $count) = @_;
	my (%tree, @past, @commits);

	open my $out, '|-', 'git', "--git-dir=$git", 'fast-import',
	    '--quiet', '--force' or die "git fast-import: $!";
	binmode $out;
	add(\%tree) for 1 .. 10 + int(rand(40));
	put(\%tree, '.gitattributes', '100644', attribute_file())
	    if rand() < 0.4;
	for my $n (1 .. $count) {
		%tree = %{copy_of(pick(@past))} if @past && rand() < 0.1;
		if (@past && rand() < 0.9) {
			change(\%tree) for 0 .. int(rand(8));
		}
		commit($out, \%tree, $n);
		push @past, copy_of(\%tree);
		push @commits, { rev => "c$n", plain =>
		    !grep { /\.gitattributes\z/ } keys %tree };
	}
	close $out or die 'git fast-import failed';
	return @commits;
}

1;
