/* SPDX-License-Identifier: MIT */
/* Reasons are kinds of errors, by a table: texts differ from host to host. */
#include "arver/summary.h"

#include <stdlib.h>
#include "base/mem.h"
#include "inventory/inventory.h"

#define MAX_NAMES 5 /* of hosts or disks in one line */

struct reason {
	enum err_kind kind;
	bool of_hosts; /* counts and names hosts, else disks */
	const char *one, *many, *next;
};

/* The last one stands for all kinds that are not in the table. */
static const struct reason reasons[] = {
	{ ERR_AWAY, true, "1 host does not answer", "hosts do not answer",
	    "run the same command again; --wait 15m waits for what is still coming up" },
	{ ERR_HOST, true, "1 host, on which nothing was begun", "hosts, on which nothing was begun",
	    "see the reasons above, then run the same command again" },
	{ ERR_CHANGED, true, "1 host that waits for --accept-changes",
	    "hosts that wait for --accept-changes",
	    "see the differences above and `git log -p disks settings`, then --accept-changes" },
	{ ERR_LOST, false, "1 disk of which it is not known what happened",
	    "disks of which it is not known what happened",
	    "run the same command again: it looks first" },
	{ ERR_KEY, false, "1 disk that no key of yours opens", "disks that no key of yours opens",
	    "ask a colleague for --add-user, or see in `git log --stat keys` whether key files of yours "
	    "are gone" },
	{ ERR_DISK, false, "1 disk that is not as it must be", "disks that are not as they must be",
	    "see the reasons above, and --info" },
	{ ERR_HOOK, false, "1 disk whose hooks failed", "disks whose hooks failed",
	    "put the hooks right, then run the same command again; where a disk is opened or closed "
	    "already, do by hand what its hook does" },
	{ ERR_REFUSED, false, "1 disk refused for safety", "disks refused for safety",
	    "see above what --force or --violence would do" },
	{ ERR_CANCELLED, false, "1 disk not begun, because you interrupted",
	    "disks not begun, because you interrupted", "run the same command again" },
	{ ERR_NONE, false, "1 disk not as asked for another reason",
	    "disks not as asked for other reasons", "see above" },
};

static const struct reason *
reason_of(enum err_kind kind)
{
	size_t i = 0;

	while (i < COUNT(reasons) - 1 && reasons[i].kind != kind)
		i++;
	return &reasons[i];
}

const char *
summary_next(enum err_kind kind)
{
	return reason_of(kind)->next;
}

void
summary_done(struct summary *s)
{
	free(s->at);
	free(s->places);
	*s = (struct summary){ 0 };
}

enum err_kind
summary_add(struct summary *s, const struct disk *d, enum err_kind kind)
{
	while (s->n_places <= d->index)
		mem_push(&s->places, &s->n_places, sizeof(*s->places));
	if (s->places[d->index])
		return s->at[s->places[d->index] - 1].kind;
	*(struct failure *)mem_push(&s->at, &s->n, sizeof(*s->at)) =
	    (struct failure){ .disk = d, .kind = kind };
	s->places[d->index] = s->n;
	return kind;
}

/* Is failure i the first of its reason on this host? Those of one are neighbours by now. */
static bool
is_first_of_host(const struct summary *s, size_t i, const struct reason *r)
{
	for (size_t k = i; k-- > 0 && s->at[k].disk->host == s->at[i].disk->host;)
		if (reason_of(s->at[k].kind) == r)
			return false;
	return true;
}

static void
add_reason(const struct summary *s, const struct reason *r, struct argv *out)
{
	AUTO(str_done) struct str names = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct disk *d = s->at[i].disk;

		if (reason_of(s->at[i].kind) != r || (r->of_hosts && !is_first_of_host(s, i, r)))
			continue;
		if (n++ < MAX_NAMES)
			str_addf(&names, "%s%s", n > 1 ? ", " : "",
			    path_shown(r->of_hosts ? d->host->path : d->path));
	}
	if (n > MAX_NAMES)
		str_addf(&names, " and %zu more", n - MAX_NAMES);
	if (n == 1)
		argv_addf(out, "%s: %s: %s", r->one, str_text(&names), r->next);
	else if (n > 1)
		argv_addf(out, "%zu %s: %s: %s", n, r->many, str_text(&names), r->next);
}

static int
compare(const void *a, const void *b)
{
	size_t x = ((const struct failure *)a)->disk->index;
	size_t y = ((const struct failure *)b)->disk->index;

	return (x > y) - (x < y);
}

void
summary_lines(struct summary *s, struct argv *out)
{
	bool several = false;

	if (s->n > 0)
		qsort(s->at, s->n, sizeof(*s->at), compare);
	for (size_t i = 1; i < s->n; i++)
		several = several || s->at[i].disk->host != s->at[0].disk->host;
	for (size_t i = 0; several && i < COUNT(reasons); i++)
		add_reason(s, &reasons[i], out);
}
