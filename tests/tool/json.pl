#!/usr/bin/perl
# json.pl - one value of a JSON text.
#
#	slipway log --json | json.pl 0.steps.1.exit
#
# Scalars are printed as they are, true, false and null by name, objects
# and arrays as JSON with sorted keys. The last word of a path may be
# "length" (of an array), "keys" (of an object, sorted), or "states" (the
# key "state" of each element). What is not there is printed as "missing".

use strict;
use warnings;
use JSON::PP;

binmode STDOUT, ':utf8';
local $/;
my $text = <STDIN>;
my $coder = JSON::PP->new->utf8->allow_nonref;
my $value = eval { $coder->decode($text // '') };
if ($@) {
	print "not JSON: $@\n";
	exit 1;
}

for my $word (split /\./, $ARGV[0] // '') {
	if ($word eq 'length' && ref $value eq 'ARRAY') {
		$value = scalar @$value;
	} elsif ($word eq 'keys' && ref $value eq 'HASH') {
		$value = join ' ', sort keys %$value;
	} elsif ($word eq 'states' && ref $value eq 'ARRAY') {
		$value = join ' ', map { $_->{state} // 'none' } @$value;
	} elsif (ref $value eq 'ARRAY' && $word =~ /^-?[0-9]+$/
	    && $word < @$value) {
		$value = $value->[$word];
	} elsif (ref $value eq 'HASH' && exists $value->{$word}) {
		$value = $value->{$word};
	} else {
		print "missing\n";
		exit 0;
	}
}

if (!defined $value) {
	print "null\n";
} elsif (ref $value eq 'JSON::PP::Boolean') {
	print $value ? "true\n" : "false\n";
} elsif (ref $value) {
	print JSON::PP->new->canonical->encode($value), "\n";
} else {
	print "$value\n";
}
