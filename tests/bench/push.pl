#!/usr/bin/perl
# push.pl - a whole git push over a path, until the change is live: with
# Slipway, with nothing, and with the hooks that people write (see Site.pm).
#
#	FILES=300	of the site
#	BIG=20000	of the tree whose deploy is looked at for memory
#	RUNS=15		pushes of one changed file to each, in turns
#
# "live" is when a visitor gets the change, "push" when the pusher has the
# prompt back: a hook removes its oldest release in between, and Slipway is
# told how all of it went, and writes that down. What Slipway itself takes is
# its push less the one that nothing answers.
# Its memory is the sum of what its programs have at once, hooks, runner and
# agent, while a big tree is deployed for the first time, and then a change
# of it; programs of git are not counted.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Bench;
use Site;

my $base = bench_begin('push');
my $files = $ENV{FILES} // 300;
my $big = $ENV{BIG} // 20_000;
my $runs = $ENV{RUNS} // 15;
my %titles = (
	none => 'no hook',
	checkout => 'hook: git checkout -f',
	release => 'hook: git archive | tar, ln, mv -T',
	slipway => 'slipway',
);

sub new_site {
	my ($answer, $name, $bytes, $written) = @_;
	my $place = bench_place($name, $bytes, $written);
	my $site = site_new("$place/site", $answer);

	return $site;
}

sub measure_pushes {
	my @sites = map { new_site($_, $_, 400 << 20, 1) }
	    qw(none checkout release slipway);
	my (%ms, %live);

	for my $site (@sites) {
		site_fill($site, $files);
		site_push($site);
	}
	for my $n (0 .. $runs) {
		for my $site (@sites) {
			site_change($site);
			my $run = site_push($site);
			my $live_ms = $site->{answer} eq 'none' ? 0 :
			    site_live_ms($site, $run) //
			    die "$site->{answer}: it is not live\n";

			next if $n == 0;
			push @{$ms{$site->{answer}}}, $run->{ms};
			push @{$live{$site->{answer}}}, $live_ms;
		}
		push @sites, shift @sites;
	}
	return (\%ms, \%live);
}

sub print_pushes {
	my ($ms, $live) = @_;
	my $none = bench_median(@{$ms->{none}});
	my @rows;

	for my $answer (qw(none checkout release slipway)) {
		my @sorted = sort { $a <=> $b } @{$ms->{$answer}};
		my $median = bench_median(@sorted);

		push @rows, [$titles{$answer}, $answer eq 'none' ? '-' :
		    sprintf('%.1f', bench_median(@{$live->{$answer}})),
		    map { sprintf '%.1f', $_ }
		    $median, $median - $none, @sorted[0, -1]];
	}
	printf "\n  a push of one changed file, %s files: milliseconds, medians"
	    . " of %d\n%s", bench_number($files), $runs,
	    bench_table(['', qw(live push own least most)], \@rows);
}

sub memory_row {
	my ($what, $site) = @_;
	my $run = site_push($site, memory => 1, of => bench_build());

	return [$what, sprintf('%.2f', $run->{ms} / 1000),
	    map { sprintf '%.1f', $run->{$_} / 1024 } qw(kib beyond)];
}

sub print_memory {
	my $site = new_site('slipway', 'big', 8 << 30);
	my @rows;

	site_fill($site, $big);
	push @rows, memory_row('the first deploy', $site);
	for my $what ('one changed file', 'one changed file more') {
		site_change($site);
		push @rows, memory_row($what, $site);
	}
	printf "\n  memory of hooks, runner and agent at once, %s files: MiB\n%s",
	    bench_number($big), bench_table(['', 's', 'MiB', 'but packs'],
	    \@rows);
}

print "Push: ", bench_machine(), "\n";
print_pushes(measure_pushes());
print_memory() if $big > 0;
