# Verdict.pm - what must be true after a round of a crowd; see Crowd.pm.
#
# Each method returns complaints, one line each; none is what is wanted.

package Verdict;

use strict;
use warnings;

my %live_states = (live => 1, retired => 1);
my %over = map { $_ => 1 } qw(live retired failed rolled-back superseded
    cancelled);

sub new {
	my ($class, $crowd) = @_;
	my $self = bless { crowd => $crowd, live => {} }, $class;

	$self->{trace}{$_} = 0 for $crowd->environments;
	return $self;
}

sub round {
	my ($self, @told) = @_;
	my ($deploys, $refs) = $self->{crowd}->rows;
	my %row = map { $_->{number} => $_ } @$deploys;
	my @faults = map { "$_->{kind}: $_->{text}" }
	    grep { $_->{kind} eq 'died' } @told;

	push @faults, map { "deploy $_->{number} is left $_->{state}" }
	    grep { !$over{$_->{state}} } @$deploys;
	push @faults, $self->accepted($deploys, $refs, @told);
	for my $environment ($self->{crowd}->environments) {
		my @own = grep { $_->{environment} eq $environment } @$deploys;
		push @faults, $self->one_at_a_time($environment, @own);
		push @faults, $self->newest($environment, @own);
		push @faults, $self->site($environment);
	}
	for my $told (@told) {
		push @faults, $self->truth($told, $deploys, $refs, \%row);
	}
	return @faults;
}

sub is_moved {
	my ($told) = @_;

	return $told->{kind} eq 'push' && $told->{exit} == 0
	    && $told->{flag} =~ /^[ +*]$/;
}

