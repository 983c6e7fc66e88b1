# Disk.pm - file systems of a test's own, that are gone when it is.
#
#	alone() or plan skip_all => $Disk::why;
#	my $base = disk_scratch();
#	disk_tmpfs("$base/small", size => 1 << 20);
#	disk_image("$base/image", 'ext4');
#	disk_mount("$base/image", 'ext4', $folder);
#	disk_unmount($folder);
#
# alone() starts the program anew in namespaces for mounts and processes:
# whatever it mounts and starts ends with it, also when it is killed. Loop
# devices free themselves with their mount.

package Disk;

use strict;
use warnings;
use Exporter 'import';
use File::Temp 'tempdir';

our @EXPORT = qw(alone disk_image disk_limit disk_mount disk_scratch
    disk_tmpfs disk_unmount disk_used points);
our $why = '';
my $scratch;
my $main = $$;

# Smallest image that each can be made on, and how it is mounted so that
# nothing goes to the disk that nobody synced.
my %kinds = (
	ext4  => { size => '48M', make => 'mkfs.ext4 -q -F -E'
	    . ' lazy_itable_init=0,nodiscard',
	    options => 'loop,noatime,commit=600' },
	xfs   => { size => '300M', make => 'mkfs.xfs -q -K -f',
	    options => 'loop,noatime' },
	btrfs => { size => '128M', make => 'mkfs.btrfs -q -K -f -M',
	    options => 'loop,noatime,commit=600' },
);

# The marker is a variable, and the process id, so that what the test
# starts does not take itself for alone.
sub alone {
	my $marker = $ENV{SLIPWAY_ALONE} // '';
	my @user = $> == 0 ? () : ('-r');

	delete $ENV{SLIPWAY_ALONE};
	return 1 if $marker eq '1';
	if (system("unshare @user -m -p -f true 2>/dev/null") != 0) {
		$why = 'no namespace for mounts can be made here';
		return 0;
	}
	$ENV{SLIPWAY_ALONE} = 1;
	# The shell collects what loses its parent, which perl would not.
	exec 'unshare', @user, '-m', '-p', '-f', '--kill-child',
	    '--mount-proc', 'sh', '-c', '"$@" & wait $!', 'sh', $^X, $0,
	    @ARGV;
	die "unshare: $!";
}

sub disk_tmpfs {
	my ($folder, %options) = @_;
	my $options = join ',', map { "$_=$options{$_}" } sort keys %options;

	mkdir $folder;
	$options = 'mode=0755' . ($options eq '' ? '' : ",$options");
	return system('mount', '-t', 'tmpfs', '-o', $options, 'tmpfs',
	    $folder) == 0;
}

# A tmpfs for all that a test writes. The mount point is all that stays of it
# when the test is killed, and is empty.
sub disk_scratch {
	$scratch = tempdir('slipway-disk.XXXXXX', TMPDIR => 1);
	disk_tmpfs($scratch) or die "$scratch: cannot mount a tmpfs";
	return $scratch;
}

END {
	my $status = $?;

	if (defined $scratch && $$ == $main) {
		chdir '/';
		system('umount', '-l', $scratch);
		rmdir $scratch;
	}
	$? = $status;
}

# Points of a sweep: those on the command line, or COUNT of them, spread
# evenly; "all" is every one.
sub points {
	my ($n, $few) = @_;
	my $count = $ENV{COUNT} // $few;

	return @ARGV if @ARGV;
	return 0 .. $n - 1 if $count eq 'all' || $count >= $n;
	return map { int(($_ + 0.5) * $n / $count) } 0 .. $count - 1;
}

# Other sizes for a tmpfs that is mounted.
sub disk_limit {
	my ($folder, %options) = @_;
	my $options = join ',', map { "$_=$options{$_}" } sort keys %options;

	return system('mount', '-o', "remount,$options", $folder) == 0;
}

# Bytes and inodes in use.
sub disk_used {
	my ($folder) = @_;
	my ($size, $blocks, $free, $inodes, $inodes_free) = split ' ',
	    qx(stat -f -c '%S %b %f %c %d' '$folder');

	return ($size * ($blocks - $free), $inodes - $inodes_free);
}

# A fresh file system in a file; false, with $Disk::why, where that cannot
# be made or mounted.
sub disk_image {
	my ($file, $kind) = @_;
	my $how = $kinds{$kind};
	my $said = qx(rm -f '$file' && truncate -s $how->{size} '$file' \\
	    && $how->{make} '$file' 2>&1);

	$why = "mkfs.$kind: " . (split /\n/, $said)[0] // '' if $? != 0;
	return $? == 0;
}

sub disk_mount {
	my ($file, $kind, $folder) = @_;
	my $said = qx(mount -t $kind -o $kinds{$kind}{options} '$file' \\
	    '$folder' 2>&1);

	$why = "mount: $said" if $? != 0;
	return $? == 0;
}

sub disk_unmount {
	my ($folder) = @_;

	return system("umount '$folder' 2>/dev/null") == 0;
}

1;
