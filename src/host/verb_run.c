/*
 * The verb "run": one command in a release, its output sent line by line.
 */
#include <sys/types.h>
#include <sha2.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "host/ear.h"
#include "host/verb.h"
#include "path.h"
#include "proc.h"
#include "release/store.h"

/* What a command prints, on its way to the runner. */
struct output {
	struct agent *agent;
	struct str line;	/* not ended yet */
	struct str frames;	/* messages of this turn */
	size_t taken_bytes;
	size_t taken_lines;
	size_t left_out_bytes;
};

/* A message holds no NUL, but a program may well print one. */
static void
add_piece(struct output *output, const char *bytes, size_t len)
{
	struct message message = MESSAGE_INIT;
	struct str text = STR_INIT;

	for (size_t i = 0; i < len; i++) {
		size_t n = strnlen(bytes + i, len - i);

		str_add_bytes(&text, bytes + i, n);
		i += n;
		if (i < len)
			str_add(&text, "\\x00");
	}
	message_add(&message, "type", "output");
	message_add(&message, "text", text.s);
	message_frame(&message, &output->frames);
	message_release(&message);
	str_release(&text);
}

/*
 * Send what is surely beyond one piece. One byte more than a piece stays:
 * it may be the "\r" of an end that is not here yet.
 */
static void
cut_line(struct output *output, size_t spare)
{
	struct str *line = &output->line;
	size_t start = 0;

	while (line->len - start > WIRE_LINE_MAX + spare) {
		add_piece(output, line->s + start, WIRE_LINE_MAX);
		start += WIRE_LINE_MAX;
	}
	memmove(line->s, line->s + start, line->len - start);
	str_truncate(line, line->len - start);
}

static void
send_line(struct output *output)
{
	cut_line(output, 0);
	add_piece(output, output->line.s, output->line.len);
	str_clear(&output->line);
}

static void
end_line(struct output *output)
{
	struct str *line = &output->line;

	if (line->len > 0 && line->s[line->len - 1] == '\r')
		str_truncate(line, line->len - 1);
	send_line(output);
}

static void
take_bytes(struct output *output, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - bytes);

		str_add_bytes(&output->line, bytes, n);
		if (newline == NULL) {
			cut_line(output, 1);
			return;
		}
		end_line(output);
		bytes += n + 1;
		len -= n + 1;
	}
}

static const struct err *
send_frames(struct output *output)
{
	const struct err *err;

	err = file_write_fd(output->agent->out_fd, output->frames.s,
	    output->frames.len);
	str_clear(&output->frames);
	return err;
}

/* How much of these bytes is within both limits. */
static size_t
allowed(struct output *output, const char *bytes, size_t len)
{
	size_t room = WIRE_OUTPUT_MAX - output->taken_bytes, n = 0;

	if (room > len)
		room = len;
	while (n < room && output->taken_lines < WIRE_LINES_MAX) {
		const char *newline = memchr(bytes + n, '\n', room - n);

		if (newline == NULL)
			return room;
		n = (size_t)(newline - bytes) + 1;
		output->taken_lines++;
	}
	return n;
}

static const struct err *
on_output(const char *bytes, size_t len, void *ctx)
{
	struct output *output = ctx;
	size_t n = allowed(output, bytes, len);

	output->taken_bytes += n;
	output->left_out_bytes += len - n;
	take_bytes(output, bytes, n);
	return send_frames(output);
}

static const struct err *
finish_output(struct output *output)
{
	const struct err *err;

	if (output->line.len > 0)
		send_line(output);
	err = send_frames(output);
	if (err == NULL && output->left_out_bytes > 0)
		err = verb_note(output->agent,
		    "%zu bytes of output were left out",
		    output->left_out_bytes);
	return err;
}

static void
output_release(struct output *output)
{
	str_release(&output->line);
	str_release(&output->frames);
}

/* The length of NAME in "NAME=value", 0 when there is none. */
static size_t
name_length(const char *assignment)
{
	size_t n = 0;

	while (isalnum((unsigned char)assignment[n]) || assignment[n] == '_')
		n++;
	if (isdigit((unsigned char)assignment[0]) || assignment[n] != '=')
		return 0;
	return n;
}

