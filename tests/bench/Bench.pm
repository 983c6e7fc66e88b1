# Bench.pm - what the benchmarks share: places, runs, medians, tables.
#
#	my $base = bench_begin('release');
#	my $place = bench_place("archive", 4 << 30);
#	bench_cold() if $cold;
#	my $run = bench_run([@command], memory => 1);
#	bench_skip('rsync', 'it is not installed');
#	print bench_table([qw(way ms)], [['archive', '12.3'], ...]);
#
# Two things would make numbers wrong by a factor of 2 to 20. ext4 makes
# files slowly for minutes after many were removed: so a place is a file
# system of its own, in an image, and nothing is removed between runs that
# are timed. And a virtual machine may have to ask for memory that was not
# used yet: so some hundred MiB are touched, untimed, before each run.
#
# The images are removed as soon as they are mounted, and the mounts are in
# a namespace of the program's own: whatever ends it leaves nothing behind
# but its folder with the repositories. Where no image can be mounted, places
# are folders, and $Bench::images is false.

package Bench;

use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Temp 'tempdir';
use lib abs_path(dirname(__FILE__)) . '/../fault';
use Disk;

our @EXPORT = qw(bench_begin bench_build bench_can_cool bench_cool
    bench_free_place bench_machine bench_median bench_number bench_place
    bench_program bench_run bench_seconds bench_skip bench_table bench_tool
    bench_words);
our $images = 0;

my $build = $ENV{SLIPWAY_BUILD}
    // abs_path(dirname(__FILE__) . '/../..') . '/build';
my $touch_mib = $ENV{TOUCH} // 256;
my $drop_caches = '/proc/sys/vm/drop_caches';
my $main = $$;
my ($base, $why_no_images);
my %mounted;

sub bench_build {
	return $build;
}

sub bench_tool {
	return "$build/tests/tool/$_[0]";
}

sub bench_program {
	return "$build/bin/slipway";
}

sub bench_skip {
	my ($what, $why) = @_;

	print "SKIP $what: $why\n";
}

# Words of a variable of the environment.
sub bench_words {
	my ($name, $default) = @_;

	return split ' ', $ENV{$name} // $default;
}

# As the tests do: nothing of the user's settings changes what is measured.
sub clean_environment {
	delete @ENV{grep { /^GIT_|^SLIPWAY_(?!BUILD)/ } keys %ENV};
	mkdir "$base/home";
	@ENV{qw(HOME LC_ALL TZ GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT)} =
	    ("$base/home", 'C.UTF-8', 'UTC', 1, 0);
	$ENV{PATH} = "$build/bin:$ENV{PATH}";
	open my $file, '>', "$base/home/.gitconfig" or die "$base: $!";
	print $file "[user]\nname = Alice\nemail = alice\@example.org\n"
	    . "[init]\ndefaultBranch = main\n[gc]\nauto = 0\n"
	    . "[advice]\ndetachedHead = false\n"
	    . "[safe]\ndirectory = *\n";
	close $file;
}

# Starts anew in namespaces of its own, if it may, and makes the folder of
# all that follows.
sub bench_begin {
	my ($name) = @_;

	$why_no_images = $Disk::why unless alone();
	$| = 1;
	-x bench_program() && -x bench_tool('meter')
	    or die "$build is not complete: run make all tools first\n";
	$base = tempdir("slipway-bench-$name.XXXXXX", TMPDIR => 1);
	$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
	clean_environment();
	try_image();
	return $base;
}

sub try_image {
	$images = !defined $why_no_images
	    && defined bench_place('try', 64 << 20);
	if ($images) {
		bench_free_place('try');
	} else {
		bench_skip('file systems of their own', $why_no_images
		    . '; folders take their place, and nothing is removed'
		    . ' before all runs are over');
	}
}

# An image of at most so many bytes, as a mounted file system; or a folder. A
# sparse image grows with what is written, and each sync then waits for the
# file system beneath it, too: where syncs are what counts, all of it is
# written first.
sub bench_place {
	my ($name, $bytes, $written) = @_;
	my $folder = "$base/$name";
	my $image = "$folder.image";
	my $make = $written ? "head -c $bytes /dev/zero > '$image' &&
	    sync '$image'" : "truncate -s $bytes '$image'";

	mkdir $folder or die "$folder: $!";
	return $folder if !$images && $name ne 'try';
	my $said = qx(exec 2>&1
	    $make &&
	    mkfs.ext4 -q -F -i 4096 -E nodiscard,lazy_itable_init=1 '$image' &&
	    { loop=\$(losetup -f --show --direct-io=on '$image') ||
	      loop=\$(losetup -f --show '$image'); } &&
	    mount -t ext4 -o noatime,noinit_itable "\$loop" '$folder'
	    status=\$?
	    [ -z "\$loop" ] || losetup -d "\$loop"
	    rm -f '$image'
	    exit \$status);
	if ($? != 0) {
		die "$folder: $said" if $images;
		$why_no_images = (split /\n/, $said)[0] // 'no loop device';
		rmdir $folder;
		return undef;
	}
	$mounted{$folder} = 1;
	return $folder;
}

