#!/usr/bin/perl
# Each way of making a release gives what git gives, whatever was done to
# the releases that it was made from.
#
#	COUNT=300 tests/flow/11-ways.t		so many histories
#	SEED=17 COUNT=1 tests/flow/11-ways.t	the one that failed
#
# A history is a handful of random commits (History.pm). Two sites follow
# it: their releases are made fresh, linked or cloned from the live one, or
# of the spare, with files shared, copied or cloned, with and without
# export. In between somebody edits, replaces, removes, adds, links and
# swaps (Tamper.pm) in the live release, in older ones and in the spare, or
# damages a manifest, or works in the spare. Then it is checked that
#
#	- drift tells of each path that differs from the commit, and no other
#	- the next release is what "git checkout" or "git archive" writes:
#	  names, kinds, bytes, modes, targets, owners
#	- nothing else has changed: no other release, nothing outside
#	- it was made the way it should be, and shares just the inodes it may
#	- repair makes a release equal to its commit
#
# What is promised of bytes that were changed with size and mtime put back:
# where releases have their own files, ctime gives it away, and everything
# above holds. Where they share files, ctime tells nothing (a link that
# comes or goes changes it), so that only a deep look finds it; here that
# comes before the next release is made, and repairs. What is not promised:
# drift tells of no other group of a file, no removed folder that had no
# file in it, and no second name of a file; but a file that has more names
# than there are releases is not shared, nor is one that is not the inode
# that was written.
#
# Everything happens in a tmpfs, for clones on an xfs or btrfs in it, in a
# namespace with an /etc of its own.

use strict;
use warnings;
use Cwd 'abs_path';
use Digest::MD5;
use Test::More;
use FindBin;
use lib "$FindBin::Bin/../tool", "$FindBin::Bin/../fault";
use Disk;
use History;
use Tamper;

