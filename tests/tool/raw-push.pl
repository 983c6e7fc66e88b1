#!/usr/bin/perl
# raw-push REPO WORK [-o OPTION]... 'OLD NEW REF'...: push what no git would
# send, word for word. What the server says goes to stdout.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Open2;
use Pkt;

my ($repo, $work, @moves) = @ARGV;
my @options;
while (@moves > 0 && $moves[0] eq '-o') {
	shift @moves;
	push @options, shift @moves;
}

$SIG{PIPE} = 'IGNORE';
my $pid = open2(my $from, my $to, 'git', 'receive-pack', $repo);
binmode $_ for $from, $to;
while (my $line = pkt_read($from)) {
}
my $wants = "\0report-status" . (@options > 0 ? ' push-options' : '');
for my $move (@moves) {
	pkt_write($to, $move . $wants);
	$wants = '';
}
print $to '0000';
if (@options > 0) {
	pkt_write($to, $_) for @options;
	print $to '0000';
}
my @new = grep { !/^0+$/ } map { (split / /)[1] } @moves;
print $to qx(cd "$work" && git rev-list --objects @new | git pack-objects --stdout -q)
    if @new > 0;
close $to;
while (my $line = pkt_read($from)) {
	print $line =~ s/\n?\z/\n/r;
}
waitpid $pid, 0;
exit $? >> 8;
