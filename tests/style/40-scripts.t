#!/usr/bin/perl
# Every script is executable, says in its first comment what it is, parses,
# and shellcheck (where there is one) has nothing to say.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

my (@shell, @mode, @nameless);

for my $path (files()) {
	my ($first, $second) = read_lines($path);
	next unless defined $first && $first =~ /^#!/;
	push @mode, "$path has #! and is not executable" unless -x $path;
	push @shell, $path if $first =~ m{^\#!/bin/(?:ba)?sh\b};
	push @nameless, $path unless ($second // '') =~ /^(?:#|""") ?\S/;
}
push @shell, files(qr{^tests/[a-z]+\.sh$});

is_clean('every script is executable', @mode);
is_clean('every script says what it is', @nameless);

my @unparsed;
for my $path (@shell) {
	my ($first) = read_lines($path);
	my $shell = $first =~ /bash/ ? 'bash' : 'sh';
	my $said = qx($shell -n $path 2>&1);
	push @unparsed, "$path: $said" if $? != 0;
}
is_clean('every shell script parses', @unparsed);

SKIP: {
	my $version = qx(shellcheck --version 2>/dev/null);
	skip 'there is no shellcheck', 1
	    unless defined $version && $? == 0;
	# 1091: what is read in is checked as a script of its own. 2154: what
	# it assigns is used by tests, 2034: and the other way round.
	my @said;
	for my $path (@shell) {
		my $shell = $path =~ m{^tests/[a-z]+\.sh$} ? '-s sh' : '';
		my $text = qx(shellcheck $shell -S warning \\
		    -e SC1090,SC1091,SC2034,SC2154 $path 2>&1);
		push @said, $text if $? != 0;
	}
	is_clean('shellcheck is content', @said);
}
done_testing();
