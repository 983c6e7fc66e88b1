#!/usr/bin/perl
# A system call fails, once or from then on: the old release stays live and
# whole or the new one is, what failed is told, and when the fault is gone
# the next runner brings all of it level and one more push goes live.
#
#	error.t				a few points of all; see Campaign.pm
#	error.t redeploy agent error ENOSPC state 12	this one
#
# "error" is once, "errors" all later calls of the same system call by
# processes of that role, "short" a read or write that is cut to one byte.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Fault::Campaign;

use constant SLOWLY => 10;

my @errors = qw(ENOSPC EIO EDQUOT EROFS EACCES EMFILE ENOMEM);

# Who is Slipway's own.
sub roles {
	return grep { !/^(?:command|receive-pack)$/ } Fault::Sites::roles(@_);
}

# An interrupted call is made again, and what is cut short goes on. They are
# tried where the kernel may do that.
my @interrupted = qw(read write poll ppoll epoll_wait wait4 waitid openat
    flock sendto recvfrom);
# What makes a transaction a fact, and what reads it back: each is a group of
# its own, since there are few of them.
my @durable = qw(fdatasync fsync pread64 pwrite64);
my @cut = qw(read write pread64 pwrite64 sendfile copy_file_range);

# For each role of a site: what its calls are, by classes of calls.
sub count_calls {
	my ($lab, $site) = @_;
	my %count;

	for my $class (qw(state fails all)) {
		for my $call ($lab->calls($site, 'any', '-c', $class)) {
			my ($role, $name) = split ' ', $call;

			$count{$role}{$class}++;
			$count{$role}{$name}++ if $class eq 'all';
		}
	}
	return \%count;
}

sub stretches {
	my ($lab) = @_;
	my @stretches;

	for my $name (qw(first redeploy unhealthy rollback cleanup push
	    cancelled transactional transactional-unhealthy
	    transactional-push)) {
		my $site = $lab->fixture($name);
		my $count = count_calls($lab, $site);

		for my $role (roles($name)) {
			my $of = $count->{$role};

			for my $class (qw(state fails)) {
				for my $error (@errors) {
					push @stretches, [$name, $role, $_,
					    $error, $class, $of->{$class} // 0]
					    for qw(error errors);
				}
			}
			push @stretches, [$name, $role, 'error', 'EINTR', $_,
			    $of->{$_} // 0] for @interrupted;
			push @stretches, [$name, $role, 'short', '-', $_,
			    $of->{$_} // 0] for @cut;
			push @stretches, [$name, $role, 'error', 'EIO', $_,
			    $of->{$_} // 0] for @durable;
		}
	}
	return @stretches;
}

# The runner was given what cannot work: then it says so, in the journal,
# in the event log or in its own words.
sub check_reported {
	my ($lab, $site, $run) = @_;
	my $log = "$lab->{repo}/slipway/log/runner.log";
	my $answers = Fault::Check::ask($lab);

	return if $run->{met} eq '' || @{$answers->{unfinished}} == 0;
	return if $run->{status} != 0 || $site->{name} =~ /push$/ &&
	    (Fault::read_file($log) // '') ne '';
	return "left @{$answers->{unfinished}}, and nobody says why";
}

# What a call that failed leaves in the root, an old release that is half
# removed among it, may stay until the next deploy, which sweeps it.
sub is_litter {
	return $_[0] =~ m{^releases/\d{14}\.partial is left} ||
	    $_[0] =~ m{^\.slipway/trash/\d+(?:\.partial)?(?:\.\d)? is left} ||
	    $_[0] =~ m{^\.slipway/trash/(?:adopt|repair)\.\w+ is left} ||
	    $_[0] =~ m{^\.slipway/manifest/\d{14}\.new is left} ||
	    $_[0] =~ m{^releases/\d{14} is left, .* has it as failed$} ||
	    $_[0] =~ m{^releases/\d{14} is gone};
}

# A flip back that failed: a deploy that says it is broken needs a hand, and
# until then the new release is there. The next deploy is a hand, too.
sub is_broken {
	my ($lab, $complaint) = @_;
	my $answers = Fault::Check::ask($lab);

	return ($answers->{broken}[0] // '') =~ /^[1-9]/ &&
	    $complaint =~ /^version '\w*' is live|^current is '/;
}

my $tried = 0;

sub trial {
	my ($lab, $name, $role, $mode, $error, $class, $at) = @_;
	my $site = $lab->fixture($name);
	my ($run, @wrong, @rest, @bad);

	$lab->restore($site);
	$run = $lab->run($site, '-r', $role, '-c', $class, $mode,
	    $mode eq 'short' ? () : $error, $at);
	@wrong = "no end: $run->{out}" if $run->{status} == 124;
	# Who has no memory dies.
	push @wrong, "a signal: $run->{out}" if $run->{status} > 128 &&
	    $run->{met} !~ / (?:brk|mmap)\b/;
	push @wrong, map { "at once: $_" } $lab->glance($site);
	push @wrong, check_reported($lab, $site, $run);
	push @wrong, $lab->recover($site);
	@rest = $lab->check($site, $run);
	@bad = grep { !is_litter($_) && !is_broken($lab, $_) } @rest;
	push @wrong, @bad;
	if (@ARGV || $tried++ % SLOWLY == 0 || @rest > @bad) {
		push @wrong, $lab->push_more($site);
		push @wrong, Fault::Check::check_slowly($lab);
	}
	return @wrong;
}

Fault::Campaign::run(count => 25, stretches => \&stretches, trial => \&trial);
