#!/usr/bin/perl
# A disk that is full, of bytes or of inodes, at every moment of a deploy:
# the old release stays live and whole, the pusher hears of it, and with
# room again the same push, or a retry, is all that it takes.
#
#	COUNT=all tests/fault/full.t	every point (16 unless told otherwise)
#	tests/fault/full.t 37 38	these points
#
# The disk is a tmpfs, or two, one for the repository and one for the site.
# It is too small for the push from the start, or an action of the deploy
# fills it up and leaves just so much.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Disk;
use Fault;

my @what = qw(bytes inodes);
my @where = qw(push build migrate restart);
my $steps = 16;

alone() or plan skip_all => $Disk::why;
plan skip_all => Fault->lacks if defined Fault->lacks;

my $base = disk_scratch();
my $lab = Fault->new(dir => "$base/disk", saved => "$base/saved");
my $site = $lab->fixture('push');
my %need;

# The action that fills a disk does as a file says, if it is there.
my $filler = <<'END';
[ -f "$1" ] || exit 0
read -r where what leave < "$1"
[ "$where" = "$2" ] || exit 0
for disk in "$3" "$3/live/srv"; do
	mkdir -p "$disk/ballast"
	if [ "$what" = inodes ]; then
		free=$(stat -f -c %d "$disk")
		seq -f "$disk/ballast/%g" $((free - leave)) |
		    xargs -r touch 2>/dev/null
	else
		free=$(($(stat -f -c '%a * %S' "$disk")))
		[ "$free" -le "$leave" ] ||
		    head -c $((free - leave)) /dev/zero \
		    > "$disk/ballast/zero" 2>/dev/null
	fi
done
exit 0
END

sub add_fillers {
	my $ini = "$base/saved/push/shop.git/slipway.ini";
	my $text = Fault::read_file($ini);

	for my $phase (grep { $_ ne 'push' } @where) {
		$text .= "\n[action fill_$phase]\nphase = $phase\n"
		    . "run = sh $base/filler $base/fill $phase $lab->{dir}\n";
	}
	Fault::write_file($ini, $text);
	Fault::write_file("$base/filler", $filler);
}

# The site on one tmpfs, or on two; their mount points.
sub mount_site {
	my ($two) = @_;
	my @disks = $two ? ($lab->{dir}, $lab->{root}) : ($lab->{dir});

	disk_tmpfs($lab->{dir}) or die 'tmpfs';
	mkdir $lab->{live};
	if ($two) {
		disk_tmpfs($lab->{root}) or die 'tmpfs';
	}
	$lab->must('cp', '-a', "$base/saved/push/.", "$lab->{live}/");
	return @disks;
}

# What a deploy needs, and more than what has to be free before it begins.
sub measure {
	my @disks = mount_site(0);
	my @before = disk_used($lab->{dir});

	$lab->run($site);
	my @after = disk_used($lab->{dir});
	$need{bytes} = int(($after[0] - $before[0]) * 1.3) + (1 << 20);
	$need{inodes} = int(($after[1] - $before[1]) * 1.3) + 32;
	disk_unmount($_) for reverse @disks;
}

# Room for so much more on every disk.
sub limit {
	my ($what, $leave, @disks) = @_;

	for my $disk (@disks) {
		my ($bytes, $inodes) = disk_used($disk);

		disk_limit($disk, $what eq 'bytes' ?
		    (size => $bytes + $leave) :
		    (nr_inodes => $inodes + $leave)) or die 'remount';
	}
}

sub live {
	my $version = Fault::read_file("$lab->{root}/current/version") // '';

	chomp $version;
	return $version;
}

# The disk has no limits now: what does it take to go live?
sub again {
	my ($run) = @_;
	my (@wrong, @command);

	push @wrong, $lab->recover($site);
	if (live() ne 'two') {
		my $main = qx(git -C $lab->{repo} rev-parse main);

		chomp $main;
		@command = $main eq $site->{commits}{two} ?
		    ($lab->program, 'retry', '-C', $lab->{repo}) :
		    @{$site->{command}};
		$run = $lab->after([], @command);
		push @wrong, "again, @command: $run->{out}"
		    if $run->{status} != 0;
	}
	return @wrong, $lab->check({ %$site, ends => ['two'] }, $run);
}

# What of a push onto a full disk is not as it should be; and what came of
# it.
sub try_point {
	my ($what, $where, $step) = @_;
	my @disks = mount_site($step % 2);
	my $leave = int($need{$what} * $step / ($steps - 1));
	my (@wrong, $run, $live);

	unlink "$base/fill";
	if ($where eq 'push') {
		limit($what, $leave, @disks);
	} else {
		limit($what, $need{$what} * 4, @disks);
		Fault::write_file("$base/fill", "$where $what $leave\n");
	}
	$run = $lab->run($site);
	$live = live();
	push @wrong, map { "full: $_" } $lab->glance($site);
	push @wrong, "nothing of it was said:\n$run->{out}"
	    if $live ne 'two' && $run->{out} !~ ($run->{status} == 0 ?
	    qr/no space|is full|no room/i : qr/remote rejected/);

	unlink "$base/fill";
	disk_limit($_, size => 0, nr_inodes => 0) for @disks;
	$lab->must('rm', '-rf', map { "$_/ballast" } @disks);
	push @wrong, again($run);
	disk_unmount($_) for reverse @disks;
	return ($live, @wrong);
}

add_fillers();
measure();
my %reached = (one => 0, two => 0);
my (%tried, %wrong);

for my $point (points(@what * @where * $steps, 16)) {
	my $where = $where[$point / $steps % @where];
	my $what = $what[$point / $steps / @where];
	my ($live, @wrong) = try_point($what, $where, $point % $steps);

	$reached{$live}++;
	$tried{$what}{$where}++;
	push @{$wrong{$what}{$where}}, "$0 $point:",
	    map { s/^/    /mgr } @wrong if @wrong;
}
for my $what (@what) {
	for my $where (grep { $tried{$what}{$_} } @where) {
		ok(!$wrong{$what}{$where}, "no $what at $where:"
		    . " $tried{$what}{$where} points") or
		    diag(join "\n", @{$wrong{$what}{$where}});
	}
}
diag("$reached{two} of these deploys went live, $reached{one} did not");
ok(@ARGV || ($reached{one} && $reached{two}),
    'there was too little room, and enough');
done_testing();
