#include "deploy/identity.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "alloc.h"
#include "deploy/sshkey.h"
#include "file.h"
#include "vec.h"

/* Wrappers that stand between receive-pack and a hook, at the most. */
#define ANCESTORS_MAX 8

/* Field numbers of proc(5) stat, counted behind the command's name. */
#define STAT_STATE 0
#define STAT_PPID 1
#define STAT_START 19

#define STAT_SIZE_MAX 4096

/* What sshd tells of a login, and the largest list of keys, in bytes. */
#define AUTH_SIZE_MAX (64 * 1024)
#define AUTHORIZED_SIZE_MAX (16 * 1024 * 1024)

/* The name of the ssh key, NULL when sshd says nothing of one. */
static char *
key_name(const struct passwd *pw)
{
	const char *path = getenv("SSH_USER_AUTH");
	struct str auth = STR_INIT, authorized = STR_INIT;
	char *name = NULL, *keys;

	if (path == NULL || file_read(&auth, path, AUTH_SIZE_MAX) != NULL)
		return NULL;
	keys = xasprintf("%s/.ssh/authorized_keys",
	    pw == NULL ? "" : pw->pw_dir);
	/* Without that file the key has no name but its fingerprint. */
	if (file_read(&authorized, keys, AUTHORIZED_SIZE_MAX) != NULL)
		str_clear(&authorized);
	name = sshkey_name(auth.s, authorized.s);
	free(keys);
	str_release(&auth);
	str_release(&authorized);
	return name;
}

char *
identity_pusher(void)
{
	static const char *const names[] = { "GL_USER", "REMOTE_USER" };
	const struct passwd *pw;
	char *name;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return xstrdup(value);
	}
	pw = getpwuid(getuid());
	name = key_name(pw);
	if (name != NULL)
		return name;
	if (pw != NULL)
		return xstrdup(pw->pw_name);
	return xasprintf("uid %u", (unsigned int)getuid());
}

char *
identity_origin(void)
{
	const char *connection = getenv("SSH_CONNECTION");

	if (connection == NULL)
		return NULL;
	return xstrndup(connection, strcspn(connection, " "));
}

/* What proc(5) tells of a process. */
struct process {
	struct str name;
	char state;
	pid_t parent;
	char *start;
};

static void
process_release(struct process *process)
{
	str_release(&process->name);
	free(process->start);
}

static const struct err *
read_stat(pid_t pid, struct process *process)
{
	struct str text = STR_INIT;
	struct vec fields = VEC_INIT;
	const struct err *err;
	char *path, *open, *close;

	path = xasprintf("/proc/%ld/stat", (long)pid);
	err = file_read(&text, path, STAT_SIZE_MAX);
	if (err != NULL)
		goto done;
	open = strchr(text.s, '(');
	close = strrchr(text.s, ')');
	if (open == NULL || close == NULL) {
		err = err_new(ERR_CORRUPT, "%s is not understood", path);
		goto done;
	}
	vec_split(&fields, close + 1, " \n");
	if (fields.n <= STAT_START) {
		err = err_new(ERR_CORRUPT, "%s is not understood", path);
		goto done;
	}
	str_init(&process->name);
	str_add_bytes(&process->name, open + 1, (size_t)(close - open - 1));
	process->state = fields.v[STAT_STATE][0];
	process->parent = (pid_t)strtol(fields.v[STAT_PPID], NULL, 10);
	process->start = xstrdup(fields.v[STAT_START]);
done:
	vec_release(&fields);
	str_release(&text);
	free(path);
	return err;
}

const struct err *
identity_receiver(char **receiver)
{
	const struct err *err = NULL;
	pid_t pid = getppid();

	*receiver = NULL;
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct process process = { .name = STR_INIT };
		bool found;

		err = read_stat(pid, &process);
		if (err != NULL)
			break;
		found = str_starts_with(process.name.s, "git");
		if (found || *receiver == NULL) {
			free(*receiver);
			*receiver = xasprintf("%ld %s", (long)pid,
			    process.start);
		}
		pid = process.parent;
		process_release(&process);
		if (found)
			break;
	}
	if (*receiver != NULL)
		return NULL;
	return err != NULL ? err : err_new(ERR_FAILED, "this hook is not run"
	    " by git");
}

bool
identity_lives(const char *receiver)
{
	struct process process = { .name = STR_INIT };
	const struct err *err;
	char *start;
	long pid = strtol(receiver, &start, 10);
	bool lives;

	if (pid <= 0 || *start != ' ')
		return false;
	err = read_stat((pid_t)pid, &process);
	if (err != NULL)
		return err->sys_errno != ENOENT && err->sys_errno != ESRCH;
	lives = process.state != 'Z' && strcmp(process.start, start + 1) == 0;
	process_release(&process);
	return lives;
}
