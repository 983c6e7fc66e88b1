#!/usr/bin/perl
# The power is cut at any system call of a deploy that changes a disk: what
# was not synced by then is gone. Then the machine starts again.
#
#	COUNT=1500 SEED=1 tests/fault/power.t	(10 unless told otherwise)
#	tests/fault/power.t ext4 push 217	what happens at call 217
#
# The site is on a file system in an image. At a call, while all processes
# stand still, the image is copied: the copy is what the disk has then. At
# some calls the file system's own journal is written first, as it is every
# few seconds: then names are on the disk whose contents are not.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Disk;
use Fault;

my @scenarios = qw(push first rollback unhealthy cleanup recycle);
my $count = $ENV{COUNT} // 10;
my $seed = $ENV{SEED} // 1;

alone() or plan skip_all => $Disk::why;
plan skip_all => Fault->lacks if defined Fault->lacks;

my $base = disk_scratch();
my $lab = Fault->new(dir => "$base/disk", saved => "$base/saved");
$lab->{work} = "$base/work";
my ($points, $states) = (0, 0);

# Copies the image unless nothing was written and nothing was said since.
my $snapshot = <<'END';
cd "$1" || exit
n=${INJECT_COUNT-end}
if [ $(((${INJECT_COUNT-0} / $2 * 7919 + $3) % 3)) -eq 0 ]; then
	if [ "$4" = btrfs ]; then
		perl -e 'open F, "<", "disk" or die; ioctl F, 0x80089418,
		    my $id = "\0" x 8; ioctl F, 0x40089416, $id'
	else
		dd if=/dev/zero of=disk/tick bs=1 count=1 \
		    conv=notrunc,fsync status=none
	fi
fi
state="$(stat -c %.9Y image) $(stat -c %s saved/out)"
echo "$n $INJECT_CALL $INJECT_PATH" >> snapshots/points
[ "$state" != "$(cat snapshots/state)" ] || [ "$n" = end ] || exit 0
echo "$state" > snapshots/state
cp --sparse=always image "snapshots/$n"
cp saved/out "snapshots/$n.out"
END

# What raises the page syncs it, as a migration does what it writes.
sub make_durable {
	my ($name) = @_;
	my $ini = "$base/saved/$name/shop.git/slipway.ini";
	my $text = Fault::read_file($ini);

	$text =~ s{^((?:run|undo) = .*"\$T/page".*)$}{$1; sync "\$T"}mg;
	Fault::write_file($ini, $text);
	$lab->must('cp', '-a', $lab->{work}, "$base/work.$name");
}

sub restore_work {
	my ($name) = @_;

	$lab->must('sh', '-c', 'rm -rf "$1" && cp -a "$2" "$1"', 'work',
	    $lab->{work}, "$base/work.$name");
}

# Run the scenario on a fresh disk, with a snapshot at every so manieth
# call; what it came to.
sub record {
	my ($kind, $site, $every) = @_;
	my @take = ('sh', "$base/snapshot", $base, $every, $seed, $kind);
	my $run;

	$lab->must('rm', '-rf', "$base/snapshots");
	mkdir "$base/snapshots";
	Fault::write_file("$base/snapshots/state", '');
	disk_image("$base/image", $kind) &&
	    disk_mount("$base/image", $kind, $lab->{dir}) or return;
	$lab->must('cp', '-a', "$base/saved/$site->{name}", $lab->{live});
	restore_work($site->{name});
	$lab->must('sync', '-f', $lab->{dir});
	$run = $lab->run($site, qw(-t 900 -c state pause), "@take", $every);
	$lab->spawn(@take);
	disk_unmount($lab->{dir}) or die 'umount';
	return $run;
}

# A client that read that a release is live relies on it.
sub check_promise {
	my ($said) = @_;
	my ($release) = $said =~ /^(?:remote: )?\s*live\s+(?:release )?(\d{14})/m;
	my ($current) = Fault::Check::current($lab);

	return if !defined $release || $release eq $current;
	return "the client was told that $release is live, and it is $current";
}

# Start the machine again with the disk as it was at this point.
sub try_snapshot {
	my ($kind, $site, $run, $n) = @_;
	my $said = Fault::read_file("$base/snapshots/$n.out");
	my $told = { status => $n eq 'end' ? $run->{status} : 1 };
	my @wrong;

	disk_mount("$base/snapshots/$n", $kind, $lab->{dir}) or
	    return $Disk::why;
	push @wrong, map { "at once: $_" } $lab->glance($site);
	push @wrong, $lab->recover($site);
	# A journal of SQLite's that was never synced is no hot one, and is
	# written over.
	push @wrong, grep { !/journal\.db-journal is left$/ }
	    $lab->check($site, $told);
	push @wrong, check_promise($said);
	push @wrong, Fault::Check::check_slowly($lab) if $states % 4 == 0;
	if ($states % 8 == 0) {
		push @wrong, $lab->push_more($site);
		restore_work($site->{name});
	}
	disk_unmount($lab->{dir}) or push @wrong, 'cannot unmount';
	unlink "$base/snapshots/$n";
	$states++;
	return @wrong;
}

# One line of TAP for a scenario on a file system.
sub try_scenario {
	my ($kind, $name, $wanted, $only) = @_;
	my ($site, $every, $run, @calls, @wrong);

	if (!-d "$base/work.$name") {
		$lab->must('rm', '-rf', $lab->{work});
		$lab->fixture($name);
		make_durable($name);
	}
	$site = $lab->fixture($name);
	restore_work($name);
	@calls = $lab->calls($site, 'any', '-c', 'state');
	$lab->must('rm', '-rf', $lab->{live});
	$every = $only // int(@calls / ($wanted + 1));
	$every = 1 if $every < 1;
	$run = record($kind, $site, $every) or return 0;
	my @points = split /\n/, Fault::read_file("$base/snapshots/points");
	for my $point (@points) {
		my ($n, $where) = split / /, $point, 2;
		next if !-e "$base/snapshots/$n" ||
		    defined $only && $n ne $only;
		my @found = try_snapshot($kind, $site, $run, $n);

		push @wrong, "$0 $kind $name $n: $where",
		    map { s/^/    /mgr } @found if @found;
	}
	$points += @points;
	ok(!@wrong, "$kind, $name: power cut at " . @points . ' of '
	    . @calls . ' calls') or diag(join "\n", @wrong);
	return 1;
}

Fault::write_file("$base/snapshot", $snapshot);
if (@ARGV == 3) {
	try_scenario($ARGV[0], $ARGV[1], 1, $ARGV[2]);
} else {
	my @kinds = $ENV{KIND} // qw(ext4 xfs btrfs);

	for my $kind (@kinds) {
		# In short runs, most on the file system that most have.
		my $share = $count >= 100 ? $count / @kinds :
		    $kind eq 'ext4' ? $count * 0.6 : $count * 0.2;
		my $n = $share < @scenarios ? 1 : @scenarios;

		for my $name (@scenarios[0 .. $n - 1]) {
			try_scenario($kind, $name, $share / $n) and next;
			SKIP: { skip "$kind: $Disk::why", 1 }
			last;
		}
	}
}
diag("$points points, $states different states of the disk");
done_testing();
