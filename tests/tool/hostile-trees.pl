#!/usr/bin/perl
# hostile-trees.pl REPO SEED COUNT - commits with trees that git's own
# commands do not make: odd modes and names, entries that are there twice or
# in no order, objects of another kind than their entry says.
#
# Writes loose objects into the bare repository REPO, and refs/heads/h1 to
# refs/heads/hCOUNT. The same seed gives the same commits. About half of them
# are harmless.

use strict;
use warnings;
use Compress::Zlib;
use Digest::SHA qw(sha1_hex);

my ($repo, $seed, $count) = @ARGV;
srand($seed);

sub pick { return $_[int(rand(@_))] }

sub write_object {
	my ($type, $bytes) = @_;
	my $whole = "$type " . length($bytes) . "\0$bytes";
	my $oid = sha1_hex($whole);
	my ($folder, $file) = $oid =~ /^(..)(.*)$/;
	my $path = "$repo/objects/$folder";

	return $oid if -e "$path/$file";
	mkdir $path;
	open my $out, '>', "$path/$file" or die "$path/$file: $!\n";
	binmode $out;
	print $out compress($whole);
	close $out or die "$path/$file: $!\n";
	return $oid;
}

my @modes = ('104755', '102755', '101644', '100000', '100600', '100777',
    '140000', '60000', '40755', '20644', '10644', '0', '7777', '160000');
my @names = ('.git', '.GIT', 'git~1', '.git.', '.git ', ".g\xe2\x80\x8cit",
    '..', '.', 'a/b', '/etc', '../x', "a\nb", "\x1b[2J", "\x7f", 'n' x 256,
    '.git::$DATA');
my @plain = ('a', 'b', 'a.b', 'a-b', 'README', '.gitignore', '-x', 'x y',
    "\xc3\xa4", "latin\xe9", 'n' x 255, 'back\\slash', '.gitattributes',
    'a!', 'aa', 'UPPER', 'con', '$(id)', '.gitx', 'git~2');
my @targets = ('a', 'b', './a', 'a/b', '../a', '..', '.', '/etc/passwd',
    '../..', '../../..', 'a/../..', 'a/..', '', 't' x 4095, 't' x 4096,
    "a\0b", 'aa/../b', "\xc3\xa4");

my $odd;	# how likely something is wrong

sub blob { return write_object('blob', pick('', 'x', "text\n" x 5, "\0\1")) }

sub entry {
	my ($depth) = @_;
	my $kind = rand();
	my $name = rand() < $odd ? pick(@names) : pick(@plain);

	return { mode => pick(@modes), name => $name, oid => blob() }
	    if rand() < $odd;
	return { mode => '120000', name => $name,
	    oid => write_object('blob', pick(@targets)) } if $kind < $odd;
	return { mode => '40000', name => $name, oid => tree($depth + 1) }
	    if $kind < 0.4 && $depth < 4;
	return { mode => '40000', name => $name, oid => blob() }
	    if rand() < $odd / 4;
	return { mode => '100644', name => $name, oid => tree($depth + 1) }
	    if rand() < $odd / 4 && $depth < 4;
	return { mode => pick('100644', '100644', '100755', '100664'),
	    name => $name, oid => blob() };
}

sub tree {
	my ($depth) = @_;
	my @entries = map { entry($depth) } 1 .. 1 + int(rand(5));
	my %seen;

	@entries = grep { !$seen{$_->{name}}++ } @entries
	    unless rand() < $odd;
	@entries = sort {
		($a->{name} . ($a->{mode} eq '40000' ? '/' : ''))
		    cmp ($b->{name} . ($b->{mode} eq '40000' ? '/' : ''))
	} @entries unless rand() < $odd;
	my $bytes = join '', map {
		"$_->{mode} $_->{name}\0" . pack('H*', $_->{oid})
	} @entries;
	substr($bytes, int(rand(length $bytes)), 1) = chr(int(rand(256)))
	    if rand() < $odd / 4;
	return write_object('tree', $bytes);
}

mkdir "$repo/refs/heads";
for my $n (1 .. $count) {
	$odd = pick(0, 0.02, 0.05, 0.2);
	my $commit = write_object('commit', 'tree ' . tree(0) . "\n"
	    . "author A <a\@example.org> 1700000000 +0000\n"
	    . "committer A <a\@example.org> 1700000000 +0000\n\nh$n\n");

	open my $ref, '>', "$repo/refs/heads/h$n" or die "h$n: $!\n";
	print $ref "$commit\n";
	close $ref or die "h$n: $!\n";
}
