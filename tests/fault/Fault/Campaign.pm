# Campaign.pm - many points of many sites, by several workers, as TAP.
#
#	Fault::Campaign::run(
#		count => 60,			# without COUNT=
#		stretches => sub { my ($lab) = @_; ...; return @stretches },
#		trial => sub { my ($lab, @point) = @_; ...; return @wrong },
#		again => 'CALLS=all ',		# what repeating a point needs
#	);
#
# A point is a list of words: the name of a site, a role, and what happens
# there, its number last. A stretch is the same with how many numbers there
# are, 1 and up, as its last word: a million points are never all held, since
# a worker forks for each step of a trial, and what it holds is paid for then.
# The test with a point as its arguments tries that one alone and tells all
# about it: it is how a violation is repeated.
#
# COUNT=N points are tried ("all": every one), spread evenly over all that
# there are; SEED= chooses others; JOBS= workers share them, each in a lab
# of its own. TIME=600 begins no point after so many seconds. SITES="first
# push" takes those of these sites alone, ROLES="runner agent" those whose
# second word is one of these, and ONLY="EIO fdatasync" those in whose words
# this is. One line of TAP is printed for all points that
# differ only in their number, and at the end how many were tried of how many
# there are.

package Fault::Campaign;

use strict;
use warnings;
use Fault;
use List::Util 'sum0';
use Test::More;
use Time::HiRes 'time';

# So many different numbers of 1 to "size", in no order: a shuffle that
# holds no more of them than it gives.
sub draw {
	my ($wanted, $size) = @_;
	my (%moved, @drawn);

	for (my $left = $size; @drawn < $wanted; $left--) {
		my $k = 1 + int rand($left);

		push @drawn, $moved{$k} // $k;
		$moved{$k} = $moved{$left} // $left;
	}
	return @drawn;
}

# So many points, in an order of which every beginning is spread evenly over
# the stretches and within each.
sub spread {
	my ($count, $all, @stretches) = @_;
	my @keyed;

	for my $stretch (sort { "@$a" cmp "@$b" } @stretches) {
		my ($size, @words) = ($stretch->[-1], group(@$stretch));
		my $share = int($size * $count / $all) + 2;
		my $step = 0;

		# One of each comes first.
		for my $at (draw($share < $size ? $share : $size, $size)) {
			push @keyed, [$step == 0 ? rand() - 1 :
			    ($step + rand()) / $size, [@words, $at]];
			$step++;
		}
	}
	@keyed = sort { $a->[0] <=> $b->[0] } @keyed;
	splice @keyed, $count if $count < @keyed;
	return map { $_->[1] } @keyed;
}

