/*
 * slipway audit - what the journal knows, for those who keep it elsewhere.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/filter.h"
#include "journal/chain.h"
#include "json.h"

/* Lines are written in pieces of about this size, in bytes. */
#define PIECE_BYTES (64 * 1024)

static const struct err *
flush(struct str *out)
{
	const struct err *err = cmd_print(out);

	str_clear(out);
	return err;
}

static bool
is_utf8(const char *text)
{
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n) {
		if (str_decode(text + i, len - i, &n) == -1)
			return false;
	}
	return true;
}

/*
 * It is a text in the text, since only its very bytes have the hash; an
 * author whose name is no UTF-8 does not fit into one.
 */
static void
add_body(struct json *json, const char *body)
{
	struct str hex = STR_INIT;

	if (is_utf8(body)) {
		json_key_string(json, "body", body);
		return;
	}
	for (const char *p = body; *p != '\0'; p++)
		str_addf(&hex, "%02x", (unsigned char)*p);
	json_key_string(json, "body_hex", hex.s);
	str_release(&hex);
}

static const struct err *
add_event(const struct chain_event *event, void *ctx)
{
	struct str *out = ctx;
	struct json json = JSON_INIT(out);

	json_object(&json);
	json_key_int(&json, "event", event->id);
	json_key_time(&json, "time", event->at);
	json_key_int(&json, "at", event->at);
	json_key_string(&json, "noun", event->noun);
	json_key_int(&json, "key", event->key);
	add_body(&json, event->body);
	json_key_string(&json, "before", event->before);
	json_key_string(&json, "hash", event->hash);
	json_end(&json);
	str_addch(out, '\n');
	return out->len < PIECE_BYTES ? NULL : flush(out);
}

static const struct err *
run_audit(struct call *call)
{
	struct chain_filter filter = { .environment = call->environment };
	struct str out = STR_INIT;
	const struct err *err;

	if (strcmp(call->words.v[0], "export") != 0)
		return err_new(ERR_USAGE, "audit %s: did you mean 'slipway"
		    " audit export'?", call->words.v[0]);
	err = filter_instant(&filter.since_at, call, "since");
	if (err == NULL)
		err = filter_instant(&filter.until_at, call, "until");
	if (err == NULL)
		err = cmd_open_journal(call);
	if (err == NULL)
		err = chain_each(call->hub.journal, &filter, add_event, &out);
	if (err == NULL)
		err = flush(&out);
	str_release(&out);
	return err;
}

static const struct cmd_option options[] = {
	{ 0, "since", "WHEN", "written since WHEN: 2026-11-20, friday,"
	    " \"3 days ago\"" },
	{ 0, "until", "WHEN", "written before WHEN" },
	{ 0, NULL, NULL, NULL }
};

const struct cmd cmd_audit = {
	.name = "audit",
	.words = "export",
	.words_min = 1,
	.words_max = 1,
	.summary = "write out every event of the journal, with its hash",
	.help = "Print one JSON object a line for every event: each change"
	    " of a push, how its pusher is known, a deploy, a step or a"
	    " release, with the whole row as it was then, and the hashes"
	    " that tie it to the one before. slipway-store(5) tells how"
	    " somebody who has nothing but these lines checks them.",
	.example = "slipway audit export -C /srv/shop.git > shop.jsonl\n"
	    "slipway audit export -C /srv/shop.git --since 2026-11-01"
	    " -e production",
	.options = options,
	.environment_help = CMD_ALL_ENVIRONMENTS,
	.run = run_audit,
};
