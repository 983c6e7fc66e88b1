#!/usr/bin/perl
# random-trees.pl - commits with difficult trees, for git fast-import.
#
#	random-trees.pl SEED COUNT | git fast-import
#
# Writes refs/heads/t1 to refs/heads/tCOUNT. The same seed gives the same
# commits. Every tenth, from the first, holds malformed idents, too.

use strict;
use warnings;

my ($seed, $count) = @ARGV;
srand($seed);
binmode STDOUT;

sub pick { return $_[int(rand(@_))] }

my @names = ('a', 'b.txt', 'c.bin', 'd.sh', 'Makefile', 'x y', 'tab	here',
    "\xc3\xa4\xc3\xb6\xc3\xbc.txt", "\xe6\x97\xa5\xe6\x9c\xac", "e\xcc\x81",
    "latin\xe9.txt", 'back\\slash', '-dash', "quote\"d'", '#hash', '!bang',
    '[brackets].txt', 'star*.txt', 'sp ace.txt', 'e.utf16', 'f.log', 'g.dat',
    'UPPER.TXT', 'upper.txt', '.hidden', "new\nline", 'x' x 255, 'z.id',
    'eol.crlf', 'end.', 'p.subst', 'filtered.up');
my @folders = ('src', 'doc', 'lib', "\xc3\xa9t\xc3\xa9", 'with space', 'skip',
    'vendor', 'y' x 200, '.config');
my @patterns = ('*', '*.txt', '*.sh', '*.bin', '/a', 'src/*', 'doc/**', '*.id',
    '*.crlf', '!*.txt', 'Makefile', 'lib/', '[a-c]*', '"quoted \\"p"',
    '**/d.sh', 'x?y', '*.log', '/skip', 'vendor', '.hidden', 'skip/**',
    '*.subst', '"\\303\\244*"', 'UPPER.TXT', '.gitattributes', '*.dat');
my @attributes = ('text', '-text', 'text=auto', 'eol=crlf', 'eol=lf',
    'text eol=crlf', 'text=auto eol=crlf', '-text eol=crlf', 'ident',
    '-ident', '!ident', 'binary', 'crlf', '-crlf', 'crlf=input', 'odd',
    '!text', 'text ident eol=crlf', 'filter=up', 'filter=nobody', '-filter',
    'filter', 'diff=perl', 'export-ignore', '-export-ignore', 'export-subst',
    'export-subst ident', 'export-subst eol=crlf', 'eol=other', '!eol');
my @targets = ('a', '../a', '/etc/passwd', 'nowhere', '.', '../../..',
    "\xc3\xa4", 'x' x 1000, 'src/b.txt', 'with space/x');

my $malformed;

sub text {
	my $end = pick("\n", "\n", "\r\n", '');
	my @lines = map { pick('one', 'two words', "\t\xc3\xbcber", '',
	    '$Id$', '$Id: 0123456789012345678901234567890123456789 $',
	    '$Id: foreign thing here $', '$Id:$', '$Id: unfinished',
	    '$Id$Id$', 'x $Id$ y $Id$', '$Format:%H %an$', '$Format:%ad%n%s$',
	    '$Format:$', '$Format:open', '$Format:%B$ and $Format:%h$',
	    'mixed' . pick("\r", "\r\n"), 'x' x 300) } 1 .. int(rand(12));
	my $text = join($end, @lines);
	$text .= $end if rand() < 0.7;
	# git checkout and git archive disagree on malformed idents.
	$text =~ s/\$Id[^\$\n]*\$?/ \$Id\$ /g unless $malformed;
	return $text;
}

sub content {
	my $kind = rand();
	return '' if $kind < 0.1;
	return join('', map { chr(int(rand(256))) } 1 .. int(rand(3000)))
	    if $kind < 0.2;
	return text() . "\0" . text() if $kind < 0.25;
	return "\xef\xbb\xbf" . text() if $kind < 0.3;
	return text() x 40 if $kind < 0.35;
	return text();
}

sub attribute_file {
	my ($root) = @_;
	my @lines;
	push @lines, '[attr]odd ident text=auto eol=crlf' if $root &&
	    rand() < 0.5;
	push @lines, '[attr]binary -text' if $root && rand() < 0.1;
	push @lines, '*.utf16 text working-tree-encoding=UTF-16'
	    if rand() < 0.3;
	push @lines, '# a comment', '' if rand() < 0.3;
	push @lines, pick(@patterns) . ' ' . pick(@attributes)
	    for 1 .. int(rand(8));
	return join(pick("\n", "\n", "\r\n"), @lines) . pick("\n", '');
}

sub quoted {
	my ($path) = @_;
	$path =~ s/([\\"])/\\$1/g;
	$path =~ s/\n/\\n/g;
	return "\"$path\"";
}

sub data { return 'data ' . length($_[0]) . "\n$_[0]\n" }

sub modify {
	my ($mode, $path, $bytes) = @_;
	return "M $mode inline " . quoted($path) . "\n" . data($bytes);
}

my $mark = 0;
sub tree {
	my ($prefix, $depth, $attributes) = @_;
	my (%used, $out);
	$out = '';
	for (1 .. int(rand(10)) + ($depth == 0 ? 3 : 0)) {
		my $name = pick(@names);
		next if $used{$name}++;
		if (rand() < 0.1) {
			$out .= modify('120000', "$prefix$name",
			    pick(@targets));
		} elsif ($name eq 'e.utf16') {
			$out .= modify('100644', "$prefix$name",
			    "plain\ntext\xc3\xa4\n");
		} else {
			$out .= modify(pick('100644', '100644', '100755'),
			    "$prefix$name", content());
		}
	}
	if ($attributes && rand() < ($depth == 0 ? 0.9 : 0.4)) {
		$out .= rand() < 0.05 ?
		    modify('120000', "$prefix.gitattributes", 'a') :
		    modify('100644', "$prefix.gitattributes",
		    attribute_file($depth == 0));
	}
	for my $name (@folders) {
		next if rand() > 0.35 / (1 + $depth);
		$out .= tree("$prefix$name/", $depth + 1, $attributes);
	}
	return $out;
}

for my $n (1 .. $count) {
	$malformed = $n % 10 == 1;
	my $tree = tree('', 0, $n % 5 != 0);

	$tree .= modify('100644', 'deep/' x 60 . 'leaf', "deep\n")
	    if $n % 10 == 1;
	print "commit refs/heads/t$n\n",
	    "author J\xc3\xb6rg <j\@example.org> 1700000000 +0130\n",
	    "committer Eve <eve\@example.org> 1700000100 -0800\n",
	    data("tree $n\n\nbody of $n\nsecond line\n"), $tree, "\n";
}