# Those of the sites and of the roles that were asked for.
sub chosen {
	my %sites = map { $_ => 1 } split ' ', $ENV{SITES} // '';
	my %roles = map { $_ => 1 } split ' ', $ENV{ROLES} // '';

	return grep { $_->[-1] > 0 && (!%sites || $sites{$_->[0]}) &&
	    (!%roles || $roles{$_->[1]}) &&
	    index(join(' ', group(@$_)), $ENV{ONLY} // '') >= 0 } @_;
}

# All but the number.
sub group {
	my (@point) = @_;

	return @point[0 .. $#point - 1];
}

# One point; what dies in the trial is a fault of the test and is told.
sub attempt {
	my ($lab, $trial, @point) = @_;
	my @wrong = eval { $trial->($lab, @point) };

	push @wrong, "the test died: $@" if $@;
	return map { "met '$lab->{met}': $_" } @wrong;
}

# Every JOBS-th point from "first" on, as long as there is time; a line for
# each to the handle.
sub work {
	my ($handle, $lab, $trial, $points, $first, $jobs) = @_;
	my $until = $ENV{TIME} ? time + $ENV{TIME} : 'inf';

	for (my $i = $first; $i < @$points && time < $until; $i += $jobs) {
		my @wrong = attempt($lab, $trial, @{$points->[$i]});

		print $handle join("\t", $i, map { substr s/\s+/ /gr, 0, 400 } @wrong), "\n";
	}
}

# The kernel lets a tracer wait for the next tick when it asks for a process
# that has not quite left another processor; on one they take turns, and a
# point takes half as long.
sub stay_on_one_processor {
	my ($worker) = @_;
	my $status = Fault::read_file('/proc/self/status') // '';
	my ($list) = $status =~ /^Cpus_allowed_list:\s*(\S+)/m or return;
	my @processors = map { /(\d+)-(\d+)/ ? ($1 .. $2) : $_ }
	    split /,/, $list;

	system "taskset -pc $processors[$worker % @processors] $$" .
	    ' > /dev/null 2>&1';
}

# { index => [complaints] } of all points; undef for those that there was no
# time for. The first worker goes on in the lab whose sites are there already.
sub share {
	my ($lab, $trial, $points, $jobs) = @_;
	my (@handles, %results);

	for my $first (0 .. $jobs - 1) {
		my $pid = open(my $handle, '-|') // die "fork: $!\n";

		if ($pid == 0) {
			$| = 1;
			stay_on_one_processor($first);
			work(\*STDOUT, $first == 0 ? $lab : Fault->new,
			    $trial, $points, $first, $jobs);
			exit 0;
		}
		push @handles, $handle;
	}
	for my $first (0 .. $jobs - 1) {
		my $handle = $handles[$first];

		while (my $line = <$handle>) {
			chomp $line;
			my ($i, @wrong) = split /\t/, $line;
			$results{$i} = \@wrong;
			note("@{$points->[$i]}: @wrong") if @wrong;
		}
		# One that died has left its own.
		close $handle or next;
		for (my $i = $first; $i < @$points; $i += $jobs) {
			$results{$i} //= undef;
		}
	}
	return \%results;
}

# "all" is how many there are, "again" what a point needs to be repeated.
sub report {
	my ($points, $results, $took, $all, $again) = @_;
	my (%tried, %wrong);
	my $n = 0;

	for my $i (0 .. $#$points) {
		my $name = join ' ', group(@{$points->[$i]});

		next if exists $results->{$i} && !defined $results->{$i};
		$n++;
		$tried{$name}++;
		push @{$wrong{$name}}, [$points->[$i], 'was not tried']
		    if !$results->{$i};
		push @{$wrong{$name}}, map { [$points->[$i], $_] }
		    @{$results->{$i} // []};
	}
	for my $name (sort keys %tried) {
		my @list = @{$wrong{$name} // []};

		ok(!@list, "$name: $tried{$name} points");
		diag(map { "$again$0 @{$_->[0]}\n    $_->[1]\n" } @list) if @list;
	}
	diag(sprintf '%.1f s, %.1f points a second', $took, $n / ($took || 1));
	note("$n points of $all");
}

sub run {
	my (%campaign) = @_;
	my $lacks = Fault->lacks;
	my $count = $ENV{COUNT} // $campaign{count};
	my ($lab, @stretches, @points, $all, $began, $results);

	plan(skip_all => $lacks) if defined $lacks;
	$lab = Fault->new;
	if (@ARGV) {
		my @wrong = attempt($lab, $campaign{trial}, @ARGV);

		ok(!@wrong, "@ARGV");
		note($lab->{met});
		diag(map { "$_\n" } @wrong) if @wrong;
		done_testing();
		return;
	}
	srand($ENV{SEED} // 1);
	@stretches = chosen($campaign{stretches}->($lab));
	$all = sum0(map { $_->[-1] } @stretches);
	$count = $all if $count eq 'all' || $count > $all;
	@points = spread($count, $all, @stretches);
	$began = time;
	$results = share($lab, $campaign{trial}, \@points, $ENV{JOBS} // 1);
	report(\@points, $results, time - $began, $all,
	    $campaign{again} // '');
	done_testing();
}

1;
