#include "deploy/vetted.h"

#include <sys/types.h>
#include <sha2.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"

/* Longer than any line that is written. */
#define LINE_MAX_BYTES 400

static char *
path_of(const struct hub *hub, const struct environment *env)
{
	char *name = xasprintf("slipway/%s.vetted", env->name);
	char *path = hub_file(hub, name);

	free(name);
	return path;
}

static void
sum(char *hex, const char *bytes, size_t len)
{
	SHA256Data((const uint8_t *)bytes, len, hex);
}

/*
 * All that decides about a single path. Of the rules about the whole, and
 * about what is ours, nothing is taken from an earlier look.
 */
static void
sum_rules(char *hex, const struct vet_rules *rules)
{
	struct str text = STR_INIT;

	str_addf(&text, SLIPWAY_VERSION " %d %zu %" PRId64, (int)rules->links,
	    rules->path_max, rules->max_file_bytes);
	for (size_t i = 0; i < rules->shared->n; i++)
		str_addf(&text, " %s", rules->shared->v[i]);
	sum(hex, text.s, text.len);
	str_release(&text);
}

/* Of one length, so that no write leaves the end of another behind. */
static void
add_line(struct str *out, const struct vet_rules *rules,
    const struct vet_known *known)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	sum_rules(hex, rules);
	str_addf(out, "%s %s %020" PRId64 " %020" PRId64 " ", hex,
	    known->tree, known->files, known->bytes);
	sum(hex, out->s, out->len);
	str_addf(out, "%s\n", hex);
}

/* What says the same when it is written again is whole. */
static bool
parse(const char *line, const struct vet_rules *rules,
    struct vet_known *known)
{
	struct str again = STR_INIT;
	bool same;

	if (sscanf(line, "%*64s %40s %" SCNd64 " %" SCNd64, known->tree,
	    &known->files, &known->bytes) != 3 || !repo_is_oid(known->tree))
		return false;
	add_line(&again, rules, known);
	same = strcmp(again.s, line) == 0;
	str_release(&again);
	return same;
}

void
vetted_read(const struct hub *hub, const struct environment *env,
    const struct vet_rules *rules, struct vet_known *known)
{
	char *path = path_of(hub, env);
	struct str line = STR_INIT;

	memset(known, 0, sizeof(*known));
	if (file_read_at(&line, AT_FDCWD, path, LINE_MAX_BYTES) != NULL ||
	    !parse(line.s, rules, known))
		memset(known, 0, sizeof(*known));
	str_release(&line);
	free(path);
}

void
vetted_write(const struct hub *hub, const struct environment *env,
    const struct vet_rules *rules, const struct vet_known *known)
{
	char *path = path_of(hub, env);
	struct str line = STR_INIT;
	int fd;

	add_line(&line, rules, known);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	/* A part of it is of no use, and does no harm. */
	if (fd != -1 && pwrite(fd, line.s, line.len, 0) == -1)
		unlink(path);
	file_close(&fd);
	str_release(&line);
	free(path);
}
