#include "filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "calls.h"

/* For each call at most five, and one or two at either end. */
#define CODE_MAX 1024

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
    offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##what)
#define SKIP_UNLESS_EQUAL(value, n) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n)
#define SKIP_UNLESS_SET(bits, n) \
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, n)

struct code {
	struct sock_filter v[CODE_MAX];
	unsigned short n;
};

static void
add(struct code *code, struct sock_filter instruction)
{
	if (code->n < CODE_MAX)
		code->v[code->n++] = instruction;
}

static bool
is_looked_at(const struct order *order, const struct call *call)
{
	if (order->state)
		return call->kind != '-' && call->kind != 'e';
	if (order->effect)
		return call->kind != '-';
	return strcmp(order->name, call->name) == 0;
}

/* Most opens only read; those do not stop where creating is what counts. */
static void
add_call(struct code *code, const struct order *order,
    const struct call *call)
{
	bool opens = order->name == NULL && call->kind == 'o' &&
	    call->number != SYS_openat2;

	add(code, (struct sock_filter)SKIP_UNLESS_EQUAL(
	    (unsigned int)call->number, opens ? 4 : 1));
	if (opens) {
		add(code, (struct sock_filter)LOAD(args[call->argument + 1]));
		add(code, (struct sock_filter)SKIP_UNLESS_SET(
		    O_CREAT | O_TRUNC, 1));
		add(code, (struct sock_filter)RETURN(TRACE));
		add(code, (struct sock_filter)RETURN(ALLOW));
	} else {
		add(code, (struct sock_filter)RETURN(TRACE));
	}
}

bool
filter_set(const struct order *order)
{
	static struct code code;
	struct sock_fprog program = { .filter = code.v };
	const struct call *call;
	bool all = order->fails || (!order->state && !order->effect &&
	    order->name == NULL);

	add(&code, (struct sock_filter)LOAD(nr));
	for (size_t i = 0; !all && (call = calls_at(i)) != NULL; i++) {
		if (is_looked_at(order, call))
			add_call(&code, order, call);
	}
	add(&code, all ? (struct sock_filter)RETURN(TRACE) :
	    (struct sock_filter)RETURN(ALLOW));
	program.len = code.n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
