# Tamper.pm - what people and programs do to a release behind our back.
#
#	my $hand = Tamper->new(outside => $folder, others => 1);
#	my @done = $hand->tamper($release, 4);	# four acts: "edit src/a", ...
#
# An act picks a file or folder that is there. "outside" is a folder of
# somebody else: symlinks lead to it, and files have a second name in both
# directions. "others" allows acts that only root can do.
#
# A hidden act changes bytes and puts size and mtime back; the inodes are
# kept in $hand->{hidden} as "device:inode". Only with hidden => 1.
# $hand->{linked} has those that got many names outside.

package Tamper;

use strict;
use warnings;
use History 'pick';
use POSIX ();

sub new {
	my ($class, %self) = @_;

	return bless { hidden => {}, linked => {}, n => 0, %self }, $class;
}

# Paths by kind: f, d, l; d has the folder itself, as ''.
sub look {
	my ($folder) = @_;
	my %found = (f => [], l => [], d => ['']);

	for (my $i = 0; $i < @{$found{d}}; $i++) {
		my $path = $found{d}[$i];

		opendir my $dir, "$folder/$path" or next;
		for my $name (sort readdir $dir) {
			next if $name eq '.' || $name eq '..';
			my $full = $path eq '' ? $name : "$path/$name";
			my $kind = -l "$folder/$full" ? 'l' :
			    -d _ ? 'd' : -f _ ? 'f' : next;
			push @{$found{$kind}}, $full;
		}
	}
	return \%found;
}

sub slurp {
	open my $in, '<:raw', $_[0] or return '';
	local $/;
	return scalar <$in> // '';
}

sub spew {
	my ($path, $bytes, $how) = @_;

	open my $out, $how // '>:raw', $path or return 0;
	print $out $bytes;
	return close $out;
}

# One byte is another, in place.
sub flip {
	my ($path) = @_;
	my $size = -s $path or return 0;
	my $at = int(rand($size));

	open my $file, '+<:raw', $path or return 0;
	sysseek $file, $at, 0;
	sysread $file, my $byte, 1;
	sysseek $file, $at, 0;
	syswrite $file, chr(ord($byte) ^ 1);
	return close $file;
}

sub inode {
	my @st = lstat $_[0];

	return "$st[0]:$st[1]";
}

sub spare_name {
	my ($self) = @_;

	return $self->{outside} . '/n' . $self->{n}++;
}

sub remove {
	return system('rm', '-rf', '--', $_[0]) == 0;
}

sub link_out {
	my ($self, $path, $count) = @_;
	my $done = 0;

	$done += link $path, $self->spare_name for 1 .. $count;
	$self->{linked}{inode($path)} = 1;
	return $done;
}

# Another inode, which has a name outside as well.
sub link_in {
	my ($self, $path, $bytes) = @_;
	my $mode = (stat $path)[2] & 07777;
	my $name = $self->spare_name;

	return spew($name, $bytes) && chmod($mode, $name) && unlink($path)
	    && link($name, $path);
}

sub hide {
	my ($self, $path) = @_;
	my $like = $self->{outside} . '.time';

	spew($like, '');
	return system('touch', '-r', $path, $like) == 0 && flip($path) &&
	    system('touch', '-r', $like, $path) == 0 &&
	    ($self->{hidden}{inode($path)} = 1);
}

# A place that another folder's look is put into.
sub far {
	my ($self, $at) = @_;

	return pick('/etc', $self->{outside}, "$at/../other", 'src', '.');
}

sub add_tree {
	my ($path) = @_;

	return mkdir($path) && mkdir("$path/sub") && mkdir("$path/empty") &&
	    spew("$path/file", 'added') && spew("$path/sub/file", 'added') &&
	    symlink('/etc', "$path/sub/link");
}