/* Put "NAME=value" in the place of what has that name. */
static const struct err *
set_env(struct vec *env, const char *assignment)
{
	if (name_length(assignment) == 0)
		return err_new(ERR_PROTOCOL, "'env %.80s' is no NAME=value",
		    assignment);
	vec_put_variable(env, assignment);
	return NULL;
}

static const struct err *
build_env(const struct agent *agent, const struct message *request,
    struct vec *env)
{
	struct vec wanted = VEC_INIT;
	struct str roles = STR_INIT;
	const struct err *err = NULL;

	proc_base_env(env);
	vec_join(&agent->roles, " ", &roles);
	vec_pushf(env, "SLIPWAY_HOST=%s", agent->host);
	vec_pushf(env, "SLIPWAY_ROLES=%s", roles.s);
	message_all(request, "env", &wanted);
	for (size_t i = 0; i < wanted.n && err == NULL; i++)
		err = set_env(env, wanted.v[i]);
	str_release(&roles);
	vec_release(&wanted);
	return err;
}

/* The release is the pusher's: look at the very file, never behind it. */
static const struct err *
check_hook(int dirfd, const char *path)
{
	const struct err *err;
	struct stat st;
	int fd;

	err = file_open_beneath(&fd, dirfd, path, O_PATH | O_NOFOLLOW, 0);
	if (err != NULL)
		return err;
	if (fstat(fd, &st) == -1)
		err = err_system("stat %s", path);
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		err = err_new(ERR_FAILED, "%s is no executable file", path);
	file_close(&fd);
	return err;
}

static const struct err *
build_argv(const struct message *request, int dirfd, struct vec *argv)
{
	const char *command = message_get(request, "command");
	const char *hook = message_get(request, "hook");

	if ((command == NULL) == (hook == NULL))
		return err_new(ERR_PROTOCOL,
		    "'run' takes either 'command' or 'hook'");
	if (command != NULL) {
		vec_push(argv, "/bin/sh");
		vec_push(argv, "-c");
		vec_push(argv, command);
		return NULL;
	}
	if (!path_is_component(hook, strlen(hook)))
		return err_new(ERR_PROTOCOL, "'%s' is no hook", hook);
	vec_pushf(argv, "./deploy/%s", hook);
	return check_hook(dirfd, argv->v[0] + strlen("./"));
}

static const struct err *
set_limits(struct proc_spec *spec, const struct message *request)
{
	int64_t memory_bytes = 0, nice = 0;
	const struct err *err;

	err = verb_int(request, "timeout", 0, INT64_MAX / 2,
	    &spec->timeout_ms);
	if (err == NULL)
		err = verb_int(request, "memory", 0, INT64_MAX,
		    &memory_bytes);
	if (err == NULL)
		err = verb_int(request, "nice", 0, 19, &nice);
	spec->memory_bytes = (uint64_t)memory_bytes;
	spec->nice = (int)nice;
	return err;
}

static const struct err *
execute(struct agent *agent, struct proc_spec *spec,
    struct proc_result *how)
{
	struct output output = { agent, STR_INIT, STR_INIT, 0, 0, 0 };
	struct ear ear;
	const struct err *err;

	err = ear_open(&ear, agent);
	spec->stop_fd = ear.fd;
	spec->stop_cb = ear_hears_stop;
	spec->stop_ctx = &ear;
	*how = (struct proc_result){ .exit_status = -1, .stopped = true };
	if (err == NULL)
		err = store_running(agent->store, &spec->note_fd);
	if (err == NULL && !ear.stopped)
		err = proc_run(how, spec, on_output, &output);
	if (err == NULL)
		err = finish_output(&output);
	ear_close(&ear);
	output_release(&output);
	return err;
}

/*
 * Under another name first: a record that is there is a whole one, of a
 * command that succeeded.
 */
static const struct err *
create_record(const char *partial, int *fd)
{
	*fd = -1;
	if (unlink(partial) == -1 && errno != ENOENT)
		return err_system("remove %s", partial);
	*fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	return *fd == -1 ? err_system("create %s", partial) : NULL;
}

