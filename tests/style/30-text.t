#!/usr/bin/perl
# The look of the text: width, white space, length of functions and files,
# and words that do not belong into a finished tree.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

use constant {
	COLUMNS => 80,
	FUNCTION_LINES => 60,
	FILE_LINES => 500,
};

# How wide a line is on a terminal, with tabs of 8.
sub width {
	my ($line) = @_;

	utf8::decode($line);
	1 while $line =~ s/^([^\t]*)\t/$1 . ' ' x (8 - length($1) % 8)/e;
	return length $line;
}

# Complaints about functions: from the name in column 0 to the brace that
# closes it, as the lines between the braces.
sub long_functions {
	my ($path, @lines) = @_;
	my ($name, $open, @long);

	for my $i (0 .. $#lines) {
		$name = $1 if $lines[$i] =~ /^([a-z_]\w*)\(/;
		$open = $i if $lines[$i] eq '{';
		next unless $lines[$i] eq '}' && defined $open;
		my $length = $i - $open - 1;
		push @long, "$path:$open: " . ($name // '?')
		    . " has $length lines" if $length > FUNCTION_LINES;
		undef $open;
	}
	return @long;
}

my @c = files(qr{\.[ch]$});
my (@wide, @long, @big, @spaces);

for my $path (@c) {
	my @lines = read_lines($path);
	my $count = @lines - 1;

	push @big, "$path has $count lines" if $count > FILE_LINES;
	push @long, long_functions($path, @lines);
	for my $i (0 .. $#lines) {
		my $at = "$path:" . ($i + 1);
		push @wide, $at if width($lines[$i]) > COLUMNS;
		push @spaces, "$at: spaces before a tab or for one"
		    if $lines[$i] =~ /^ +\t/ || $lines[$i] =~ /^ {8}/;
	}
}
is_clean('no line of C is wider than ' . COLUMNS . ' columns', @wide);
is_clean('no function is longer than ' . FUNCTION_LINES . ' lines', @long);
is_clean('no file of C is longer than ' . FILE_LINES . ' lines', @big);
is_clean('C is indented with tabs', @spaces);

# Spelt so that this file does not find itself.
my @words = (
	qr/\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/,
	qr{\.\./share[d]\b},
	qr{/work/(?:main|share[d])},
	qr/\bissu[e] [0-9]/i,
);
my (@trailing, @endings, @found);

for my $path (files()) {
	my $text = read_text($path);

	next if $text =~ /\0/;
	push @endings, "$path: no newline at the end"
	    if $text ne '' && $text !~ /\n\z/;
	push @endings, "$path: empty lines at the end"
	    if $text =~ /\n\n\z/;
	push @endings, "$path: carriage returns" if $text =~ /\r\n/;
	my $number = 0;
	for my $line (split /\n/, $text) {
		$number++;
		push @trailing, "$path:$number" if $line =~ /[ \t]$/;
		for my $word (@words) {
			push @found, "$path:$number: $line"
			    if $line =~ $word;
		}
	}
}
is_clean('no white space at the end of a line', @trailing);
is_clean('every file ends with one newline', @endings);
is_clean('no word of an unfinished tree', @found);

my @bad;
for my $path (files(qr{^(?:lib|src|hooks)/.*\.[ch]$})) {
	my $number = 0;
	for my $line (read_lines($path)) {
		$number++;
		push @bad, "$path:$number: $line"
		    if $line =~ /\b(?:strcpy|strcat|sprintf|gets|strtok
		    |system|popen|tmpnam|mktemp|alloca)\s*\(/x
		    && $line !~ m{^\s*(?:/?\*|"|\x27)};
	}
}
is_clean('no function that cannot be used safely', @bad);
done_testing();
