/*
 * doctor_page - a file of a web server's configuration, for the files called
 * doctor_web.c and doctor_nginx.c alone.
 */
#ifndef DOCTOR_PAGE_H
#define DOCTOR_PAGE_H

#include "cmd/doctor.h"
#include "str.h"
#include "vec.h"

/* The largest that is read, in bytes. */
#define PAGE_MAX (1024 * 1024)

struct page {
	struct doctor *doctor;
	const struct environment *env;
	const char *path;
	const char *text;
	struct vec lines;	/* words, with one space between them */
};

/* A finding at a line, from 0. */
void page_tell(struct page *page, size_t line, enum level level,
    const char *remedy, const char *what);

/*
 * Is it a path below "current" of the environment? One in a single release,
 * which never changes, is told of.
 */
bool page_look_at_root(struct page *page, size_t line, const char *directive,
    const char *path);

/* What follows a directive's name, NULL when the line is another one. */
const char *page_value(const char *line, const char *name);

/* The check of one page for one environment. */
void page_look_at_nginx(struct page *page);

#endif
