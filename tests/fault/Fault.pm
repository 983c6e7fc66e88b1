# Fault.pm - a site that things happen to, made once and restored fast.
#
#	my $lab = Fault->new;			# a fresh folder, removed at the end
#	my $site = $lab->fixture('redeploy');	# made once, then kept
#	my @calls = $lab->calls($site, 'agent');	# what can be interrupted
#	$lab->restore($site);
#	my $run = $lab->run($site, qw(-r agent kill 217));
#	my @wrong = $lab->glance($site);	# what must hold at any instant
#	push @wrong, $lab->recover($site);	# bring it level
#	push @wrong, $lab->check($site, $run);	# what must hold then
#	push @wrong, $lab->push_more($site);	# and one more push goes live
#
# A complaint is one line; an empty list is what is hoped for. Nothing dies
# but for a machine that lacks something: Fault->lacks tells beforehand.
#
# Folders (paths are absolute in a journal, so the live one has one place):
#
#	$lab->{dir}	of the lab; Fault->new(dir => FOLDER) uses that one and
#			leaves it there
#	$lab->{live}	what things happen to: shop.git, srv, work (the
#			developer's clone), and what commands write: trace,
#			schema, once, page, mailed
#	$lab->{saved}	a copy of "live" for each fixture; elsewhere with
#			Fault->new(saved => FOLDER)
#	$lab->{met}	the call that the last run() met
#	$lab->{want}	what a commit should look like when checked out
#
# Fixtures: see Fault::Sites. A site has a name, the command that is run on
# it, the names of the commits that may be live afterwards, and their oids.
#
# run() gives { status, met, out }: the exit status of the command (124: it
# did not end), the line of inject about the call that it met ("" when it
# met none), and all that was printed. Its arguments are those of inject
# (see tests/fault/inject.c) before the command. Everything that is started
# has ended when it returns. after() does the same for any command.

package Fault;

use strict;
use warnings;
use Cwd 'abs_path';
use Fault::Check ();
use Fault::Sites ();
use File::Basename 'dirname';
use File::Path 'make_path';
use File::Temp 'tempdir';
use POSIX ();

