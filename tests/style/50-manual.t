#!/usr/bin/perl
# What the programs can do stands in the manual: every subcommand, every
# key of slipway.ini, every exit status. Pages are clean mdoc.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

my $build = build_folder();
my $slipway = "$build/bin/slipway";
my $keys = "$build/tests/tool/keys";
my @pages = files(qr{^install/man/.*\.[1-9]$});

plan skip_all => "$slipway is not there: run make first" unless -x $slipway;
plan skip_all => "$keys is not there: run make tools first" unless -x $keys;

sub page {
	my ($name) = @_;

	return -f "install/man/$name" ? read_text("install/man/$name") : '';
}

# True when a line of a list or a synopsis in the page names the word.
sub documents {
	my ($text, $word) = @_;

	return $text =~ /^\.(?:It|Nm|Cm|Ic|Ss|Xo)\b.*(?<![\w.-])\Q$word\E(?![\w-])/m;
}

my $help = qx($slipway --help 2>&1);
is($?, 0, 'slipway --help exits with 0');
my @commands = $help =~ /^[ \t]+([a-z][a-z-]+)  /gm;
cmp_ok(scalar @commands, '>=', 8, '--help lists the subcommands');

my $manual = page('slipway.1');
my %seen;
is_clean('every subcommand of --help is in slipway(1)',
    grep { !$seen{$_}++ && !documents($manual, $_) } @commands);
is_clean('every exit status is in slipway(1)',
    grep { $manual !~ /^\.It (?:(?:Li|Cm|Er|Sy) )?\Q$_\E$/m } 0 .. 6);

my $config = page('slipway.ini.5');
my @keys = map { [split / /] } split /\n/, qx($keys);
cmp_ok(scalar @keys, '>', 20, 'the table of keys is not empty');
is_clean('every key is in slipway.ini(5)',
    map { "[$_->[0]] $_->[1]" }
    grep { !documents($config, $_->[1] =~ s/\.$/.NAME/r)
	&& !documents($config, $_->[1])
	&& $config !~ /^\.It.*\Q$_->[1]\E/m } @keys);

SKIP: {
	my $there = qx(mandoc -Tlint /dev/null 2>&1);
	skip 'there is no mandoc', 1 if $? == -1 || $? >> 8 == 127;
	my @said = @pages ? qx(mandoc -Tlint -Wwarning @pages 2>&1) : ();
	chomp @said;
	is_clean('mandoc has nothing to say about the pages', @said);
}
done_testing();
