# Check.pm - what must be true of a site, seen without Slipway's own eyes.
#
# glance() is of the folders alone, and holds at any instant, also while
# nothing has been recovered. check() is of a site that has come to rest.

package Fault::Check;

use strict;
use warnings;
use Fcntl ':flock';
use File::Find ();

# { path => "MODE CONTENT" } of a folder; "uploads" is the shared one.
sub listing {
	my ($top) = @_;
	my %have;

	File::Find::find({ no_chdir => 1, wanted => sub {
		my $path = substr $File::Find::name, length $top;
		my @st = lstat $File::Find::name;

		return if -d _ || $path eq '/uploads';
		$have{$path} = -l _ ? 'link ' . readlink $File::Find::name :
		    sprintf '%o %s', $st[2] & 07777,
		    Fault::read_file($File::Find::name) // 'unreadable';
	} }, $top);
	return \%have;
}

# What a commit looks like when it is checked out, by git alone.
sub wanted {
	my ($lab, $oid) = @_;
	my $dir = "$lab->{want}/$oid";

	$lab->{wanted}{$oid} //= do {
		$lab->must('sh', '-c', 'mkdir -p "$1" && git -C "$2"
		    -c tar.umask=022 archive "$3" | tar -x -C "$1"' =~
		    s/\n\s*/ /r, 'want', $dir, $lab->{work}, $oid);
		listing($dir);
	};
	return $lab->{wanted}{$oid};
}

sub compare {
	my ($lab, $folder, $oid) = @_;
	my $want = wanted($lab, $oid);
	my $have = listing($folder);
	my @wrong;

	for my $path (sort keys %$want) {
		push @wrong, "$folder$path is " . (defined $have->{$path} ?
		    'not what was committed' : 'missing')
		    if ($have->{$path} // '') ne $want->{$path};
	}
	push @wrong, map { "$folder$_ is not of the commit" }
	    grep { !exists $want->{$_} } sort keys %$have;
	return @wrong > 3 ? @wrong[0 .. 2] : @wrong;
}

# The release that "current" leads to: (name, complaints).
sub current {
	my ($lab) = @_;
	my $link = readlink "$lab->{root}/current";

	if (!defined $link) {
		return ('') if !-e "$lab->{root}/current";
		return ('', 'current is no symlink');
	}
	return ('', "current points to $link")
	    if $link !~ m{^releases/(\d{14})$};
	return ($1, "current does not resolve: $link")
	    if !-d "$lab->{root}/current/";
	return ($1);
}

sub glance {
	my ($lab, $site) = @_;
	my ($release, @wrong) = current($lab);
	my (%diff, $version);

	return @wrong if @wrong;
	if ($release eq '') {
		return if grep { $_ eq '' } @{$site->{may}};
		return 'current is gone';
	}
	$version = Fault::read_file("$lab->{root}/current/version") // '';
	chomp $version;
	return "version '$version' is live, may be: @{$site->{may}}"
	    if !grep { $_ eq $version } @{$site->{may}};
	push @wrong, "$release has no manifest"
	    if !-f "$lab->{root}/.slipway/manifest/$release";
	push @wrong, grep { !defined $site->{extra} ||
	    $_ !~ /\Q$site->{extra}\E is not of the commit/ }
	    compare($lab, "$lab->{root}/releases/$release",
	    $site->{commits}{$version});
	return @wrong;
}

# Questions to the journal: name => statement.
my @questions = (
	integrity => 'PRAGMA integrity_check',
	foreign => 'PRAGMA foreign_key_check',
	live => "SELECT number, commit_oid, release, coalesce(previous, ''),
	    maintenance, kind FROM deploys WHERE state = 'live'",
	unfinished => "SELECT number, state FROM deploys WHERE state NOT IN
	    ('live', 'retired', 'failed', 'rolled-back', 'broken',
	    'superseded', 'cancelled')",
	silent => "SELECT number, state FROM deploys WHERE state IN
	    ('failed', 'rolled-back', 'broken') AND coalesce(error, '') = ''",
	endless => "SELECT number, state FROM deploys WHERE finished_at = 0
	    AND state NOT IN ('superseded', 'cancelled')",
	stopped => "SELECT number FROM deploys WHERE state IN ('live',
	    'retired') AND cancelled_by IS NOT NULL",
	running => "SELECT deploy, action FROM steps WHERE state = 'running'",
	again => "SELECT a.deploy, a.action FROM steps a JOIN steps b
	    ON b.deploy = a.deploy AND b.action = a.action AND b.id > a.id
	    WHERE a.phase = 'migrate' AND a.state = 'done'",
	broken => "SELECT count(*), coalesce(max(maintenance = 2), 0)
	    FROM deploys WHERE state = 'broken' OR maintenance = 2",
	deployed => 'SELECT DISTINCT commit_oid FROM deploys',
	releases => "SELECT name, state FROM releases",
);