/* An undo reads the record, perhaps after a power cut. */
static const struct err *
finish_record(struct agent *agent, const char *partial, const char *path,
    int fd)
{
	const struct err *err = NULL;
	struct stat st;
	char *dir;

	if (fstat(fd, &st) == -1)
		return err_system("stat %s", path);
	if (st.st_size > WIRE_OUTPUT_MAX) {
		if (ftruncate(fd, WIRE_OUTPUT_MAX) == -1)
			return err_system("truncate %s", path);
		err = verb_note(agent, "%lld bytes of output were left out",
		    (long long)st.st_size - WIRE_OUTPUT_MAX);
	}
	if (err == NULL && fsync(fd) == -1)
		err = err_system("fsync %s", path);
	if (err == NULL && rename(partial, path) == -1)
		err = err_system("rename %s", partial);
	if (err != NULL)
		return err;
	dir = path_dir(path);
	err = file_sync_dir(AT_FDCWD, dir);
	free(dir);
	return err;
}

/* A command that is told to end may well do so with status 0. */
static bool
went_well(const struct proc_result *how)
{
	return how->exit_status == 0 && !how->timed_out && !how->stopped;
}

static const struct err *
execute_into(struct agent *agent, struct proc_spec *spec,
    struct proc_result *how, const char *path)
{
	char *partial = xasprintf("%s.partial", path);
	const struct err *err;

	err = create_record(partial, &spec->out_fd);
	if (err == NULL)
		err = execute(agent, spec, how);
	if (err == NULL && went_well(how))
		err = finish_record(agent, partial, path, spec->out_fd);
	else
		unlink(partial);
	file_close(&spec->out_fd);
	free(partial);
	return err;
}

/* With "keep", stdout goes to the record; with "once", unless it is there. */
static const struct err *
execute_kept(struct agent *agent, const struct message *request,
    struct proc_spec *spec, struct proc_result *how, char **path)
{
	const char *name = message_get(request, "keep");
	const struct err *err;

	if (name == NULL)
		return execute(agent, spec, how);
	if (!path_is_component(name, strlen(name)))
		return err_new(ERR_PROTOCOL, "'%s' is no name of a record",
		    name);
	err = store_record_path(agent->store,
	    message_get(request, "release"), name, path);
	if (err != NULL)
		return err;
	memset(how, 0, sizeof(*how));
	if (message_int(request, "once", 0) != 0 && access(*path, F_OK) == 0)
		return NULL;
	return execute_into(agent, spec, how, *path);
}

static const struct err *
add_result(struct message *result, const struct proc_result *how,
    const char *path)
{
	char sum[SHA256_DIGEST_STRING_LENGTH];

	message_add_int(result, "exit", how->exit_status);
	message_add_int(result, "signal", how->signal);
	message_add_int(result, "timed-out", how->timed_out);
	message_add_int(result, "stopped", how->stopped);
	message_add_int(result, "ms", how->duration_ms);
	if (path == NULL || !went_well(how))
		return NULL;
	if (SHA256File(path, sum) == NULL)
		return err_system("read %s", path);
	message_add(result, "path", path);
	message_add(result, "sum", sum);
	return NULL;
}

/* Before the release is there, the root has to do. */
static const struct err *
open_folder(struct agent *agent, const struct message *request,
    const char *release, int *dirfd)
{
	const char *root = store_root(agent->store);

	if (message_int(request, "in-root", 0) == 0)
		return store_open_release(agent->store, release, dirfd);
	*dirfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dirfd == -1 ? err_system("open %s", root) : NULL;
}

const struct err *
verb_run(struct agent *agent, const struct message *request,
    struct message *result)
{
	struct vec argv = VEC_INIT, env = VEC_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;
	struct proc_result how;
	const struct err *err;
	const char *release;
	char *path = NULL;

	err = verb_release(request, &release);
	if (err == NULL)
		err = open_folder(agent, request, release, &spec.dirfd);
	if (err == NULL)
		err = build_argv(request, spec.dirfd, &argv);
	if (err == NULL)
		err = build_env(agent, request, &env);
	if (err == NULL)
		err = set_limits(&spec, request);
	if (err == NULL) {
		spec.argv = (const char *const *)argv.v;
		spec.env = (const char *const *)env.v;
		err = execute_kept(agent, request, &spec, &how, &path);
	}
	if (err == NULL)
		err = add_result(result, &how, path);
	file_close(&spec.dirfd);
	vec_release(&argv);
	vec_release(&env);
	free(path);
	return err;
}