my $build = abs_path($ENV{SLIPWAY_BUILD} // "$FindBin::Bin/../../build");
my $tool = "$build/tests/tool/store-tool";
my $count = $ENV{COUNT} // 8;
my $seed = $ENV{SEED} // 20261120;

plan skip_all => "$tool is not there: run make tools first" unless -x $tool;
alone() or plan skip_all => $Disk::why;

my $base = disk_scratch();
my $git = "$base/history.git";
my (%figures, @complaints);

umask 022;
delete @ENV{grep { /^GIT_/ } keys %ENV};
@ENV{qw(HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL LC_ALL TZ)} =
    ($base, 1, '/dev/null', 'C.UTF-8', 'UTC');

sub complain {
	my ($site, @what) = @_;

	push @complaints, map { "$site->{name}: $_" } @what;
	return;
}

# Status and output of a program.
sub run {
	my @command = @_;
	my $pid = open(my $out, '-|') // die "fork: $!";

	if ($pid == 0) {
		open STDERR, '>', "$base/said";
		exec @command or POSIX::_exit(127);
	}
	binmode $out;
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($? >> 8 | ($? & 127 ? 128 : 0), $text);
}

sub said {
	return Tamper::slurp("$base/said") =~ s/\s+\z//r;
}

# A folder as { path => { kind, mode, sum, uid, inode, links, times } };
# '' is the folder itself. A link elsewhere changes the ctime of a file, and
# a folder may inherit its group.
sub look {
	my ($folder) = @_;
	my %found;
	my @paths = ('');

	while (@paths) {
		my $path = shift @paths;
		my $full = $path eq '' ? $folder : "$folder/$path";
		my @st = lstat $full or next;
		my $entry = $found{$path} = { kind => -l _ ? 'l' : -d _ ?
		    'd' : -f _ ? 'f' : 'o', mode => $st[2] & 07777,
		    uid => $st[4], inode => "$st[0]:$st[1]",
		    links => $st[3], times => -d _ ? "$st[9] $st[10]" :
		    $st[9] };

		$entry->{mode} &= ~02000 if $entry->{kind} eq 'd';
		if ($entry->{kind} eq 'f') {
			open my $file, '<:raw', $full or next;
			$entry->{sum} = Digest::MD5->new->addfile($file)
			    ->hexdigest;
		} elsif ($entry->{kind} eq 'l') {
			$entry->{sum} = readlink $full;
		} elsif ($entry->{kind} eq 'd') {
			opendir my $dir, $full or next;
			push @paths, map { $path eq '' ? $_ : "$path/$_" }
			    grep { $_ ne '.' && $_ ne '..' } readdir $dir;
		}
	}
	return \%found;
}

# One line for each path that is not the same in both looks.
sub differences {
	my ($is, $want, @also) = @_;
	my (@found, %all);

	@all{keys %$is, keys %$want} = ();
	for my $path (sort keys %all) {
		my ($got, $due) = ($is->{$path}, $want->{$path});

		push @found, !$due ? "extra $path" : !$got ? "no $path" :
		    map { "$path: $_ is " . ($got->{$_} // 'none') .
		    ', not ' . ($due->{$_} // 'none') }
		    grep { ($got->{$_} // '') ne ($due->{$_} // '') }
		    'kind', 'sum', 'uid', @also,
		    $due->{kind} eq 'l' ? () : 'mode';
	}
	splice @found, 5 if @found > 5;
	return @found;
}

# What git writes, as a look.
sub by_git {
	my ($rev, $export) = @_;
	my $folder = "$base/by-git";
	my ($status) = mkdir $folder;

	if ($export) {
		($status) = run('git', "--git-dir=$git", '-c',
		    'tar.umask=0022', 'archive', '-o', "$base/x.tar", $rev);
		($status) = run('tar', '-x', '--same-permissions',
		    '--no-same-owner', '-C', $folder, '-f', "$base/x.tar")
		    if $status == 0;
	} else {
		local $ENV{GIT_INDEX_FILE} = "$base/index";
		($status) = run('git', "--git-dir=$git",
		    "--work-tree=$folder", 'checkout', '-q', '-f', $rev,
		    '--', '.');
	}
	my $look = $status == 0 ? look($folder) : undef;
	system('rm', '-rf', $folder, "$base/index", "$base/x.tar");
	return $look;
}

sub expected {
	my ($commit, $export) = @_;

	return $commit->{$export ? 'export' : 'checkout'} //=
	    by_git($commit->{rev}, $export);
}

# What drift should tell, from what is there and what the commit has.
sub should_tell {
	my ($is, $want) = @_;
	my %tell;

	for my $path (sort keys %$want) {
		my ($got, $due) = ($is->{$path}, $want->{$path});
		my $folder = $due->{kind} eq 'd';
		my $shown = $folder ? ($path eq '' ? './' : "$path/") : $path;

		if ($folder) {
			next unless $got && $got->{kind} eq 'd';
			$tell{$shown} = 'mode' if $got->{uid} != $due->{uid}
			    || $got->{mode} != 0755;
		} elsif (!$got) {
			$tell{$shown} = 'removed';
		} elsif ($got->{kind} ne $due->{kind} ||
		    $got->{sum} ne $due->{sum}) {
			$tell{$shown} = 'modified';
		} elsif ($got->{uid} != $due->{uid} || ($due->{kind} eq 'f'
		    && $got->{mode} != $due->{mode})) {
			$tell{$shown} = 'mode';
		}
	}
	for my $path (sort keys %$is) {
		my $due = $want->{$path};
		my $kind = $is->{$path}{kind};

		# A folder in the place of a file is told of as that file, and
		# what is in it as added.
		next if $due && ($due->{kind} ne 'd' || $kind eq 'd');
		# One that was added is told of by what is in it.
		next if $kind eq 'd' &&
		    grep { index($_, "$path/") == 0 } keys %$is;
		$tell{$kind eq 'd' ? "$path/" : $path} = 'added';
	}
	return \%tell;
}

sub store_tool {
	my ($site, @args) = @_;

	return run($tool, $site->{root}, $git, @args);
}

sub folder_of {
	my ($site, $release) = @_;

	return "$site->{root}/releases/$release->{name}";
}

sub drift_of {
	my ($site, $release, @how) = @_;
	my ($status, $text) = store_tool($site, 'drift', $release->{name},
	    '--null', @how);

	complain($site, "drift of $release->{name}: " . said())
	    if $status != 0;
	return { map { /\A(\w+) (.*)\z/s ? ($2 => $1) : () }
	    split /\0/, $text };
}

# Bytes that changed behind an unchanged look: only where files are shared
# may a shallow look miss them.
sub is_concealed {
	my ($site, $release, $entry) = @_;

	return !$release->{alone} && $entry &&
	    $site->{hand}{hidden}{$entry->{inode}};
}

sub check_drift {
	my ($site, $release, $deep) = @_;
	my $is = look(folder_of($site, $release));
	my $want = should_tell($is, $release->{want});
	my $got = drift_of($site, $release, $deep ? '--deep' : ());
	my %all = (%$want, %$got);

	for my $path (sort keys %all) {
		my ($told, $due) = map { $_->{$path} // 'nothing' }
		    $got, $want;

		next if $told eq $due || (!$deep &&
		    is_concealed($site, $release, $is->{$path}));
		complain($site, "drift" . ($deep ? ' --deep' : '') .
		    " tells $told of $path in $release->{name}, not $due");
	}
	$figures{'drift checks'}++;
	$figures{'paths told of'} += keys %$want;
	return scalar keys %all;
}

# A folder without a file, which only an export has, is not put back.
sub check_repair {
	my ($site, $release, @how) = @_;
	my ($status) = store_tool($site, 'repair', $release->{name}, @how);
	my (%left, %want);

	%want = %{$release->{want}};
	for my $path (keys %want) {
		delete $want{$path} if $want{$path}{kind} eq 'd' &&
		    !-e folder_of($site, $release) . "/$path" &&
		    !grep { index($_, "$path/") == 0 &&
		    $want{$_}{kind} ne 'd' } keys %want;
	}

	$figures{repairs}++;
	return complain($site, "repair of $release->{name}: " . said())
	    if $status != 0;
	complain($site, map { "after repair of $release->{name}: $_" }
	    differences(look(folder_of($site, $release)), \%want));
	%left = %{drift_of($site, $release, '--deep')};
	complain($site, map { "after repair: $left{$_} $_" } keys %left);
}

sub spare_folder {
	my ($site) = @_;

	return "$site->{root}/.slipway/spare/$site->{spare}{name}";
}

sub manifest_of {
	my ($site, $release) = @_;

	return $site->{spare} && $release == $site->{spare} ?
	    spare_folder($site) . '.manifest' :
	    "$site->{root}/.slipway/manifest/$release->{name}";
}

sub damage {
	my ($site, $release) = @_;
	my $path = manifest_of($site, $release);
	my $kind = int(rand(5));

	return if $release->{damaged};
	$release->{damaged} = $kind == 0 ? unlink $path :
	    $kind == 1 ? truncate $path, 0 :
	    $kind == 2 ? truncate $path, int(rand(-s $path)) :
	    $kind == 3 ? Tamper::flip($path) :
	    Tamper::spew($path, 'x' x 5000);
	die "$path: $!" unless $release->{damaged};
	$release->{lost} = $kind == 0;
	$figures{'manifests damaged'}++;
}

# Shared bytes that are hidden are found, and put right, before they are
# made use of; not in a spare, which nobody looks into.
sub tamper {
	my ($site, $release, $folder) = @_;
	my $may_hide = $release->{alone} || (!$site->{spare} &&
	    $release == $site->{live});
	my @done = $site->{hand}->tamper($folder, 1 + int(rand(6)),
	    hidden => $may_hide);

	push @{$site->{done}}, map { "$release->{name}: $_" } @done;
	$figures{'acts of tampering'} += @done;
	$release->{chowned} = 1 if grep { /^chown_folder/ } @done;
}

sub tamper_all {
	my ($site) = @_;

	for my $release (@{$site->{releases}}) {
		tamper($site, $release, folder_of($site, $release))
		    if rand() < ($release == $site->{live} ? 0.6 : 0.2);
	}
	tamper($site, $site->{spare}, spare_folder($site))
	    if $site->{spare} && rand() < 0.7;
	for my $release (@{$site->{releases}}) {
		next if $release->{damaged};
		check_drift($site, $release, 0);
		check_drift($site, $release, 1) if rand() < 0.3;
	}
	my %hidden = %{$site->{hand}{hidden}};
	for my $release (@{$site->{releases}}) {
		next if $release->{damaged};
		if (!$release->{alone} && %hidden) {
			check_drift($site, $release, 1);
			check_repair($site, $release, '--deep');
		} elsif (rand() < 0.15) {
			check_repair($site, $release);
		}
	}
	if ($site->{live} && rand() < 0.1) {
		damage($site, $site->{live});
		my ($status) = store_tool($site, 'drift',
		    $site->{live}{name});
		complain($site, 'drift needs no whole manifest')
		    if $status == 0;
	}
	damage($site, $site->{spare}) if $site->{spare} && rand() < 0.1;
}

# The ways that the next release may be made, and from what. A spare is
# passed over when the live release is much nearer to the commit.
sub due_ways {
	my ($site, $kind, $busy) = @_;
	my $clones = $site->{clones} && $kind =~ /auto|reflink/;
	my %from;

	$from{recycle} = $site->{spare} if $site->{spare} && !$busy &&
	    !$site->{spare}{damaged};
	$from{link} = $site->{live} if $site->{live} &&
	    !$site->{live}{damaged} && ($clones || $kind eq 'link' ||
	    ($kind eq 'auto' && !$site->{clones}));
	return %from;
}

# Somebody whose working directory is in the spare.
sub settle {
	my ($site) = @_;
	my $folder = spare_folder($site);
	my @inside = grep { $_ ne '' } @{Tamper::look($folder)->{d}};
	my $at = @inside && rand() < 0.5 ? "$folder/" . pick(@inside) :
	    $folder;

	pipe my $in, my $out or die "pipe: $!";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		chdir $at or POSIX::_exit(1);
		syswrite $out, 'x';
		sleep 600;
		POSIX::_exit(0);
	}
	close $out;
	sysread $in, my $byte, 1 or die "$at: $!";
	return $pid;
}

# What the release shares, where files have one name only or where nothing
# could have changed them.
sub check_inodes {
	my ($site, $release, $is, $from, $was) = @_;
	my %others;

	if ($release->{alone}) {
		for my $path (sort keys %$is) {
			complain($site, "$path has $is->{$path}{links} names")
			    if $is->{$path}{kind} eq 'f' &&
			    $is->{$path}{links} != 1;
		}
		return;
	}
	return unless $from && $from->{commit}{plain} &&
	    $release->{commit}{plain};
	my %want = %{$release->{want}};
	for my $path (sort keys %want) {
		my $old = $was->{$path};

		next if !$old || $want{$path}{kind} ne 'f' ||
		    $site->{hand}{linked}{$old->{inode}} || differences(
		    { x => $old }, { x => $want{$path} }) || differences(
		    { x => $from->{want}{$path} }, { x => $want{$path} });
		# What somebody else made is not linked, whatever is in it.
		next if ($from->{inodes}{$path} // '') ne $old->{inode};
		complain($site, "$path is not the file it was")
		    if $is->{$path}{inode} ne $old->{inode};
		$figures{'inodes kept'}++;
	}
}

sub make {
	my ($site, $commit) = @_;
	my $kind = rand() < 0.12 ? pick(@{$site->{kinds}}) : $site->{kind};
	my $export = rand() < 0.08 ? !$site->{export} : $site->{export};
	my $name = sprintf '202611201015%02d', $site->{n}++;
	my $pid = $site->{spare} && rand() < 0.15 ? settle($site) : undef;
	my %from = due_ways($site, $kind, $pid);
	my $want = expected($commit, $export);
	my %before = map { $_->{name} => look(folder_of($site, $_)) }
	    @{$site->{releases}};
	my $spare = $site->{spare} ? look(spare_folder($site)) : undef;
	my $outside = look($site->{hand}{outside});

	return complain($site, "git fails: " . said()) unless $want;
	my ($status, $text) = store_tool($site, 'make', $name,
	    $commit->{rev}, '--store', $kind, '--threads',
	    1 + int(rand(4)), $export ? '--export' : ());
	if ($pid) {
		kill 'KILL', $pid;
		waitpid $pid, 0;
		complain($site, map { "a busy spare: $_" } differences(
		    look(spare_folder($site)), $spare, 'inode', 'times'));
		$figures{'busy spares'}++;
	}
	return complain($site, "make $name: " . said()) if $status != 0;
	my ($got) = $text =~ /^way=(\w+)/;
	my $release = { name => $name, commit => $commit, want => $want,
	    alone => $kind eq 'copy' || ($kind ne 'link' &&
	    $site->{clones}) };
	my $is = look(folder_of($site, $release));

	$figures{"$got, $kind" . ($site->{clones} ? ' with reflinks' : '')
	    . ($export ? ', export' : '')}++;
	my $from = $from{$got};
	complain($site, "$name was made $got, not " .
	    (join(' or ', sort keys %from) || 'fresh'))
	    if !$from && ($got ne 'fresh' ||
	    grep { !$_->{chowned} } values %from);
	complain($site, map { "$name ($got): $_" }
	    differences($is, $want));
	for my $old (@{$site->{releases}}) {
		complain($site, map { "$name changes $old->{name}: $_" }
		    differences(look(folder_of($site, $old)),
		    $before{$old->{name}}, 'inode'));
	}
	complain($site, map { "outside: $_" }
	    differences(look($site->{hand}{outside}), $outside, 'inode'));
	$release->{inodes} = { map { $_ => $is->{$_}{inode} } keys %$is };
	check_inodes($site, $release, $is, $from, $got eq 'recycle' ?
	    $spare : $before{$from->{name}}) if $from;
	delete $site->{spare} if $got eq 'recycle' ||
	    !-e "$site->{root}/.slipway/spare/" .
	    ($site->{spare} ? $site->{spare}{name} : 'none');
	push @{$site->{releases}}, $release;
	complain($site, "$name: drift tells of a new release")
	    if check_drift($site, $release, rand() < 0.5);
	return $release;
}

# The oldest goes, or becomes the spare.
sub clean {
	my ($site) = @_;
	my $old = $site->{releases}[0];
	my $verb = rand() < 0.85 ? 'retire' : 'remove';
	my ($status) = store_tool($site, $verb, $old->{name});

	return complain($site, "$verb $old->{name}: " . said())
	    if $status != 0;
	shift @{$site->{releases}};
	$site->{spare} = $old if $verb eq 'retire' && !$old->{lost};
}

sub step {
	my ($site, $commit) = @_;
	my $release;

	# Inodes are used again: a mark is good for one step.
	$site->{hand}{hidden} = {};
	tamper_all($site) if $site->{live};
	$release = make($site, $commit) or return;
	my ($status) = rand() < 0.3 ? store_tool($site, 'seal',
	    $release->{name}) : 0;
	($status) = store_tool($site, 'flip', $release->{name})
	    if $status == 0;
	complain($site, 'seal or flip: ' . said()) if $status != 0;
	$site->{live} = $release;
	clean($site) if @{$site->{releases}} > 1 &&
	    rand() < (@{$site->{releases}} > 2 ? 0.9 : 0.6);
}

sub new_site {
	my ($dir, $kind, $export, $clones) = @_;
	my $at = "$dir/site";

	mkdir $at;
	mkdir "$at/$_" for 'root', 'outside', 'other';
	Tamper::spew("$at/$_/file", "foreign\n") for 'outside', 'other';
	Tamper::spew("$at/outside/a", "foreign\n");
	return { root => "$at/root", kind => $kind, export => $export,
	    clones => $clones, releases => [], n => 10,
	    kinds => $clones ? ['auto', 'reflink', 'copy', 'link'] :
	    ['auto', 'link', 'copy'],
	    name => "$kind" . ($clones ? ' with reflinks' : '') .
	    ($export ? ', export' : ''), dir => $at,
	    hand => Tamper->new(outside => "$at/outside",
	    others => $> == 0) };
}

# An /etc that may be lost.
sub private_etc {
	mkdir "$base/etc";
	system("cp -a /etc/passwd /etc/group /etc/ld.so.* $base/etc/"
	    . ' 2>/dev/null');
	for my $name ('a', 'src', 'file') {
		mkdir "$base/etc/$name";
		Tamper::spew("$base/etc/$name/$_", "of the machine\n")
		    for 'a', 'b', 'file';
	}
	system('mount', '--bind', "$base/etc", '/etc') == 0
	    or die 'cannot mount an /etc';
	return look('/etc');
}

# A file system with reflinks, or nothing.
sub disk_with_clones {
	for my $kind ('xfs', 'btrfs') {
		mkdir "$base/$kind";
		return "$base/$kind" if disk_image("$base/$kind.image", $kind)
		    && disk_mount("$base/$kind.image", $kind, "$base/$kind");
	}
	return undef;
}

my $etc = private_etc();
my $cloning = disk_with_clones();
SKIP: {
	skip "no reflinks are tried: $Disk::why", 1 unless defined $cloning;
	pass('there is a file system with reflinks');
}
my @kinds = (['link'], ['copy'], ['auto'],
    defined $cloning ? (['auto', 1], ['reflink', 1]) : ());

sub follow {
	my ($number) = @_;
	my $length = 3 + int(rand(4));

	system('rm', '-rf', $git);
	system('git', 'init', '-q', '--template=', '--bare', $git) == 0
	    or die 'git init';
	Tamper::spew("$git/config", "[filter \"up\"]\nsmudge = tr a-z A-Z\n"
	    . "[core]\ncompression = 1\n", '>>:raw');
	my @commits = write_history($git, $length);
	for my $i (0, 1) {
		my ($kind, $clones) =
		    @{$kinds[($number + 2 * $i) % @kinds]};
		my $dir = $clones ? $cloning : $base;
		my $site = new_site($dir, $kind, $i, $clones);

		for my $commit (@commits) {
			step($site, $commit);
			last if @complaints;
		}
		complain($site, map { "/etc: $_" }
		    differences(look('/etc'), $etc, 'inode'));
		push @complaints, 'what was done:', @{$site->{done} // []}
		    if @complaints;
		# A bug is looked at in place.
		if ($ENV{KEEP} && @complaints) {
			system('cp', '-a', $site->{dir}, $git, $ENV{KEEP});
		}
		system('rm', '-rf', $site->{dir});
		last if @complaints;
	}
	$figures{commits} += @commits;
}

for my $number ($seed .. $seed + $count - 1) {
	srand($number);
	@complaints = ();
	follow($number);
	splice @complaints, 60 if @complaints > 60;
	ok(!@complaints, "history $number") or
	    diag(join "\n", @complaints,
	    "again: SEED=$number COUNT=1 tests/flow/11-ways.t");
}
note("$figures{$_} $_") for sort keys %figures;
for my $way ('fresh', 'link', 'recycle') {
	ok((grep { /^$way,/ } keys %figures), "some are made the way: $way")
	    if $count >= 8;
}
disk_unmount($cloning) if defined $cloning;
done_testing();
