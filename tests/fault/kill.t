#!/usr/bin/perl
# A process is killed before each of its system calls that others may
# notice, or all processes are at once: what is live stays live and whole,
# the next runner brings all of it level, and one more push goes live.
#
#	kill.t				a few points of all; see Campaign.pm
#	kill.t redeploy agent kill 217	this one, and what became of it
#
# CALLS=all: before each of its system calls, also those between which it
# makes no difference to others where a process dies.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Fault::Campaign;

# So many points pass before what takes longer is looked at once.
use constant SLOWLY => 10;

my $class = $ENV{CALLS} // 'effect';

# How many calls each role makes, by one look at a whole run.
sub stretches {
	my ($lab) = @_;
	my @stretches;

	for my $name (Fault::Sites::names()) {
		my $site = $lab->fixture($name);
		my %count;

		for my $call ($lab->calls($site, 'any', '-c', $class)) {
			$count{($call =~ /^(\S+)/)[0]}++;
			$count{any}++;
		}
		for my $role (Fault::Sites::roles($name)) {
			push @stretches, [$name, $role, 'kill',
			    $count{$role} // 0];
		}
		push @stretches, [$name, 'any', 'kill-all', $count{any}];
	}
	return @stretches;
}

my $tried = 0;

sub trial {
	my ($lab, $name, $role, $mode, $at) = @_;
	my $site = $lab->fixture($name);
	my ($run, @wrong);

	$lab->restore($site);
	$run = $lab->run($site, '-r', $role, '-c', $class, $mode, $at);
	@wrong = "no end: $run->{out}" if $run->{status} == 124;
	push @wrong, map { "at once: $_" } $lab->glance($site);
	push @wrong, $lab->recover($site), $lab->check($site, $run);
	if (@ARGV || $tried++ % SLOWLY == 0) {
		push @wrong, $lab->push_more($site);
		push @wrong, Fault::Check::check_slowly($lab);
	}
	return @wrong;
}

die "CALLS is '$class': say effect or all\n" if $class !~ /^(?:effect|all)$/;
Fault::Campaign::run(count => 40, stretches => \&stretches, trial => \&trial,
    again => $class eq 'all' ? 'CALLS=all ' : '');