our $TOP = abs_path(dirname(__FILE__) . '/../..');
our $BUILD = abs_path($ENV{SLIPWAY_BUILD} // "$TOP/build");

# How long a run may take, in seconds; far more than it should.
use constant DEADLINE => 60;

sub program {
	return "$BUILD/bin/" . ($_[1] // 'slipway');
}

# Why nothing of this can be done here, or nothing.
sub lacks {
	my $inject = "$BUILD/tests/fault/inject";

	return "$inject is not there: run make tools first"
	    unless -x $inject;
	for my $tool (qw(git sqlite3 tar)) {
		return "there is no $tool"
		    if system("command -v $tool > /dev/null 2>&1") != 0;
	}
	my $said = qx($inject -c none kill 1 true 2>&1);
	return $? == 0 ? undef : "no ptrace here: $said";
}

sub new {
	my ($class, %args) = @_;
	my $lab = bless { wanted => {}, sites => {}, met => '' }, $class;
	my $base = -d '/dev/shm' && -w '/dev/shm' ? '/dev/shm' :
	    $ENV{TMPDIR} // '/tmp';

	$lab->{dir} = $args{dir} // tempdir('slipway-fault.XXXXXX',
	    DIR => $base, CLEANUP => !$ENV{SLIPWAY_KEEP});
	$lab->{live} = "$lab->{dir}/live";
	$lab->{saved} = $args{saved} // "$lab->{dir}/saved";
	$lab->{out} = "$lab->{saved}/out";
	$lab->{want} = "$lab->{saved}/want";
	$lab->{home} = "$lab->{saved}/home";
	make_path($lab->{live}, $lab->{want}, $lab->{home});
	$lab->{repo} = "$lab->{live}/shop.git";
	$lab->{root} = "$lab->{live}/srv";
	$lab->{work} = "$lab->{live}/work";
	$lab->set_environment;
	return $lab;
}

# What commands see; nothing of the caller's git or of another Slipway.
sub set_environment {
	my ($lab) = @_;

	for my $name (keys %ENV) {
		delete $ENV{$name} if $name =~ /^(?:GIT|SLIPWAY|SSH)_/ &&
		    $name !~ /^SLIPWAY_(?:BUILD|KEEP|SANITIZE)$/;
	}
	$ENV{HOME} = $lab->{home};
	$ENV{GIT_CONFIG_NOSYSTEM} = 1;
	$ENV{GIT_CONFIG_GLOBAL} = "$lab->{home}/.gitconfig";
	$ENV{LC_ALL} = 'C.UTF-8';
	$ENV{TZ} = 'UTC';
	umask 022;
	write_file($ENV{GIT_CONFIG_GLOBAL}, "[user]\n\tname = Alice\n" .
	    "\temail = alice\@example.org\n[init]\n\tdefaultBranch = main\n" .
	    "[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n");
}

sub write_file {
	my ($path, $text) = @_;

	open my $file, '>', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
}

# A file's text; undef without the file.
sub read_file {
	my ($path) = @_;

	open my $file, '<:raw', $path or return undef;
	local $/;
	return scalar(<$file>) // '';
}

# Start a program in the lab's folder, its output to $lab->{out}; its pid.
sub start {
	my ($lab, @command) = @_;
	my $pid = fork // die "fork: $!\n";

	return $pid if $pid != 0;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', $lab->{out};
	open STDERR, '>&', \*STDOUT;
	chdir $lab->{dir};
	exec { $command[0] } @command or POSIX::_exit(127);
}

# The same, and wait for its exit status.
sub spawn {
	my ($lab, @command) = @_;

	waitpid $lab->start(@command), 0;
	return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

# Run a command that must succeed; what it printed.
sub must {
	my ($lab, @command) = @_;
	my $status = $lab->spawn(@command);
	my $out = read_file($lab->{out});

	die "exit $status of @command:\n$out\n" if $status != 0;
	return $out;
}

sub git {
	my ($lab, @arguments) = @_;
	my $out = $lab->must('git', '-C', $lab->{work}, @arguments);

	chomp $out;
	return $out;
}

# A command below inject with these options; without any, nothing happens
# to it, and it ends when the last process that it started has ended.
sub traced {
	my ($lab, $options, @command) = @_;
	my @inject = ("$BUILD/tests/fault/inject", '-t', DEADLINE);

	return (@inject, qw(-r other -c none kill 1), @command) if !@$options;
	return (@inject, '-o', "$lab->{saved}/met", @$options, @command);
}

sub after {
	my ($lab, $options, @command) = @_;
	my %run;

	unlink "$lab->{saved}/met";
	$run{status} = $lab->spawn($lab->traced($options, @command));
	$run{met} = @$options ? read_file("$lab->{saved}/met") // '' : '';
	$run{out} = read_file($lab->{out});
	return \%run;
}

sub run {
	my ($lab, $site, @options) = @_;
	my $run = $lab->after(\@options, @{$site->{command}});

	$lab->{met} = $run->{met};
	chomp $lab->{met};
	return $run;
}

# The fixture of this name, made at the first call.
sub fixture {
	my ($lab, $name) = @_;

	$lab->{sites}{$name} //= Fault::Sites::make($lab, $name);
	return $lab->{sites}{$name};
}

sub save {
	my ($lab, $name) = @_;

	$lab->must('cp', '-a', $lab->{live}, "$lab->{saved}/$name");
}

# The site as it was saved. What a dead site left is removed with it.
sub restore {
	my ($lab, $site) = @_;

	$lab->must('sh', '-c', 'rm -rf "$1" && exec cp -a "$2" "$1"', 'restore',
	    $lab->{live}, "$lab->{saved}/$site->{name}");
}

# The system calls of a role on a site that nothing happens to, in their
# order: "ROLE CALL" or "ROLE CALL * PATH" for each.
sub calls {
	my ($lab, $site, $role, @options) = @_;
	my $run;

	$lab->restore($site);
	$run = $lab->run($site, '-r', $role, @options, 'list');
	return map { s/^\d+ //r } split /\n/, $run->{met};
}

# What brings a site level, without help: it has to come to an end. How the
# deploy ended that it finished is its exit status: 0, 1, 5 or 6.
sub recover {
	my ($lab, $site, @options) = @_;
	my @command = ($lab->program, qw(resume -C), $lab->{repo});
	my $run;

	$run = $lab->after(\@options, @command);
	return if $run->{status} =~ /^[0156]$/ || @options;
	return "recovery: exit $run->{status}: $run->{out}";
}

sub glance {
	return Fault::Check::glance(@_);
}

sub check {
	return Fault::Check::check(@_);
}

# A commit more, pushed to what is left, goes live.
sub push_more {
	my ($lab, $site) = @_;
	my ($oid, $run, @wrong);

	$oid = Fault::Sites::commit($lab, 'more');
	$run = $lab->after([], 'git', '-C', $lab->{work},
	    qw(push production HEAD:main));
	@wrong = "push of one more: exit $run->{status}: $run->{out}"
	    if $run->{status} != 0;
	return @wrong, Fault::Check::check($lab, { %$site,
	    commits => { more => $oid }, ends => ['more'] }, $run);
}

1;
