#!/usr/bin/perl
# A header opens with its name and what it is, has a guard, and compiles
# alone with every compiler that is here.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

my @headers = files(qr{^(lib|src|hooks|tests)/.*\.h$});
my (@opening, @guard);

for my $path (@headers) {
	my ($name) = $path =~ m{([^/]+)\.h$};
	my $text = read_text($path);

	push @opening, "$path: open with \" * $name - what it is\""
	    unless $text =~ m{\A/\*\n \* \Q$name\E - \S};
	push @guard, "$path: no guard"
	    unless $text =~ m{^\#ifndef (\w+)\n\#define \1\n.*^\#endif}ms;
}
is_clean('every header says what it is', @opening);
is_clean('every header has a guard', @guard);

my @flags = qw(-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror
    -Wstrict-prototypes -fsyntax-only -x c -iquote lib -iquote src
    -iquote tests/tap);

for my $compiler (qw(gcc clang)) {
	SKIP: {
		my $version = qx($compiler --version 2>&1);
		skip "there is no $compiler", 1 unless defined $version
		    && $? == 0;
		my @fails;
		for my $path (@headers) {
			# Included, as a header on its own is not what a
			# compiler warns about in the same way.
			my $command = "echo '#include \"$path\"' | "
			    . "$compiler @flags -iquote . - 2>&1";
			my $said = qx($command);
			push @fails, "$path:\n$said" if $? != 0;
		}
		is_clean("every header compiles alone with $compiler",
		    @fails);
	}
}
done_testing();