# { name => [rows] }, rows as text with "|"; undef when there is no asking.
sub ask {
	my ($lab) = @_;
	my (%answers, $name, @command, $out);

	for (my $i = 0; $i < @questions; $i += 2) {
		push @command, ".print ?$questions[$i]",
		    $questions[$i + 1] =~ s/\s+/ /gr . ';';
		$answers{$questions[$i]} = [];
	}
	Fault::write_file("$lab->{saved}/questions", join("\n", @command) .
	    "\n");
	$lab->spawn('sqlite3', '-cmd', '.timeout 9999', '-batch',
	    "$lab->{repo}/slipway/journal.db", ".read $lab->{saved}/questions");
	$out = Fault::read_file($lab->{out});
	for my $line (split /\n/, $out) {
		if ($line =~ /^\?(\w+)$/) {
			$name = $1;
		} else {
			push @{$answers{$name // 'integrity'}}, $line;
		}
	}
	return \%answers;
}

sub check_journal {
	my ($lab, $site, $answers) = @_;
	my @wrong;
	my %words = (
		foreign => 'foreign_key_check',
		unfinished => 'a deploy is left unfinished',
		silent => 'a deploy failed without a reason',
		endless => 'a deploy has no end',
		running => 'a step is left running',
		again => 'a migration that was done ran again',
	);

	for my $name (sort keys %words) {
		push @wrong, "$words{$name}: @{$answers->{$name}}"
		    if @{$answers->{$name}};
	}
	push @wrong, "cancelled, and live: @{$answers->{stopped}}"
	    if @{$answers->{stopped}} > 0;
	push @wrong, "several deploys are live: @{$answers->{live}}"
	    if @{$answers->{live}} > 1;
	return @wrong;
}

# Names below a folder, no more than one level deep.
sub names {
	my ($dir) = @_;

	opendir my $handle, $dir or return;
	return grep { !/^\.\.?$/ } readdir $handle;
}

sub check_folders {
	my ($lab, $answers) = @_;
	my %state = map { split /\|/, $_, 2 } @{$answers->{releases}};
	my $root = $lab->{root};
	my (@wrong, @left);

	for my $name (names("$root/releases")) {
		push @wrong, "releases/$name is left" . (defined $state{$name} ?
		    ", the journal has it as $state{$name}" : '')
		    if ($state{$name} // '') !~ /^(?:live|retired|ready)$/;
		delete $state{$name};
	}
	push @wrong, map { "releases/$_ is gone" } grep {
	    $state{$_} =~ /^(?:live|retired)$/ } sort keys %state;
	push @left, map { ".slipway/trash/$_" } names("$root/.slipway/trash");
	push @left, grep { /\.tmp$/ } names($root);
	push @left, map { ".slipway/manifest/$_" } grep {
	    !/^\d{14}(?:\.(?:built|shared))?$/ } names("$root/.slipway/manifest");
	push @wrong, map { "$_ is left" } @left;
	return @wrong;
}

# A lock file of git's, or a temporary one, that somebody died with.
sub check_repository {
	my ($lab) = @_;
	my @left;

	File::Find::find({ no_chdir => 1, wanted => sub {
		push @left, "$File::Find::name is left"
		    if /\.lock$/ && !m{/slipway/[^/]+\.lock$} ||
		    m{/slipway/.*\.tmp$};
	} }, $lab->{repo});
	return @left;
}

sub check_locks {
	my ($lab) = @_;
	my @wrong;

	for my $path ("$lab->{repo}/slipway/production.lock",
	    "$lab->{root}/.slipway/lock") {
		next if !-e $path;
		open my $lock, '<', $path or next;
		push @wrong, "$path is held"
		    if !flock $lock, LOCK_EX | LOCK_NB;
		close $lock;
	}
	return @wrong;
}

# Where the ref of this name is; '' for nowhere.
sub ref_of {
	my ($lab, $ref) = @_;
	my $text = Fault::read_file("$lab->{repo}/$ref");

	if (!defined $text) {
		my $packed = Fault::read_file("$lab->{repo}/packed-refs") // '';

		($text) = $packed =~ m{^([0-9a-f]{40}) \Q$ref\E$}m;
	}
	$text //= '';
	chomp $text;
	return $text;
}

# The journal, "current" and refs/live say the same, and so does the branch
# of a transactional environment.
sub check_live {
	my ($lab, $site, $answers) = @_;
	my ($number, $oid, $release, $previous, $maintenance, $kind) =
	    split /\|/, $answers->{live}[0] // '|||||', -1;
	my ($current) = current($lab);
	my $ref = ref_of($lab, 'refs/live/production');
	my $main = ref_of($lab, 'refs/heads/main');
	my @wrong;

	push @wrong, "current is '$current', the journal says '$release'"
	    if $current ne $release;
	push @wrong, "refs/live/production is '$ref', the journal says '$oid'"
	    if $ref ne $oid;
	push @wrong, "main is '$main', and '$oid' is live"
	    if $site->{transactional} && $main ne $oid;
	push @wrong, "the release before, $previous, is gone"
	    if $kind eq 'deploy' && $previous ne '' &&
	    !-d "$lab->{root}/releases/$previous";
	return @wrong;
}

# The database and the page are what the live version needs, or a deploy
# says that they are not.
sub check_effects {
	my ($lab, $site, $answers) = @_;
	my ($broken, $page_up) = split /\|/, $answers->{broken}[0] // '0|0';
	my $live = Fault::read_file("$lab->{root}/current/version") // "none\n";
	my $trace = Fault::read_file("$lab->{live}/trace");
	my (%begun, @wrong);

	$begun{$_}++ for $trace =~ /^(begin once \d+)$/mg;
	push @wrong, map { "'$_' $begun{$_} times" } grep { $begun{$_} > 1 }
	    sort keys %begun;
	for my $name (qw(schema once)) {
		my $is = Fault::read_file("$lab->{live}/$name");

		push @wrong, "database $name is " . $is =~ s/\n//r .
		    ', live is ' . $live =~ s/\n//r
		    if $is ne $live && !$broken;
	}
	push @wrong, 'the page is up, and nobody says so'
	    if -e "$lab->{live}/page" && !$page_up;
	return @wrong;
}

# What the client was told, and what moved, is in the journal.
sub check_told {
	my ($lab, $site, $answers, $run) = @_;
	my %deployed = map { $_ => 1 } @{$answers->{deployed}};
	my $main = ref_of($lab, 'refs/heads/main');
	my @wrong;

	push @wrong, "main is $main, and no deploy knows it"
	    if $main ne '' && !$deployed{$main};
	if ($site->{command}[0] eq 'git' && $run->{status} == 0) {
		my ($new) = $lab->git(qw(rev-parse HEAD));

		push @wrong, "the push of $new succeeded, and no deploy" .
		    ' knows it' if !$deployed{$new};
	}
	return @wrong, check_answer(@_);
}

# A push to a transactional branch succeeds when its commit is live, and
# fails when it is not. A client that lost its server was not told.
sub check_answer {
	my ($lab, $site, $answers, $run) = @_;
	my $oid = (split /\|/, $answers->{live}[0] // '|', -1)[1];
	my ($new, $is);

	return if !$site->{transactional} || $site->{command}[0] ne 'git';
	$new = $lab->git(qw(rev-parse HEAD));
	$is = $oid ne '' && $lab->spawn('git', '-C', $lab->{work},
	    qw(merge-base --is-ancestor), $new, $oid) == 0;
	return "the push succeeded, and $new is not live"
	    if $run->{status} == 0 && !$is;
	return if $run->{status} == 0 || !$is;
	return if was_cut_off($run);
	return "the push failed, and $new is live: " . join ', ',
	    grep { /rejected|error|fatal/ } split /\n/, $run->{out};
}

# What git and Slipway say to somebody for whom the end is still open.
sub was_cut_off {
	my ($run) = @_;

	return $run->{status} > 1 || $run->{out} =~ /hung\ up|unexpected\ dis
	    |early\ EOF|fail(?:ed)?\ to\ run\ proc-receive|may\ yet\ go\ live
	    |proc-receive.*(?:killed|died)|remote\ failed\ to\ report/ix;
}

sub check {
	my ($lab, $site, $run, $answers) = @_;
	my (@wrong, $said);

	$answers = ask($lab);
	return "integrity_check: @{$answers->{integrity}}"
	    if "@{$answers->{integrity}}" ne 'ok';
	@wrong = (
		glance($lab, { %$site, may => $site->{ends} }),
		check_journal($lab, $site, $answers),
		check_live($lab, $site, $answers),
		check_folders($lab, $answers),
		check_repository($lab),
		check_locks($lab),
		check_effects($lab, $site, $answers),
		check_told($lab, $site, $answers, $run),
	);
	if ($lab->spawn($lab->program, 'verify', '-C', $lab->{repo}) != 0) {
		$said = Fault::read_file($lab->{out});
		push @wrong, "slipway verify: $said";
	}
	return @wrong;
}

# What takes longer: the repository as git sees it, and every viewer.
sub check_slowly {
	my ($lab) = @_;
	my @wrong;

	for my $command (
	    ['git', '-C', $lab->{repo}, qw(fsck --strict --no-progress
	    --no-dangling)],
	    [$lab->program, qw(log --json -C), $lab->{repo}],
	    [$lab->program, qw(show -C), $lab->{repo}]) {
		my $status = $lab->spawn(@$command);

		push @wrong, "exit $status of @$command: " .
		    Fault::read_file($lab->{out}) if $status != 0;
	}
	return @wrong;
}

1;
