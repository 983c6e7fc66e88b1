#!/usr/bin/perl
# Many at once: pushes, rollbacks, deploys, cancels and cleanups, in rounds.
# Whatever the order, each push that git took is in the journal, one runner
# at a time deploys, what was asked for last is live, and everybody was told
# the truth.
#
# COUNT rounds ("all": 1,000); SEED makes the same rounds again.

use strict;
use warnings;
use File::Temp 'tempdir';
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Time::HiRes 'time';
use Crowd;
use Verdict;

my $count = $ENV{COUNT} // 3;
my $seed = $ENV{SEED} // 1;
my $folder = tempdir('slipway-crowd.XXXXXX', CLEANUP => 1,
    DIR => -w '/dev/shm' ? '/dev/shm' : $ENV{TMPDIR} // '/tmp');

# Pushers of most rounds are few, so that there can be many rounds.
my @crowds = (8, 2, 32, (2) x 8, 8, 2, 2, 2, 8, 2, 2, 2, 2);
my @verbs = qw(rollback deploy cleanup cancel);

$count = 1000 if $count eq 'all';
srand $seed;

my $crowd = Crowd->new($folder, 32);
my $verdict = Verdict->new($crowd);
my ($told, $landed, $faulty) = (0, 0, 0);
my $from = time;

for my $round (1 .. $count) {
	my $pushers = $crowds[($round - 1) % @crowds];
	my $held = rand() < 0.5;
	$crowd->{round} = $round;
	$crowd->shut_gate if $held;
	for my $i (1 .. $pushers) {
		my $environment = rand() < 0.2 ? 'staging' : 'production';
		my %how = (bad => rand() < 0.05, force => rand() < 0.1);
		$crowd->start(sub {
			$crowd->push_one($i, $environment, %how) });
	}
	for my $i (1 .. int(rand 3)) {
		my $verb = $verbs[int rand @verbs];
		next unless $crowd->has($verb);
		$crowd->start(sub { $crowd->cli($verb, 'production') });
	}
	$crowd->hold_until_landed($pushers) if $held;
	my @told = $crowd->finish;
	my @faults = $verdict->round(@told);
	push @faults, $verdict->whole if $round % 50 == 0 || $round == $count;
	$told += @told;
	$landed += grep { $_->{kind} eq 'push' && $_->{exit} == 0 } @told;
	if (@faults) {
		$faulty++;
		diag "round $round, $pushers pushers (SEED=$seed):\n",
		    map { "  $_\n" } @faults;
		last if $faulty >= 5;
	}
}
is $faulty, 0, "$count rounds: everybody was told the truth";
cmp_ok $landed, '>=', 2 * $count, 'pushes landed in every round';
diag sprintf '%d rounds, %d attempts, %d landed, %.2f s a round', $count,
    $told, $landed, (time - $from) / $count;
done_testing;
