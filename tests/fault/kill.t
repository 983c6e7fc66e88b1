#!/usr/bin/perl
# A process is killed before each of its system calls that others may
# notice, or all processes are at once: what is live stays live and whole,
# the next runner brings all of it level, and one more push goes live.
#
#	kill.t				a few points of all; see Campaign.pm
#	kill.t redeploy agent kill 217	this one, and what became of it

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Fault::Campaign;

# So many points pass before what takes longer is looked at once.
use constant SLOWLY => 10;

my @roles = qw(runner agent command);
my @hooks = qw(receive-pack pre-receive post-receive post-update);

# How many calls each role makes, by one look at a whole run.
sub points {
	my ($lab) = @_;
	my @points;

	for my $name (Fault::Sites::names()) {
		my $site = $lab->fixture($name);
		my %count;

		for my $call ($lab->calls($site, 'any', qw(-c effect))) {
			$count{($call =~ /^(\S+)/)[0]}++;
			$count{any}++;
		}
		for my $role ($name eq 'push' ? @hooks : @roles) {
			push @points, map { [$name, $role, 'kill', $_] }
			    1 .. $count{$role} // 0;
		}
		push @points, map { [$name, 'any', 'kill-all', $_] }
		    1 .. $count{any};
	}
	return @points;
}

my $tried = 0;

sub trial {
	my ($lab, $name, $role, $mode, $at) = @_;
	my $site = $lab->fixture($name);
	my ($run, @wrong);

	$lab->restore($site);
	$run = $lab->run($site, '-r', $role, qw(-c effect), $mode, $at);
	@wrong = "no end: $run->{out}" if $run->{status} == 124;
	push @wrong, map { "at once: $_" } $lab->glance($site);
	push @wrong, $lab->recover($site), $lab->check($site, $run);
	if (@ARGV || $tried++ % SLOWLY == 0) {
		push @wrong, $lab->push_more($site);
		push @wrong, Fault::Check::check_slowly($lab);
	}
	return @wrong;
}

Fault::Campaign::run(count => 40, points => \&points, trial => \&trial);
