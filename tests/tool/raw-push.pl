#!/usr/bin/perl
# raw-push REPO WORK [-o OPTION]... 'OLD NEW REF'...: push what no git would
# send, word for word. What the server says goes to stdout.

use strict;
use warnings;
use IPC::Open2;

my ($repo, $work, @moves) = @ARGV;
my @options;
while (@moves > 0 && $moves[0] eq '-o') {
	shift @moves;
	push @options, shift @moves;
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

$SIG{PIPE} = 'IGNORE';
my $pid = open2(my $from, my $to, 'git', 'receive-pack', $repo);
binmode $_ for $from, $to;
while (my $line = read_line($from)) {
}
my $wants = "\0report-status" . (@options > 0 ? ' push-options' : '');
for my $move (@moves) {
	write_line($to, $move . $wants);
	$wants = '';
}
print $to '0000';
if (@options > 0) {
	write_line($to, $_) for @options;
	print $to '0000';
}
my @new = grep { !/^0+$/ } map { (split / /)[1] } @moves;
print $to qx(cd "$work" && git rev-list --objects @new | git pack-objects --stdout -q)
    if @new > 0;
close $to;
while (my $line = read_line($from)) {
	print $line =~ s/\n?\z/\n/r;
}
waitpid $pid, 0;
exit $? >> 8;
