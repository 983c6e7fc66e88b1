#!/usr/bin/perl
# old-push REPO WORK COMMIT REF: push as a client of long ago does: it
# knows "report-status" and nothing else. Its report goes to stdout.

use strict;
use warnings;
use IPC::Open2;

my ($repo, $work, $commit, $ref) = @ARGV;

sub git {
	my $text = qx(git -C "$work" @_);

	die "git @_\n" if $? != 0;
	chomp $text;
	return $text;
}

sub read_line {
	my ($from) = @_;

	read($from, my $head, 4) == 4 or return;
	my $len = hex $head;
	return '' if $len == 0;
	read($from, my $text, $len - 4);
	return $text;
}

sub write_line {
	my ($to, $text) = @_;

	printf $to '%04x%s', length($text) + 4, $text;
}

my $new = git("rev-parse '$commit^{commit}'");
my $old = '0' x 40;
my $pid = open2(my $from, my $to, 'git', 'receive-pack', $repo);
binmode $_ for $from, $to;
while (my $line = read_line($from)) {
	$old = $1 if $line =~ /^([0-9a-f]{40}) \Q$ref\E[\0\n]/;
}
write_line($to, "$old $new $ref\0report-status");
print $to '0000';
print $to qx(cd "$work" && git rev-list --objects $new | git pack-objects --stdout -q);
close $to;
while (my $line = read_line($from)) {
	print $line =~ s/\n?\z/\n/r;
}
waitpid $pid, 0;
exit $? >> 8;
