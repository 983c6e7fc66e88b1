#!/usr/bin/perl
# The recipes are read by the real parser, as they stand and with
# everything in them that is a comment; their commands are shell. The sample
# is what "slipway init" writes.

use strict;
use warnings;
use Cwd 'abs_path';
use File::Temp 'tempdir';
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

my $slipway = abs_path(build_folder()) . '/bin/slipway';
my @recipes = files(qr{^install/recipes/.*\.ini$});
my $top = tempdir('slipway-test.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($repo, $root) = ("$top/shop.git", "$top/shop");

plan skip_all => "$slipway is not there: run make first" unless -x $slipway;

delete @ENV{grep { /^(?:GIT|SLIPWAY)_/ } keys %ENV};
$ENV{HOME} = $top;

sub write_text {
	my ($path, $text) = @_;

	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
}

# Exit status and words of "slipway status" with this config.
sub status {
	write_text("$repo/slipway.ini", $_[0]);
	my $said = qx('$slipway' status -C '$repo' 2>&1);
	return ($? >> 8, $said);
}

my $said = qx('$slipway' init '$repo' --root '$root' 2>&1);
is($?, 0, 'slipway init') or diag $said;
my $written = read_text("$repo/slipway.ini");

my $sample = $written =~ s/\Q$root\E/\/srv\/shop/gr;
is(read_text('install/slipway.ini.sample'), $sample,
    'the sample is what init writes for /srv/shop');

for my $framework (qw(django drupal laravel rails static wordpress)) {
	ok((grep { $_ eq "install/recipes/$framework.ini" } @recipes),
	    "there is a recipe for $framework");
}

for my $path (@recipes) {
	my $recipe = read_text($path);
	my ($exit, $words) = status("$written\n$recipe");
	is($exit, 0, "$path is read behind what init wrote") or diag $words;

	# "#<tab>key = value" belongs into [app], "; " is one to be had.
	my $app = join '', map { "$_\n" } $recipe =~ /^#\t(\S.*)$/mg;
	my $all = $recipe =~ s/^; //mgr;
	($exit, $words) = status($written =~ s/^\[app\]\n/[app]\n$app/mr
	    . "\n$all");
	is($exit, 0, "$path with everything in it") or diag $words;

	my @bad;
	for my $command ($all =~ /^(?:run|undo|record) = (.*)$/mg) {
		write_text("$top/command", "$command\n");
		my $fault = qx(/bin/sh -n '$top/command' 2>&1);
		push @bad, "$command: $fault" if $? != 0;
	}
	is_clean("the commands of $path are shell", @bad);
	like($recipe, qr/^# /m, "$path explains itself");
}

my ($exit, $words) = status("$written\n[action x]\nphas = test\n");
is($exit, 2, 'a recipe with a fault would be noticed');
like($words, qr/slipway\.ini:\d+: .*phase/, 'and named');
done_testing();