# name => [weight, kind it is done to, what it does]; "n" is a new name.
my %acts = (
	edit => [4, 'f', sub { flip($_[1]) }],
	rewrite => [1, 'f', sub { spew($_[1], slurp($_[1])) }],
	touch => [1, 'f', sub { utime undef, undef, $_[1] }],
	future => [1, 'f', sub { utime 4e9, 4e9, $_[1] }],
	append => [1, 'f', sub { spew($_[1], 'x', '>>:raw') }],
	truncate => [2, 'f', sub { truncate $_[1],
	    int(rand(-s $_[1])) }],
	replace => [2, 'f', sub { unlink($_[1]) && spew($_[1], 'new') }],
	renew => [2, 'f', sub {
		my $bytes = slurp($_[1]);
		my $mode = (stat $_[1])[2] & 07777;
		unlink($_[1]) && spew($_[1], $bytes) &&
		    chmod($mode, $_[1]);
	}],
	chmod => [2, 'f', sub { chmod pick(0600, 0644, 0755, 0444, 04755),
	    $_[1] }],
	remove => [2, 'f', sub { unlink $_[1] }],
	file_to_link => [1, 'f', sub { unlink($_[1]) &&
	    symlink(pick('/etc/passwd', 'b', '/etc',
	    "$_[0]{outside}/file"), $_[1]) }],
	file_to_folder => [1, 'f', sub { unlink($_[1]) &&
	    add_tree($_[1]) }],
	file_to_fifo => [1, 'f', sub { unlink($_[1]) &&
	    POSIX::mkfifo($_[1], 0644) }],
	link_out => [1, 'f', sub { $_[0]->link_out($_[1],
	    pick(1, 20)) }],
	link_in => [1, 'f', sub { $_[0]->link_in($_[1], 'foreign') }],
	link_like => [1, 'f', sub { $_[0]->link_in($_[1],
	    slurp($_[1])) }],
	link_one => [1, 'f', sub { unlink($_[1]) &&
	    link("$_[0]{outside}/file", $_[1]) }],
	retarget => [1, 'l', sub { unlink($_[1]) &&
	    symlink('elsewhere', $_[1]) }],
	link_to_file => [1, 'l', sub { unlink($_[1]) &&
	    spew($_[1], 'was a link') }],
	chmod_folder => [1, 'd', sub { chmod pick(0700, 0777, 02755, 01755),
	    $_[1] }],
	remove_folder => [1, 'D', sub { remove($_[1]) }],
	folder_to_link => [2, 'D', sub { remove($_[1]) &&
	    symlink($_[0]->far($_[2]), $_[1]) }],
	folder_to_file => [1, 'D', sub { remove($_[1]) &&
	    spew($_[1], 'was a folder') }],
	add => [2, 'n', sub { spew($_[1], 'added') }],
	add_link => [1, 'n', sub { symlink(pick('/etc', 'a'), $_[1]) }],
	add_fifo => [1, 'n', sub { POSIX::mkfifo($_[1], 0644) }],
	add_folder => [1, 'n', sub { mkdir $_[1] }],
	add_tree => [1, 'n', sub { add_tree($_[1]) }],
	chown => [1, 'f', sub { $_[0]{others} && chown 65534, 65534,
	    $_[1] }],
	chown_link => [1, 'l', sub { $_[0]{others} &&
	    system('chown', '-h', '65534', '--', $_[1]) == 0 }],
	chown_folder => [0.5, 'd', sub { $_[0]{others} && chown 65534, -1,
	    $_[1] }],
	hide => [2, 'f', sub { $_[0]{may_hide} && $_[0]->hide($_[1]) }],
);

sub an_act {
	my $sum = 0;

	$sum += $_->[0] for values %acts;
	my $at = rand($sum);
	for my $name (sort keys %acts) {
		$at -= $acts{$name}[0];
		return $name if $at <= 0;
	}
}

sub choose {
	my ($found, $kind) = @_;
	my $folder;

	return pick(@{$found->{$kind}}, undef) if $kind =~ /[fl]/;
	$folder = pick(@{$found->{d}});
	return $folder if $kind eq 'd';
	return $folder eq '' ? undef : $folder if $kind eq 'D';
	return ($folder eq '' ? '' : "$folder/")
	    . pick('added', 'a', "odd\nname", '.hid', 'src', '.git');
}

# What was done, as words. "hidden" allows what only a look at the bytes
# can find.
sub tamper {
	my ($self, $at, $count, %may) = @_;
	my @done;

	local $self->{may_hide} = $may{hidden};
	while ($count-- > 0) {
		my $name = an_act();
		my ($kind, $act) = @{$acts{$name}}[1, 2];
		my $path = choose(look($at), $kind);

		next if !defined $path;
		next if $kind eq 'n' && (lstat "$at/$path");
		push @done, "$name $path"
		    if $act->($self, "$at/$path", $at);
	}
	return @done;
}

1;
