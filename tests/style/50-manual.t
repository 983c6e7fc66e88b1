#!/usr/bin/perl
# What the programs can do stands in the manual: every subcommand, every
# key of slipway.ini, every exit status. Pages are clean mdoc.

use strict;
use warnings;
use Test::More;
use FindBin;
use lib $FindBin::Bin;
use Tree;

my $build = build_folder();
my $slipway = "$build/bin/slipway";
my $keys = "$build/tests/tool/keys";
my @pages = files(qr{^install/man/.*\.[1-9]$});

plan skip_all => "$slipway is not there: run make first" unless -x $slipway;
plan skip_all => "$keys is not there: run make tools first" unless -x $keys;

sub page {
	my ($name) = @_;

	return -f "install/man/$name" ? read_text("install/man/$name") : '';
}

# True when a line of a list or a synopsis in the page names the word.
sub documents {
	my ($text, $word) = @_;

	return $text =~ /^\.(?:It|Nm|Cm|Ic|Ss|Xo)\b.*(?<![\w.-])\Q$word\E(?![\w-])/m;
}

my @contrib = files(qr{^contrib/});
my $pages = join '', map { read_text($_) } @pages;
is_clean('what is in contrib/ is in the manual',
    grep { my ($name) = m{([^/]+)$}; $pages !~ /\Q$name\E/ } @contrib);

my $help = qx($slipway --help 2>&1);
is($?, 0, 'slipway --help exits with 0');
my @commands = $help =~ /^[ \t]+([a-z][a-z-]+)  /gm;
cmp_ok(scalar @commands, '>=', 8, '--help lists the subcommands');

my $manual = page('slipway.1');
my %seen;
is_clean('every subcommand of --help is in slipway(1)',
    grep { !$seen{$_}++ && !documents($manual, $_) } @commands);
# What the page says of one command: up to the next one of that list, which
# ends where the next section begins.
sub section {
	my ($command) = @_;

	my ($text) = $manual =~
	    /^(\.It Cm \Q$command\E\b.*?)(?=^\.It Cm [a-z]|^\.Sh)/ms;
	return $text // '';
}

# Its lines of the synopsis.
sub synopsis {
	my ($command) = @_;

	return $manual =~ /^\.Nm slipway\n\.Cm \Q$command\E\n(.*?)(?=^\.Nm|^\.Sh)/ms
	    ? $1 : undef;
}

my $global = qr/^--(?:repo|environment|color|help)$/;
my (@undocumented, @unheard, @unshown, @strange);
for my $command (grep { !/^(?:runner|agent)$/ } @commands) {
	my $text = qx($slipway $command --help);
	my ($options) = $text =~ /^Options:\n(.*?)\n\n/ms;
	my %has;

	push @unshown, $command unless $text =~ /^Example:\n  \S/m;
	my $synopsis = synopsis($command);
	push @unheard, "$command is not in the synopsis"
	    unless defined $synopsis;
	while ($options =~ /^  (?:-(.), )?(--[a-z-]+)/gm) {
		my ($letter, $long) = ($1, $2);

		next if $long =~ $global;
		$has{$long} = 1;
		$has{"-$letter"} = 1 if defined $letter;
		my $name = $long =~ s/^--/\\-/r;
		push @undocumented, "$command $long" if $long ne '--json'
		    && section($command) !~ /^\.It Fl .*?\Q$name\E\b/m;
		push @unheard, "$command $long" if defined $synopsis
		    && $synopsis !~ /(?:Fl|\|) \Q$name\E\b/
		    && !(defined $letter && $synopsis =~ /Fl \Q$letter\E\b/);
	}
	# And nothing is promised that is not there.
	my $said = section($command);
	while ($said =~ /^\.It Fl (.*)/gm) {
		push @strange, map { "$command $_" }
		    grep { !$has{$_} && !/^(?:-e|--environment)$/ }
		    map { s/^\\-/--/r =~ s/^(?=[a-z])/-/r }
		    $1 =~ /(?:^|Fl )(\S+)/g;
	}
}
is_clean('every command has an example', @unshown);
is_clean('every option is with its command in slipway(1)', @undocumented);
is_clean('and in the synopsis', @unheard);
is_clean('slipway(1) has no option that is not there', @strange);

