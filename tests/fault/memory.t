#!/usr/bin/perl
# Memory runs out at the n-th allocation of a program, once or from then on,
# in the libraries or in code of our own: the program dies or reports it,
# nothing goes on as if nothing had been, and the next run brings it level.
#
#	COUNT=all tests/fault/memory.t	every allocation (a few of each role
#					unless told otherwise)
#	COUNT=2000 ...			so many, spread over all roles
#	tests/fault/memory.t redeploy agent once 217
#
# The programs are a build of their own, see malloc.c.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Disk;
use Fault;

my $oom = "$Fault::BUILD/oom";
my @plan = (
	[qw(redeploy runner)], [qw(redeploy agent)], [qw(unhealthy runner)],
	[qw(rollback runner)], [qw(rollback agent)],
	[qw(push pre-receive)], [qw(push post-receive)],
	[qw(push post-update)],
);

plan skip_all => 'sanitizers have an allocator of their own'
    if ($ENV{SLIPWAY_SANITIZE} // '') ne '';
plan skip_all => "$oom is not there: run make tools first"
    unless -x "$oom/bin/slipway";
alone() or plan skip_all => $Disk::why;
plan skip_all => Fault->lacks if defined Fault->lacks;

# A copy: what is being tested is told to it by a file beside it.
my $base = disk_scratch();
system('cp', '-a', "$oom/bin", "$base/bin") == 0 or die;
mkdir "$base/tests";
symlink "$Fault::BUILD/tests/fault", "$base/tests/fault";
$Fault::BUILD = $base;

my $lab = Fault->new(dir => "$base/disk", saved => "$base/saved");
my $control = "$base/bin/malloc";
my ($points, $failed) = (0, 0);

sub order {
	my ($role, $at, $forever) = @_;

	Fault::write_file($control, pack 'a32 Q4', $role, $at, $forever, 0,
	    0);
}

# How many allocations there were, and how many were refused.
sub answer {
	my (undef, undef, undef, $count, $refused) =
	    unpack 'a32 Q4', Fault::read_file($control);

	return ($count, $refused);
}

# Whether anybody was told: by an exit status, in what was printed, in the
# runner's log, or as the reason of a deploy. A library may call it something
# else than a lack of memory.
sub is_told {
	my ($run) = @_;
	my $log = Fault::read_file("$lab->{repo}/slipway/log/runner.log");
	my $errors = Fault::Sites::sql($lab, 'SELECT coalesce(error, "")'
	    . ' FROM deploys');

	return $run->{status} != 0 && $run->{out} =~ /\S/ ||
	    $run->{status} > 128 || ($run->{out} . ($log // '') . $errors) =~ /memory|signal/i;
}

sub try_point {
	my ($name, $role, $forever, $n) = @_;
	my $site = $lab->fixture($name);
	my ($run, $refused, $version, @wrong);

	order('none', 0, 0);
	$lab->restore($site);
	order($role, $n, $forever);
	$run = $lab->run($site);
	(undef, $refused) = answer();
	push @wrong, map { "at once: $_" } $lab->glance($site);
	$version = Fault::read_file("$lab->{root}/current/version") // '';
	push @wrong, "nothing was said:\n$run->{out}" if $refused &&
	    $version ne $site->{wanted} && !is_told($run);
	order('none', 0, 0);
	# A journal of SQLite's that was not begun is written over.
	push @wrong, $lab->recover($site),
	    grep { !/journal\.db-journal is left$/ }
	    $lab->check($site, $run);
	$points++;
	$failed += $refused > 0;
	return @wrong;
}

# The points of a role: all, or so many spread evenly. The last allocations
# are as good as the first.
sub chosen {
	my ($name, $role) = @_;
	my $site = $lab->fixture($name);
	my $wanted = $ENV{COUNT} // 32;
	my ($n, $each);

	order($role, 0, 0);
	$lab->restore($site);
	$lab->run($site);
	($n) = answer();
	$site->{wanted} = Fault::read_file("$lab->{root}/current/version");
	return ($n, 1 .. $n) if $wanted eq 'all';
	$each = int($wanted / @plan / 2) || 1;
	return ($n, map { 1 + int(($_ + 0.5) * $n / $each) } 0 .. $each - 1);
}

sub try_role {
	my ($name, $role) = @_;
	my ($n, @chosen) = chosen($name, $role);

	for my $forever (0, 1) {
		my $how = $forever ? 'forever' : 'once';
		my @wrong;

		for my $at (@chosen) {
			my @found = try_point($name, $role, $forever, $at);

			push @wrong, "$0 $name $role $how $at",
			    map { s/^/    /mgr } @found if @found;
		}
		ok(!@wrong, "$name, $role: out of memory $how, "
		    . @chosen . " of $n allocations") or
		    diag(join "\n", @wrong);
	}
}

if (@ARGV == 4) {
	my ($name, $role, $how, $n) = @ARGV;
	chosen($name, $role);
	my @wrong = try_point($name, $role, $how eq 'forever' ? 1 : 0, $n);

	ok(!@wrong, "@ARGV") or diag(join "\n", @wrong);
} else {
	try_role(@$_) for @plan;
}
diag("$points points, memory ran out at $failed of them");
done_testing();
