#!/usr/bin/perl
# hostile.pl - what tests do with the names in flow/hostile.corpus.
#
#	hostile.pl list CORPUS KIND	the texts of a kind, each with a NUL
#	hostile.pl history CORPUS	a history with them, for fast-import
#	hostile.pl push CORPUS WORK	push its commits one by one, each with
#					an option and the name of a pusher
#	hostile.pl seen CORPUS WORK DIR	compare what commands saw of each
#	hostile.pl clean FILE...	print the lines that are not fit for a
#					terminal, as far as they are ours
#
# DIR has a file for each commit: author, message and pusher, each with a
# NUL, as the command of its deploy got them. Of the output of git push, the
# lines that begin with "remote: " are ours, and the reason of a rejection.

use strict;
use warnings;

my $LONG = 200;
my $PUSHER_MAX = 255;
my ($verb, @args) = @ARGV;

sub plain {
	my ($text) = @_;
	my %named = (n => "\n", r => "\r", t => "\t", '\\' => '\\');

	$text =~ s/\\(?:x([0-9a-f]{2})|([nrt\\]))/
	    defined $1 ? chr hex $1 : $named{$2}/ge;
	$text =~ s/(.)long\z/$1 x $LONG/se;
	return $text;
}

sub corpus {
	my ($file) = @_;
	my %kinds;

	open my $in, '<:raw', $file or die "$file: $!\n";
	while (my $line = <$in>) {
		next if $line =~ /^#/;
		chomp $line;
		my ($kind, $text) = $line =~ /^(\w+) (.*)$/ or die $line;
		push @{$kinds{$kind}}, plain($text);
	}
	return \%kinds;
}

sub history {
	my ($kinds) = @_;
	my @words = map { "-say:$_-" } @{$kinds->{argument}};

	push @words, @{$kinds->{directive}};
	for my $i (0 .. $#{$kinds->{subject}}) {
		my $author = $kinds->{author}[$i] // "Author $i";
		my $text = $kinds->{subject}[$i];

		$text .= "\n\n$_" for grep { defined }
		    @words[2 * $i, 2 * $i + 1];
		print "commit refs/heads/hostile\nmark :", $i + 1, "\n",
		    "author $author <mallory\@example.org> $i +0000\n",
		    "committer Alice <alice\@example.org> $i +0000\n",
		    'data ', length $text, "\n$text\n";
		print "M 100644 inline index.html\ndata 3\n$i \n";
		next if $i > 0;
		for my $path (@{$kinds->{path}}) {
			my $quoted = $path =~ s/([\\"\n])/sprintf
			    '\\%03o', ord $1/ger;
			print qq(M 100644 inline "$quoted"\ndata 2\nx\n);
		}
	}
}

sub commits {
	my ($work) = @_;

	return split /\n/,
	    qx(git -C '$work' rev-list --reverse refs/heads/hostile);
}

sub push_all {
	my ($kinds, $work) = @_;
	my @commits = commits($work);
	my $failed = 0;

	open STDERR, '>&', \*STDOUT or die;
	$| = 1;
	for my $i (0 .. $#commits) {
		my $option = $kinds->{option}[$i];
		my @options = defined $option ? ('-o', $option) : ();

		local $ENV{REMOTE_USER} = $kinds->{pusher}[$i] // '';
		system('git', '-C', $work, 'push', @options, 'production',
		    "$commits[$i]:refs/heads/main") == 0 or $failed = 1;
	}
	exit $failed;
}

sub slurp {
	my ($file) = @_;

	open my $in, '<:raw', $file or return '';
	local $/;
	return scalar <$in> // '';
}

sub seen {
	my ($kinds, $work, $dir) = @_;
	my @commits = commits($work);
	my $failed = @commits == 0;

	for my $i (0 .. $#commits) {
		my $raw = qx(git -C '$work' cat-file commit $commits[$i]);
		my ($head, $message) = split /\n\n/, $raw, 2;
		my ($author, $rest) =
		    $head =~ /^author (.*)( <[^>]*>) \d+ \+0000$/m;
		my $pusher = $kinds->{pusher}[$i] // '';
		my $have = slurp("$dir/$commits[$i]");

		# Readers of commits drop what git itself would not write.
		$author =~ s/^[\0- .,:;<>"'\\]+|[\0- .,:;<>"'\\]+$//g;
		my $want = "$author$rest\0$message\0";

		# Without a name it is the account's.
		$want .= substr($pusher, 0, $PUSHER_MAX) . "\0"
		    if $pusher ne '';
		next if substr($have, 0, length $want) eq $want;
		print "commit $i: got\n$have\nwant\n$want\n";
		$failed = 1;
	}
	exit $failed;
}

# Control characters, what is not seen or turns the direction of text.
my $UNFIT = join '', '\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{61c}',
    '\x{115f}\x{1160}\x{200b}-\x{200f}\x{2028}-\x{202e}',
    '\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}',
    '\x{e0000}-\x{e0fff}';

sub is_clean {
	my ($line) = @_;

	return utf8::decode($line) && $line !~ /[$UNFIT]/;
}

# What is ours of a line that git's client printed; undef: nothing.
sub our_part {
	my ($line) = @_;

	return $line if $line =~ /^remote: /;
	return $line =~ /^ ! \[.*\] .* -> .* (\(.*\))$/ ? $1 : undef;
}

sub clean {
	my $failed = 0;

	for my $file (@_) {
		my @lines = split /\n/, slurp($file);
		my $of_push = grep { defined our_part($_) } @lines;

		print "$file is empty\n" if @lines == 0;
		$failed = 1 if @lines == 0;
		for my $line (@lines) {
			$line = our_part($line) if $of_push;
			next if !defined $line || is_clean($line);
			$failed = 1;
			$line =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
			print "$file: ", substr($line, 0, 300), "\n";
		}
	}
	exit $failed;
}

if ($verb eq 'list') {
	print "$_\0" for @{corpus($args[0])->{$args[1]}};
} elsif ($verb eq 'history') {
	history(corpus($args[0]));
} elsif ($verb eq 'push') {
	push_all(corpus($args[0]), $args[1]);
} elsif ($verb eq 'seen') {
	seen(corpus($args[0]), @args[1, 2]);
} elsif ($verb eq 'clean') {
	clean(@args);
} else {
	die "hostile.pl: what is $verb?\n";
}