my $names = qx($slipway log --format '{}' 2>&1);
my @names = $names =~ /\{([a-z_]+)\}/g;
cmp_ok(scalar @names, '>', 15, '--format names its placeholders');
is_clean('every placeholder is in slipway(1)',
    grep { $manual !~ /^\.It .*\{\Q$_\E\}/m } @names);

my @checks = read_text('src/cmd/cmd_doctor.c') =~
    /^\t\{ "([a-z]+)", +doctor_/gm;
cmp_ok(scalar @checks, '>', 10, 'the doctor has a table of checks');
is_clean('every check of the doctor is in slipway(1)',
    grep { section('doctor') !~ /^\.It Ql (?:\S+ , )*\Q$_\E\b/m } @checks);

is_clean('every exit status is in slipway(1)',
    grep { $manual !~ /^\.It (?:(?:Li|Cm|Er|Sy) )?\Q$_\E$/m } 0 .. 6);

my $config = page('slipway.ini.5');
my @keys = map { [split / /] } split /\n/, qx($keys);
cmp_ok(scalar @keys, '>', 20, 'the table of keys is not empty');
is_clean('every key is in slipway.ini(5)',
    map { "[$_->[0]] $_->[1]" }
    grep { !documents($config, $_->[1] =~ s/\.$/.NAME/r)
	&& !documents($config, $_->[1])
	&& $config !~ /^\.It.*\Q$_->[1]\E/m } @keys);

# What an agent is asked for: the verbs of its table, and "stop", which comes
# between; their keys as the table in wire.h has them.
my @verbs = read_text('src/host/agent.c') =~ /^\t\{ "([a-z]+)",\t/gm;
cmp_ok(scalar @verbs, '>', 15, 'the agent has a table of verbs');
my ($protocol) = page('slipway-store.5') =~
    /^\.Sh AGENT PROTOCOL\n(.*?)^\.Sh/ms;
my ($table) = read_text('src/host/wire.h') =~
    /^ \*\tverb +request +result\n(.*?)^ \*\n/ms;

# The keys of each verb: rows without a verb go on with the one above.
sub keys_of {
	my ($rows) = @_;
	my (%keys, $verb);

	for my $row (@$rows) {
		my ($first, $rest) = @$row;

		$verb = $first if $first ne '';
		$rest =~ s/\([^)]*\)//g;
		$keys{$verb}{$_} = 1 for $rest =~ /([a-z][a-z-]*)/g;
	}
	return \%keys;
}

my $coded = keys_of([map { /^ \*\t([a-z]*) +(.*)/ ? [$1, $2] : () }
    split /\n/, $table // '']);
my $paged = keys_of([map { /^\.It (?!Em)([a-z]*) ?Ta (.*)/ ? [$1, $2] : () }
    split /\n/, $protocol // '']);
is_clean('every verb of the agent is in slipway-store(5)',
    grep { !$paged->{$_} } @verbs, 'stop');
my %verb = map { $_ => 1 } @verbs, 'stop';
is_clean('and no other', grep { !$verb{$_} } sort keys %$paged);
is_clean('every verb of the agent is in wire.h',
    grep { !$coded->{$_} } @verbs);
is_clean('every key of wire.h is with its verb in slipway-store(5)',
    map { my $of = $_; map { "$of $_" }
	grep { !$paged->{$of}{$_} } sort keys %{$coded->{$of}} }
    sort keys %$coded);

SKIP: {
	my $there = qx(mandoc -Tlint /dev/null 2>&1);
	skip 'there is no mandoc', 1 if $? == -1 || $? >> 8 == 127;
	my @said = @pages ? qx(mandoc -Tlint -Wwarning @pages 2>&1) : ();
	chomp @said;
	is_clean('mandoc has nothing to say about the pages', @said);
}
done_testing();