# Every push that git took is in the journal, with what it asks for.
sub accepted {
	my ($self, $deploys, $refs, @told) = @_;
	my @moved = grep { is_moved($_) } @told;
	my @landed = grep { $_->{state} eq 'landed' && $_->{landed} } @$refs;
	my @faults;

	push @faults, scalar(@moved) . ' pushes moved a ref, the journal has '
	    . scalar(@landed) if @moved != @landed;
	for my $ref (grep { $_->{state} ne 'landed' } @$refs) {
		push @faults, "push $ref->{push} is left $ref->{state}, and"
		    . ' its ref has moved' if $self->{crowd}->is_ref($ref)
		    && !grep { $_->{new} eq $ref->{new} } @landed;
	}
	for my $told (grep { $_->{kind} eq 'push' } @told) {
		my ($ref) = grep { $_->{new} eq $told->{commit} } @landed;
		if (is_moved($told) && !$ref) {
			push @faults, "$told->{commit} moved its ref and is"
			    . " not in the journal";
		} elsif (is_moved($told)
		    && !grep { ($_->{push} // 0) == $ref->{push} } @$deploys) {
			push @faults, $self->needless($told, $ref);
		}
		# Who was late is told so; git would say it less plainly.
		push @faults, "the gate failed: $told->{text}"
		    if $told->{out} =~ /hook declined/
		    && $told->{text} !~ /somebody else has moved it/;
	}
	return @faults;
}

# A push may ask for nothing when its commit is live and stays so: what an
# older push asked for did not go live after it.
sub needless {
	my ($self, $told, $ref) = @_;
	my ($environment, $commit, $release) = $told->{text} =~
	    /^(\S+): ([0-9a-f]{7}) is live already, as release (\d{14})/m;
	my $who = "push $ref->{push}";

	return "$who asked for nothing" if !defined $release;
	my @live = @{$self->{crowd}->query("SELECT number, push, release,"
	    . " commit_oid AS commit_id FROM deploys WHERE"
	    . " environment = '$environment' AND state IN"
	    . " ('live', 'retired') ORDER BY number")};
	my ($as) = grep { $_->{release} eq $release } reverse @live;
	return "$who was told that $commit is live, and $release is not of it"
	    if !$as || $as->{commit_id} ne $ref->{new}
	    || $ref->{new} !~ /^$commit/;
	return map { "$who was told that $commit is live, and deploy"
	    . " $_->{number} of push $_->{push} went live after it" }
	    grep { $_->{number} > $as->{number} && $_->{push}
	    && $_->{push} < $ref->{push} } @live;
}

# By the journal, and by what the commands of the deploys have written.
sub one_at_a_time {
	my ($self, $environment, @own) = @_;
	my %row = map { $_->{number} => $_ } @own;
	my ($end, $last, $begun, @faults) = (0, 0, 0);

	for my $deploy (sort { $a->{started_at} <=> $b->{started_at} }
	    grep { $_->{started_at} } @own) {
		push @faults, "deploy $deploy->{number} began before $last"
		    . ' was over' if $deploy->{started_at} < $end;
		($end, $last) = @$deploy{qw(finished_at number)};
	}
	my @lines = $self->{crowd}->trace($environment);
	for my $line (splice @lines, $self->{trace}{$environment}) {
		$self->{trace}{$environment}++;
		my ($what, $number) = split ' ', $line;
		push @faults, "deploy $number comes into deploy $begun"
		    if $begun && $number != $begun
		    && $live_states{($row{$begun} // {})->{state} // ''};
		$begun = $what eq 'begin' ? $number : 0;
	}
	return @faults;
}

# What was asked for last is live, unless it failed.
sub newest {
	my ($self, $environment, @own) = @_;
	my @live = @{$self->{crowd}->query("SELECT number, kind, release,"
	    . " commit_id, target FROM (SELECT *, commit_oid AS commit_id"
	    . " FROM deploys) WHERE environment = '$environment'"
	    . " AND state = 'live'")};
	my ($last) = grep { $live_states{$_->{state}} } reverse @own;
	my $tip = $self->{crowd}->tip($environment);
	my @faults;

	push @faults, "$environment: " . scalar(@live) . ' deploys are live'
	    if @live != 1;
	return @faults if !@own || !@live;
	push @faults, "$environment: deploy $live[0]{number} is live, and"
	    . " $last->{number} went live, too"
	    if $last && $last->{number} != $live[0]{number};
	push @faults, "$environment: deploy $own[-1]{number} was asked for"
	    . " last, and $live[0]{commit_id} is live, not $tip"
	    if $own[-1]{kind} eq 'deploy' && $live_states{$own[-1]{state}}
	    && $live[0]{commit_id} ne $tip;
	push @faults, "$environment: nothing of what failed or waited has"
	    . " brought $tip, and it is the tip" if !grep {
	    ($_->{commit_id} // '') eq $tip } @own, @live,
	    $self->{before}{$environment} // ();
	$self->{before}{$environment} = $own[-1];
	return @faults;
}

# What can be seen from outside is what the journal says.
sub site {
	my ($self, $environment) = @_;
	my $crowd = $self->{crowd};
	my $root = "$crowd->{folder}/$environment";
	my ($live) = @{$crowd->query("SELECT release, commit_oid AS commit_id"
	    . " FROM deploys WHERE environment = '$environment'"
	    . " AND state = 'live'")};
	my $link = readlink("$root/current") // '(none)';
	my @faults;

	return "$environment: nothing is live" if !$live;
	push @faults, "$environment: current is $link, not $live->{release}"
	    if $link ne "releases/$live->{release}";
	push @faults, "$environment: refs/live is not $live->{commit_id}"
	    if $crowd->ref("refs/live/$environment") ne $live->{commit_id};
	push @faults, map { "$environment: $_ is left" }
	    glob("$root/releases/*.partial $root/.slipway/trash/*");
	return @faults;
}

# Where a deploy led: itself, or the one that took its place.
sub outcome {
	my ($deploy, $row) = @_;

	while ($deploy && $deploy->{state} eq 'superseded') {
		$deploy = $row->{$deploy->{superseded_by}};
	}
	return $deploy;
}

# What somebody must have read about a deploy that ended like this.
sub words {
	my ($deploy) = @_;
	my $number = $deploy->{number};

	return qr/^$deploy->{environment}: release $deploy->{release} is live/m
	    if $live_states{$deploy->{state}};
	return qr/^deploy $number was cancelled/m
	    if $deploy->{state} eq 'cancelled';
	return qr/^error: deploy $number (?:failed|was cancelled)/m;
}

# The first and the last that somebody read.
sub excerpt {
	my ($told) = @_;

	return $told->{text} =~ s/^(.{300}).*(.{600})$/$1\n[...]\n$2/sr;
}

sub truth {
	my ($self, $told, $deploys, $refs, $row) = @_;
	my $who = "$told->{kind} " . substr($told->{commit} // '', 0, 7);
	my @claims = $told->{text} =~ /^\S+: release (\d+) is live/mg;

	return () if $told->{kind} eq 'died';
	return $self->truth_of_cli($told, $row) if $told->{kind} ne 'push';
	return () if !is_moved($told);
	my ($ref) = grep { $_->{new} eq $told->{commit} && $_->{landed} }
	    @$refs;
	my ($asked) = grep { $ref && ($_->{push} // 0) == $ref->{push} }
	    @$deploys;
	my $last = outcome($asked, $row);
	return () if !$last;
	my $words = words($last);
	my @faults;
	push @faults, "$who: deploy $asked->{number} became"
	    . " $last->{number}, $last->{state}; it was told: "
	    . excerpt($told) if $told->{text} !~ $words;
	push @faults, "$who: not told that $last->{number} took the place of"
	    . " $asked->{number}: " . excerpt($told) if $asked != $last
	    && $told->{text} !~ /deploy $last->{number}\b/;
	push @faults, "$who: $_ is no release of its deploy"
	    for grep { $_ ne ($last->{release} // '') } @claims;
	push @faults, "$who: $_" for grep { !/^error: deploy \d+ / }
	    $told->{text} =~ /^(?:error|fatal): .*/mg;
	return @faults;
}

# The exit status of a command is what the journal has.
sub truth_of_cli {
	my ($self, $told, $row) = @_;
	my ($number) = $told->{out} =~ /"deploy": (\d+)/;
	my ($exit, $kind) = @$told{qw(exit kind)};
	my %want = (live => 0, retired => 0, failed => 1, 'rolled-back' => 5,
	    cancelled => 1);

	if ($kind eq 'cleanup') {
		return $exit == 0 || $exit == 4 ? () :
		    "cleanup: exit $exit: $told->{text}";
	}
	return truth_of_cancel($told, $row) if $kind eq 'cancel';
	return () if $kind eq 'rollback' && $exit == 1
	    && $told->{text} =~ /has no earlier release to go back to$/m;
	# Back twice in a row, and "keep" had not left so much.
	return () if $kind eq 'rollback' && $exit == 1
	    && $told->{text} =~ /release (\d+), which was live before, is re/
	    && !-d "$self->{crowd}{folder}/production/releases/$1";
	return "$kind: exit $exit: $told->{text}"
	    if !defined $number || !$row->{$number};
	my $state = $row->{$number}{state};
	return "$kind: exit $exit, and deploy $number is $state"
	    if $exit != ($want{$state} // -1);
	return ();
}

# It is done when its deploy was stopped, and only then; 3 is "too late".
sub truth_of_cancel {
	my ($told, $row) = @_;
	my ($exit, $text) = @$told{qw(exit text)};
	my ($number) = "$told->{out}$text" =~ /"?deploy"?:? (\d+)/;
	my %want = (live => 1, retired => 1, failed => 1, 'rolled-back' => 5,
	    broken => 6);

	return () if $exit == 1 && $text =~ /nothing is under way and nothing/;
	return "cancel: exit $exit: $text"
	    if !defined $number || !$row->{$number};
	my ($state, $error) = @{$row->{$number}}{qw(state error)};
	my $stopped = $state ne 'broken' && ($error // '') =~ /^cancelled by /;
	return () if $exit == ($stopped ? 0 : $want{$state} // -1)
	    || $exit == 3 && !$stopped;
	return "cancel: exit $exit, and deploy $number is $state";
}

# Slower: every file of what is live, the journal's chain, the repository.
sub whole {
	my ($self) = @_;
	my $crowd = $self->{crowd};
	my @faults = $crowd->sound;

	push @faults, $crowd->compare($_) for $crowd->environments;
	return @faults;
}

1;
