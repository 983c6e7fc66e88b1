#include "deploy/sshkey.h"

#include <sys/types.h>
#include <sha2.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "vec.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* As far as the text is base64. */
static void
decode(struct str *bytes, const char *text)
{
	uint32_t bits = 0;
	int n = 0;

	for (; *text != '\0' && *text != '='; text++) {
		const char *digit = strchr(digits, *text);

		if (digit == NULL)
			return;
		bits = bits << 6 | (uint32_t)(digit - digits);
		n += 6;
		if (n >= 8) {
			n -= 8;
			str_addch(bytes, (char)(bits >> n & 0xff));
		}
	}
}

/* Without the "=" at the end, as ssh-keygen shows it. */
static void
encode(struct str *text, const uint8_t *bytes, size_t len)
{
	uint32_t bits = 0;
	int n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (n += 8; n >= 6; n -= 6)
			str_addch(text, digits[bits >> (n - 6) & 63]);
	}
	if (n > 0)
		str_addch(text, digits[bits << (6 - n) & 63]);
}

/* The keys of certificates: how many strings each has behind its type. */
static const struct {
	const char *cert, *plain;
	int fields;
} kinds[] = {
	{ "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1 },
	{ "ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2 },
	{ "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "ecdsa-sha2-nistp256", 2 },
	{ "ecdsa-sha2-nistp384-cert-v01@openssh.com",
	    "ecdsa-sha2-nistp384", 2 },
	{ "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	    "ecdsa-sha2-nistp521", 2 },
	{ "sk-ssh-ed25519-cert-v01@openssh.com",
	    "sk-ssh-ed25519@openssh.com", 2 },
	{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "sk-ecdsa-sha2-nistp256@openssh.com", 3 },
};

/* The string of RFC 4251 at "*at", which moves behind it; false: no more. */
static bool
take_string(const struct str *blob, size_t *at, size_t *start, size_t *len)
{
	uint32_t n = 0;

	if (*at > blob->len || blob->len - *at < 4)
		return false;
	for (int i = 0; i < 4; i++)
		n = n << 8 | (uint8_t)blob->s[*at + (size_t)i];
	*start = *at + 4;
	*len = n;
	if (n > blob->len - *start)
		return false;
	*at = *start + n;
	return true;
}

static void
add_string(struct str *blob, const char *bytes, size_t len)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		str_addch(blob, (char)(len >> shift & 0xff));
	str_add_bytes(blob, bytes, len);
}

/*
 * A certificate becomes the key that is in it, as ssh-keygen shows it; what
 * its authority calls it is given through "*id". Any other key stays.
 */
static void
open_cert(struct str *blob, char **id)
{
	struct str plain = STR_INIT;
	size_t at = 0, start, len, i;
	bool whole;

	*id = NULL;
	whole = take_string(blob, &at, &start, &len);
	for (i = 0; whole && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strlen(kinds[i].cert) == len &&
		    memcmp(blob->s + start, kinds[i].cert, len) == 0)
			break;
	}
	if (!whole || i == sizeof(kinds) / sizeof(*kinds))
		return;
	add_string(&plain, kinds[i].plain, strlen(kinds[i].plain));
	whole = take_string(blob, &at, &start, &len);	/* the nonce */
	for (int k = 0; whole && k < kinds[i].fields; k++) {
		whole = take_string(blob, &at, &start, &len);
		if (whole)
			add_string(&plain, blob->s + start, len);
	}
	at += 8 + 4;			/* the serial number and the type */
	if (whole && take_string(blob, &at, &start, &len)) {
		*id = xstrndup(blob->s + start, len);
		str_clear(blob);
		str_add_bytes(blob, plain.s, plain.len);
	}
	str_release(&plain);
}

/* "*id", where the key is a certificate, is given; else NULL. */
static char *
fingerprint(const char *key, char **id)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct str blob = STR_INIT, text = STR_INIT;
	SHA2_CTX sha;

	decode(&blob, key);
	open_cert(&blob, id);
	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)blob.s, blob.len);
	SHA256Final(digest, &sha);
	str_add(&text, "SHA256:");
	encode(&text, digest, sizeof(digest));
	str_release(&blob);
	return str_detach(&text);
}

/* The end of a field, whose quotes (in options) may have blanks in them. */
static const char *
field_end(const char *at)
{
	bool quoted = false;

	for (; *at != '\0' && *at != '\n'; at++) {
		if (at[0] == '\\' && at[1] == '"')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && strchr(" \t\r", *at) != NULL)
			break;
	}
	return at;
}

static const char *
next_field(const char *at)
{
	at = field_end(at);
	return at + strspn(at, " \t");
}

/* No option begins so. */
static bool
is_type(const char *field)
{
	return str_starts_with(field, "ssh-") ||
	    str_starts_with(field, "ecdsa-") || str_starts_with(field, "sk-");
}

/*
 * Behind the key, where a line is of that key: "[OPTIONS] TYPE KEY [COMMENT]".
 * As for sshd, a line that begins with a type has no options: what follows
 * its key is a comment, whatever that looks like. NULL: the line is of
 * another key, or a remark.
 */
static const char *
behind_key(const char *line, const char *key)
{
	const char *at = line + strspn(line, " \t"), *end;
	size_t len = strlen(key);

	if (*at == '#')
		return NULL;
	if (!is_type(at))
		at = next_field(at);
	if (!is_type(at))
		return NULL;
	at = next_field(at);
	end = field_end(at);
	return (size_t)(end - at) == len && memcmp(at, key, len) == 0 ? end :
	    NULL;
}

/* What follows the key on its line, given; NULL without one. */
static char *
comment(const char *authorized, const char *key)
{
	const char *line = authorized;

	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		const char *at = behind_key(line, key);
		struct str text = STR_INIT;

		if (at != NULL) {
			at += strspn(at, " \t");
			str_add_bytes(&text, at, strcspn(at, "\r\n"));
			str_trim_end(&text);
		}
		if (text.len > 0)
			return str_detach(&text);
		str_release(&text);
		line += len + (line[len] == '\n');
	}
	return NULL;
}

/* The first key that sshd tells of, in base64, given; NULL: none. */
static char *
first_key(const char *auth)
{
	struct vec lines = VEC_INIT, words = VEC_INIT;
	char *key = NULL;

	vec_split(&lines, auth, "\n");
	for (size_t i = 0; i < lines.n && key == NULL; i++) {
		vec_clear(&words);
		vec_split(&words, lines.v[i], " ");
		if (words.n >= 3 && strcmp(words.v[0], "publickey") == 0)
			key = xstrdup(words.v[2]);
	}
	vec_release(&lines);
	vec_release(&words);
	return key;
}

char *
sshkey_name(const char *auth, const char *authorized)
{
	char *key = first_key(auth), *name, *print, *id;

	if (key == NULL)
		return NULL;
	name = comment(authorized, key);
	print = fingerprint(key, &id);
	if (name == NULL && id != NULL && *id != '\0')
		name = xstrdup(id);
	if (name == NULL)
		name = xstrdup(print);
	free(print);
	free(id);
	free(key);
	return name;
}

char *
sshkey_fingerprint(const char *auth)
{
	char *key = first_key(auth), *print, *id = NULL;

	print = key == NULL ? NULL : fingerprint(key, &id);
	free(id);
	free(key);
	return print;
}
