#!/usr/bin/perl
# A file includes its own floor and lower ones, and headers only from
# where they are: the house of README.md stays a house.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

# Lowest first; those on one line do not know each other.
my @floors = (
	['lib'], ['src/plan'], ['src/journal'], ['src/release'],
	['src/host'], ['src/deploy'], ['src/report'],
	['src/cmd', 'src/web', 'hooks'],
);
my %height;

for my $i (0 .. $#floors) {
	$height{$_} = $i for @{$floors[$i]};
}

# The floor that an include names: "plan/config.h" is in src/plan, a plain
# name is in lib or beside the file that includes it.
sub floor_of {
	my ($name, $from) = @_;

	return "src/$1" if $name =~ m{^([a-z]+)/} && exists $height{"src/$1"};
	return 'lib' if -f "lib/$name";
	return $from if -f "$from/$name";
	return undef;
}

my (@wrong, @unknown, @strange);
for my $path (files(qr{^(lib|src|hooks)/.*\.[ch]$})) {
	my ($from) = $path =~ m{^((?:src/)?[a-z]+)/};
	if (!exists $height{$from}) {
		push @strange, "$path: no floor is called $from";
		next;
	}
	my $number = 0;
	for my $line (read_lines($path)) {
		$number++;
		next unless $line =~ /^\s*#\s*include\s+"([^"]+)"/;
		my $floor = floor_of($1, $from);
		if (!defined $floor) {
			push @unknown, "$path:$number: where is $1?";
		} elsif ($floor ne $from
		    && $height{$floor} >= $height{$from}) {
			push @wrong, "$path:$number: $1 is not below";
		}
	}
}

is_clean('every file stands on a floor', @strange);
is_clean('every file includes lower floors only', @wrong);
is_clean('every header of ours that is included exists', @unknown);
done_testing();
