#include "deploy/offer.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "file.h"
#include "pkt.h"
#include "repo.h"

#define VERSION "version=1"

void
offer_release(struct offer *offer)
{
	for (size_t i = 0; i < offer->n; i++) {
		free(offer->refs[i].ref);
		free(offer->refs[i].old);
		free(offer->refs[i].new);
		free(offer->refs[i].reason);
		free(offer->refs[i].environment);
	}
	free(offer->refs);
	vec_release(&offer->options);
	*offer = (struct offer)OFFER_INIT;
}

/* One line of a message: false through "*found" at its end. */
static const struct err *
next_line(struct pkt_reader *reader, int fd, struct str *line, bool *found)
{
	enum pkt_kind kind;
	const struct err *err;
	const char *bytes;
	size_t len;

	for (;;) {
		err = pkt_next(reader, &kind, &bytes, &len);
		if (err != NULL || kind != PKT_MORE)
			break;
		err = pkt_fill(reader, fd);
		if (err != NULL)
			break;
	}
	if (err == NULL && kind == PKT_END)
		err = err_new(ERR_PROTOCOL, "git ended in the middle of what"
		    " it offers");
	*found = err == NULL && kind == PKT_DATA;
	str_clear(line);
	if (*found)
		str_add_bytes(line, bytes, len);
	if (*found && line->len > 0 && line->s[line->len - 1] == '\n')
		str_truncate(line, line->len - 1);
	return err;
}

/* What stands behind the NUL; it is said again, so far as we know it. */
static const struct err *
take_version(struct offer *offer, const struct str *line, struct str *reply)
{
	struct vec words = VEC_INIT, known = VEC_INIT;

	if (strcmp(line->s, VERSION) != 0) {
		struct str shown = STR_INIT;
		const struct err *err;

		str_add_visible(&shown, line->s, strnlen(line->s, 100));
		err = err_new(ERR_PROTOCOL, "git says '%s' to proc-receive;"
		    " this Slipway knows " VERSION, shown.s);
		str_release(&shown);
		return err;
	}
	if (line->len > strlen(VERSION))
		vec_split(&words, line->s + strlen(VERSION) + 1, " \n");
	offer->atomic = vec_has(&words, "atomic");
	if (vec_has(&words, "push-options"))
		vec_push(&known, "push-options");
	if (offer->atomic)
		vec_push(&known, "atomic");
	str_add(reply, VERSION);
	str_addch(reply, '\0');
	vec_join(&known, " ", reply);
	vec_release(&known);
	vec_release(&words);
	return NULL;
}

/* The first line counts; a later git may say more before the flush. */
static const struct err *
negotiate(struct offer *offer, struct pkt_reader *reader, int in_fd,
    int out_fd, bool *options)
{
	struct str line = STR_INIT, reply = STR_INIT, out = STR_INIT;
	const struct err *err;
	bool found;

	err = next_line(reader, in_fd, &line, &found);
	if (err == NULL)
		err = take_version(offer, &line, &reply);
	while (err == NULL && found)
		err = next_line(reader, in_fd, &line, &found);
	if (err == NULL) {
		*options = strstr(reply.s + strlen(VERSION) + 1,
		    "push-options") != NULL;
		pkt_add(&out, reply.s, reply.len);
		pkt_add_flush(&out);
		err = file_write_fd(out_fd, out.s, out.len);
	}
	str_release(&out);
	str_release(&reply);
	str_release(&line);
	return err;
}

static const struct err *
take_ref(struct offer *offer, const struct str *line)
{
	struct vec words = VEC_INIT;
	struct offered *added;

	if (!repo_split_move(&words, line->s, line->len)) {
		vec_release(&words);
		return err_new(ERR_PROTOCOL, "git offers a ref as 'OLD NEW"
		    " REF', not as '%.200s'", line->s);
	}
	offer->refs = xreallocarray(offer->refs, offer->n + 1,
	    sizeof(*offer->refs));
	added = &offer->refs[offer->n++];
	*added = (struct offered){
		.old = xstrdup(words.v[0]),
		.new = xstrdup(words.v[1]),
		.ref = xstrdup(words.v[2]),
	};
	vec_release(&words);
	return NULL;
}

static const struct err *
read_refs(struct offer *offer, struct pkt_reader *reader, int fd)
{
	struct str line = STR_INIT;
	const struct err *err;
	bool found = true;

	do {
		err = next_line(reader, fd, &line, &found);
		if (err == NULL && found && offer->n == OFFER_REFS_MAX)
			err = err_new(ERR_PROTOCOL, "more than %d refs in one"
			    " push", OFFER_REFS_MAX);
		if (err == NULL && found)
			err = take_ref(offer, &line);
	} while (err == NULL && found);
	str_release(&line);
	return err;
}

static const struct err *
read_options(struct offer *offer, struct pkt_reader *reader, int fd)
{
	struct str line = STR_INIT;
	const struct err *err;
	bool found = true;

	do {
		err = next_line(reader, fd, &line, &found);
		if (err == NULL && found &&
		    offer->options.n == OFFER_OPTIONS_MAX)
			err = err_new(ERR_PROTOCOL, "more than %d push"
			    " options", OFFER_OPTIONS_MAX);
		if (err == NULL && found)
			vec_push(&offer->options, line.s);
	} while (err == NULL && found);
	str_release(&line);
	return err;
}

const struct err *
offer_read(struct offer *offer, int in_fd, int out_fd)
{
	struct pkt_reader reader = PKT_READER_INIT;
	const struct err *err;
	bool options = false;

	err = negotiate(offer, &reader, in_fd, out_fd, &options);
	if (err == NULL)
		err = read_refs(offer, &reader, in_fd);
	if (err == NULL && options)
		err = read_options(offer, &reader, in_fd);
	pkt_reader_release(&reader);
	return err;
}

#define MORE " ..."

void
offer_refuse(struct offered *offered, const char *fmt, ...)
{
	struct str text = STR_INIT, line = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < text.len; i++) {
		if (text.s[i] == '\n')
			text.s[i] = ' ';
	}
	str_add_visible(&line, text.s, text.len);
	if (line.len > OFFER_REASON_MAX) {
		str_truncate(&line, str_fit(line.s, OFFER_REASON_MAX -
		    strlen(MORE)));
		str_add(&line, MORE);
	}
	free(offered->reason);
	offered->reason = str_detach(&line);
	offered->answer = ANSWER_REFUSED;
	str_release(&text);
}

static void __attribute__((format(printf, 2, 3)))
add_line(struct str *out, const char *fmt, ...)
{
	struct str line = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&line, fmt, ap);
	va_end(ap);
	pkt_add(out, line.s, line.len);
	str_release(&line);
}

const struct err *
offer_write(const struct offer *offer, int out_fd)
{
	struct str out = STR_INIT;
	const struct err *err;

	for (size_t i = 0; i < offer->n; i++) {
		const struct offered *ref = &offer->refs[i];

		if (ref->answer == ANSWER_NONE ||
		    ref->answer == ANSWER_REFUSED) {
			add_line(&out, "ng %s %s", ref->ref,
			    ref->reason == NULL ? "failed" : ref->reason);
			continue;
		}
		add_line(&out, "ok %s", ref->ref);
		if (ref->answer == ANSWER_NOT_OURS)
			add_line(&out, "option fall-through");
	}
	pkt_add_flush(&out);
	err = file_write_fd(out_fd, out.s, out.len);
	str_release(&out);
	return err == NULL ? NULL : err_add(err, "answer git");
}
