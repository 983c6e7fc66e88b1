#!/usr/bin/perl
# Everything is killed at once, and once more while that is recovered from:
# the second recovery brings it level all the same.
#
#	double.t			a few points of all; see Campaign.pm
#	double.t redeploy kill-all 217	this one: the second is killed at a
#					call that follows from the number

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Fault::Campaign;

# A recovery makes no more calls than these that others may notice; one that
# makes fewer is not killed.
use constant CALLS => 1500;

sub stretches {
	my ($lab) = @_;
	my @stretches;

	for my $name (qw(redeploy unhealthy rollback cancelled
	    transactional transactional-unhealthy transactional-push)) {
		my $site = $lab->fixture($name);
		my @calls = $lab->calls($site, 'any', qw(-c effect));

		push @stretches, [$name, 'kill-all', scalar @calls];
	}
	return @stretches;
}

sub trial {
	my ($lab, $name, $mode, $at) = @_;
	my $site = $lab->fixture($name);
	my ($run, @wrong);

	$lab->restore($site);
	$run = $lab->run($site, qw(-r any -c effect), $mode, $at);
	$lab->recover($site, qw(-r any -c effect), $mode,
	    1 + $at * 7919 % CALLS);
	@wrong = map { "at once: $_" } $lab->glance($site);
	return @wrong, $lab->recover($site), $lab->check($site, $run);
}

Fault::Campaign::run(count => 10, stretches => \&stretches, trial => \&trial);
