#!/usr/bin/perl
# Every input of the corpora once, and then some seconds of libFuzzer for
# each target, where clang has one. TIME= is how many.

use strict;
use warnings;
use Test::More;
use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Temp 'tempdir';

chdir abs_path(dirname(__FILE__)) . '/../..' or die "chdir: $!";
my $build = $ENV{SLIPWAY_BUILD} // 'build';
my $fuzzers = "$build-fuzz";
my $seconds = $ENV{TIME} // 2;
my $scratch = tempdir('slipway-fuzz-XXXXXX', TMPDIR => 1, CLEANUP => 1);

my @targets = map { s{.*/}{}r } sort glob 'tests/fuzz/corpus/*';
my %sources = map { s{.*/|\.c$}{}gr => 1 } glob 'tests/fuzz/*.c';
delete @sources{'fuzz', 'replay'};

# The names of those that are here and not there.
is_deeply([sort keys %sources], \@targets,
    'every target has a corpus, every corpus a target');

for my $name (@targets) {
	my @said = qx($build/tests/fuzz/$name tests/fuzz/corpus/$name 2>&1);
	my ($count) = ($said[-1] // '') =~ /^(\d+) inputs$/;

	ok($? == 0, "$name: the corpus, " . ($count // 'some') . ' inputs')
	    or diag(grep { defined } @said[-3 .. -1]);
}

# Is there a clang, with the library that fuzzing takes?
sub can_fuzz {
	return system("echo 'int LLVMFuzzerTestOneInput(void); " .
	    "int LLVMFuzzerTestOneInput(void) { return 0; }' | " .
	    "clang -fsanitize=fuzzer,address,undefined -x c - " .
	    "-o $scratch/try >/dev/null 2>&1") == 0;
}

# What the make that runs the tests was told is not meant for this one.
sub build_fuzzers {
	local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};

	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	my $said = qx(make -s -j2 FUZZ_BUILD='$fuzzers' fuzz-build 2>&1);
	return ok($? == 0, 'the targets are built for libFuzzer')
	    || diag($said);
}

SKIP: {
	skip 'there is no clang with libFuzzer', 1 + @targets
	    unless can_fuzz();
	skip 'nothing was built', scalar @targets unless build_fuzzers();
	local %ENV = (%ENV, SLIPWAY_BUILD => $fuzzers, KEEP => 'no',
	    TIME => $seconds, WORK => $scratch);
	for my $name (@targets) {
		my $said = qx(tests/fuzz/run $name 2>&1);

		ok($? == 0, $? == 0 ? $said =~ s/,[^,]*$//r :
		    "$name holds") or diag($said);
	}
}
done_testing();