# A place is not needed any more. A folder stays until the end.
sub bench_free_place {
	my ($name) = @_;
	my $folder = "$base/$name";

	return unless delete $mounted{$folder};
	system("umount '$folder' || umount -l '$folder'");
	rmdir $folder;
}

END {
	my $status = $?;

	if (defined $base && $$ == $main) {
		chdir '/';
		system("umount -l '$_'") for keys %mounted;
		system('rm', '-rf', '--one-file-system', $base);
	}
	$? = $status;
}

sub bench_can_cool {
	return -w $drop_caches;
}

# What is known of files is forgotten.
sub bench_cool {
	system('sync');
	open my $file, '>', $drop_caches or die "$drop_caches: $!";
	print $file "3\n";
	close $file;
}

# One run of a command: ms, cpu_ms, and with "memory" kib and beyond, see
# tests/tool/meter.c; "out" is what it printed. "quick" is for what needs no
# memory touched before, "in" a folder, and the memory "of" programs whose
# path has that in it. A command that fails ends the
# benchmark, unless it may.
sub bench_run {
	my ($command, %how) = @_;
	unlink "$base/metered";
	my @meter = (bench_tool('meter'), '-t', $how{quick} ? 0 : $touch_mib,
	    $how{memory} ? '-m' : (),
	    defined $how{of} ? ('-x', $how{of}) : (), "$base/metered");
	my $pid = fork // die "fork: $!";

	if ($pid == 0) {
		chdir $how{in} if defined $how{in};
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$base/out";
		open STDERR, '>', "$base/err";
		exec @meter, @$command or exit 127;
	}
	waitpid $pid, 0;
	my $ended = $?;
	my %run = (text("$base/metered") =~ /(\w+)=(\S+)/g);
	die "@meter: wait status $ended\n" . text("$base/err")
	    unless defined $run{status};
	$run{out} = text("$base/out");
	die "@$command: exit $run{status}\n" . text("$base/err")
	    if $run{status} != 0 && !$how{may_fail};
	return \%run;
}

sub text {
	my ($path) = @_;

	open my $file, '<', $path or return '';
	local $/;
	return <$file> // '';
}

sub bench_median {
	my @sorted = sort { $a <=> $b } @_;
	my $half = int(@sorted / 2);

	return undef unless @sorted;
	return @sorted % 2 ? $sorted[$half]
	    : ($sorted[$half - 1] + $sorted[$half]) / 2;
}

# 1234567 as 1,234,567.
sub bench_number {
	my ($n) = @_;

	1 while $n =~ s/^(\d+)(\d{3})/$1,$2/;
	return $n;
}

# Milliseconds as seconds with three digits that count.
sub bench_seconds {
	my ($ms) = @_;

	return '-' unless defined $ms;
	return sprintf $ms < 995 ? '%.3f' : $ms < 9995 ? '%.2f' : '%.1f',
	    $ms / 1000;
}

sub bench_machine {
	my ($model) = text('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)$/m;
	my $cores = () = text('/proc/cpuinfo') =~ /^processor/mg;
	my ($kib) = text('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
	my ($kernel, $git) = (qx(uname -r), qx(git --version));

	chomp($kernel, $git);
	$git =~ s/git version //;
	return sprintf "%d cores (%s), %.0f GiB, Linux %s, git %s, load %s",
	    $cores, $model // '?', $kib / (1 << 20), $kernel, $git,
	    (split ' ', text('/proc/loadavg'))[0];
}

# Columns as wide as they need to be, the first to the left, the others to
# the right.
sub bench_table {
	my ($head, $rows) = @_;
	my @width = (0) x @$head;
	my $text = '';

	for my $row ($head, @$rows) {
		for my $i (0 .. $#$row) {
			$width[$i] = length $row->[$i]
			    if length $row->[$i] > $width[$i];
		}
	}
	for my $row ($head, @$rows) {
		my $line = join '  ', sprintf("%-*s", $width[0], $row->[0]),
		    map { sprintf '%*s', $width[$_], $row->[$_] }
		    1 .. $#$row;

		$text .= "  $line\n";
	}
	return $text;
}

1;
